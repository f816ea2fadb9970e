"""Works on as many executors as it gets until a file in the driver says that it may end, with data that are cached and
shuffled, and then says what its event log has of losses."""

import json
import os
import sys
import time

from pyspark.sql import SparkSession

EVENTS = "/tmp/spark-events"
END = "/tmp/end"

os.makedirs(EVENTS, exist_ok=True)
spark = (
    SparkSession.builder.config("spark.eventLog.enabled", "true")
    .config("spark.eventLog.dir", "file://" + EVENTS)
    .config("spark.eventLog.rolling.enabled", "false")
    .config("spark.eventLog.compress", "false")
    .getOrCreate()
)
context = spark.sparkContext
parts = int(sys.argv[1])
cached = context.parallelize(range(parts * 1000), parts).map(lambda i: (i % 97, i)).persist()
want = cached.values().sum()


def slow(rows):
    time.sleep(1)
    return rows


rounds = 0
while not os.path.exists(END):
    sums = cached.mapPartitions(slow).reduceByKey(lambda a, b: a + b, parts)
    got = sums.mapPartitions(slow).values().sum()
    if got != want:
        sys.exit("round %d: the sum is %d, not %d" % (rounds, got, want))
    rounds += 1
    print("round %d" % rounds, flush=True)
spark.stop()

failed = again = removed = 0
for name in os.listdir(EVENTS):
    with open(os.path.join(EVENTS, name)) as log:
        for line in log:
            event = json.loads(line)
            kind = event["Event"]
            if kind == "SparkListenerTaskEnd":
                failed += event["Task End Reason"]["Reason"] == "FetchFailed"
            elif kind == "SparkListenerStageSubmitted":
                again += event["Stage Info"]["Stage Attempt ID"] > 0
            elif kind == "SparkListenerExecutorRemoved":
                removed += 1
print("rounds: %d, fetches failed: %d, stages resubmitted: %d, executors removed: %d" % (rounds, failed, again, removed))

"""Counts upwards in a stream, dies in the middle of its first life, and checks in the second that nothing is lost or double.

The argument is a folder for output and checkpoint."""

import os
import sys

from pyspark.sql import SparkSession

ROWS, BATCHES = 100, 6

out, checkpoint = sys.argv[1] + "/out", sys.argv[1] + "/checkpoint"
spark = SparkSession.builder.getOrCreate()
counter = spark.readStream.format("rate-micro-batch").option("rowsPerBatch", ROWS).load()
query = counter.writeStream.format("parquet").option("checkpointLocation", checkpoint).start(out)

while True:
    query.awaitTermination(0.2)
    done = query.lastProgress
    if done is None:
        continue
    if done["batchId"] >= BATCHES:
        break
    if done["batchId"] >= BATCHES // 2 and not query.recentProgress[0]["batchId"]:
        print("dying after batch %d" % done["batchId"], flush=True)
        os._exit(9)
query.stop()

first, last, rows, distinct = spark.read.parquet(out).selectExpr(
    "min(value)", "max(value)", "count(*)", "count(distinct value)").first()
print("began again at batch %d" % query.recentProgress[0]["batchId"])
whole = first == 0 and last + 1 == rows == distinct
print("rows %s: from %d to %d, %d rows, %d distinct" % ("whole" if whole else "broken", first, last, rows, distinct))
spark.stop()

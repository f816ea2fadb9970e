"""Ends well, in the way that its first argument names, and says things that look like trouble where that is its way."""

import logging
import sys
import threading
import time
import traceback

from pyspark import StorageLevel
from pyspark.sql import SparkSession
from pyspark.sql import functions as F


def counts(spark):
    assert spark.range(1000, numPartitions=4).count() == 1000


def nothing(spark):
    pass


def exits(spark):
    spark.stop()
    sys.exit(0)


def shuffles(spark):
    assert spark.range(200000, numPartitions=4).groupBy((F.col("id") % 100).alias("k")).count().count() == 100


def broadcasts(spark):
    assert spark.range(1000).join(F.broadcast(spark.range(10)), "id").count() == 10


def caches(spark):
    numbers = spark.range(100000).persist(StorageLevel.DISK_ONLY)
    assert numbers.count() == numbers.count()


def catches(spark):
    try:
        spark.sql("SELECT nothing FROM nowhere").show()
    except Exception:
        traceback.print_exc()
    try:
        spark.sparkContext.parallelize(["a"]).map(int).collect()
    except Exception:
        traceback.print_exc()
    counts(spark)


def complains(spark):
    logging.basicConfig()
    logging.error("java.lang.OutOfMemoryError: Java heap space is what the last one died of; this one is well")
    logging.warning("No space left on device was last week")
    counts(spark)


def tries_again(spark):
    from pyspark import TaskContext

    def once(_):
        if TaskContext.get().attemptNumber() == 0:
            raise ValueError("not yet")

    spark.sparkContext.parallelize([0], 1).foreach(once)


def loses_an_executor(spark):
    import glob
    import os
    import signal

    from pyspark import TaskContext

    def kill(_):
        if TaskContext.get().attemptNumber() > 0:
            return
        for comm in glob.glob("/proc/[0-9]*/comm"):
            with open(comm) as file:
                if file.read().strip() == "java":
                    os.kill(int(comm.split("/")[2]), signal.SIGKILL)
        time.sleep(60)

    spark.sparkContext.parallelize([0], 1).foreach(kill)


def threads(spark):
    all = [threading.Thread(target=counts, args=(spark,)) for _ in range(3)]
    [t.start() for t in all]
    [t.join() for t in all]


def streams(spark):
    rows = spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 10).option("numPartitions", 2).load()
    query = rows.writeStream.format("noop").trigger(once=True).start()
    query.awaitTermination(120)


def udf(spark):
    double = F.udf(lambda n: n * 2, "long")
    assert spark.range(10).select(F.sum(double("id"))).first()[0] == 90


def waits(spark):
    time.sleep(20)
    counts(spark)


def sql(spark):
    spark.createDataFrame([("a", 1), ("b", 2)], ["k", "v"]).createOrReplaceTempView("t")
    assert spark.sql("SELECT sum(v) FROM t").first()[0] == 3


def writes(spark):
    spark.range(100).write.mode("overwrite").parquet("file:///tmp/out")


if __name__ == "__main__":
    way = globals()[sys.argv[1]]
    way(SparkSession.builder.getOrCreate())

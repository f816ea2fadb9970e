"""Fails, or waits, in the way that its first argument names. Each is a fault that people meet."""

import glob
import os
import signal
import sys
import time

from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import LongType


def wrong_data(spark):
    def parse(text):
        return int(text)

    spark.sparkContext.parallelize(["1", "12a"], 2).map(parse).collect()


def wrong_column(spark):
    spark.range(3).createOrReplaceTempView("sales")
    spark.sql("SELECT amount FROM sales").show()


def missing_bucket(spark):
    spark.read.csv("s3a://nobody-has-this-bucket/sales.csv").show()


def missing_module(spark):
    import a_module_that_nobody_has  # noqa: F401


def collects_too_much(spark):
    spark.range(200000).selectExpr("id", "repeat('x', 100) AS text").collect()


def heap(spark):
    # Made of a column: what is constant would be computed by the driver.
    spark.range(1, 2, numPartitions=1).selectExpr("length(repeat(cast(id AS string), 2000000000))").collect()


def container(spark):
    def hoard(_):
        kept = []
        while True:
            kept.append(bytearray(os.urandom(8 << 20)))
            time.sleep(0.02)

    spark.sparkContext.parallelize([0], 1).foreach(hoard)


def driver_container(spark):
    kept = []
    while True:
        kept.append(bytearray(os.urandom(16 << 20)))


def slow_broadcast(spark):
    @F.udf(LongType())
    def slow(number):
        time.sleep(5)
        return number

    small = spark.range(1).select(slow("id").alias("id"))
    spark.range(10).join(F.broadcast(small), "id").collect()


def crashes(spark):
    def crash(_):
        os.kill(os.getpid(), signal.SIGSEGV)

    spark.sparkContext.parallelize([0], 1).foreach(crash)


def loses_shuffle(spark):
    shuffled = spark.sparkContext.parallelize(range(1000), 2).map(lambda n: (n % 7, n)).groupByKey(2)
    shuffled.count()

    def lose(_):
        for file in glob.glob("/var/data/*/blockmgr-*/*/shuffle_*"):
            os.remove(file)

    spark.sparkContext.parallelize([0], 1).foreach(lose)
    shuffled.mapValues(len).collect()


def fills_disk(spark):
    def fill(_):
        (directory,) = glob.glob("/var/data/*")
        with open(directory + "/large", "wb") as file:
            for _ in range(60):
                file.write(os.urandom(1 << 20))
        time.sleep(300)

    spark.sparkContext.parallelize([0], 1).foreach(fill)


def falls_silent(spark):
    def stop_the_executor(_):
        for comm in glob.glob("/proc/[0-9]*/comm"):
            with open(comm) as file:
                if file.read().strip() == "java":
                    os.kill(int(comm.split("/")[2]), signal.SIGSTOP)
        time.sleep(600)

    # A task that is lost with its executor is tried again, and again; one that others wait for is not.
    spark.sparkContext.parallelize([0], 1).barrier().mapPartitions(stop_the_executor).collect()


def long(spark):
    spark.sparkContext.parallelize([0], 1).foreach(lambda _: time.sleep(600))


if __name__ == "__main__":
    way = globals()[sys.argv[1]]
    way(SparkSession.builder.getOrCreate())

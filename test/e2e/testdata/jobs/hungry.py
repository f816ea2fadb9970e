"""Has an executor use more memory than its container may."""

from pyspark.sql import SparkSession


def eat(rows):
    hoard = []
    while True:
        hoard.append(bytearray(64 << 20))


spark = SparkSession.builder.getOrCreate()
spark.sparkContext.parallelize(range(2), 1).foreachPartition(eat)

"""Estimates pi from points of a grid, so that the result is the same each time."""

from pyspark.sql import SparkSession

SIDE = 1000

spark = SparkSession.builder.getOrCreate()
inside = spark.sparkContext.parallelize(range(SIDE * SIDE), 4).filter(
    lambda i: ((i // SIDE + 0.5) / SIDE) ** 2 + ((i % SIDE + 0.5) / SIDE) ** 2 <= 1).count()
print("pi is about %.3f" % (4 * inside / (SIDE * SIDE)))
spark.stop()

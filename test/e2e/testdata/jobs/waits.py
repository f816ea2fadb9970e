"""Runs until it is ended, a small job each second."""

import time

from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
print("waiting", flush=True)
while True:
    spark.range(10).count()
    time.sleep(1)

"""Runs until it is ended."""

import time

from pyspark.sql import SparkSession

SparkSession.builder.getOrCreate()
print("waiting", flush=True)
while True:
    time.sleep(1)

"""Has executors come for work and go when there is none, and says how many there were."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

from pyspark.sql import SparkSession

PATIENCE = 120

spark = SparkSession.builder.getOrCreate()
context = spark.sparkContext


def executors():
    return context._jsc.sc().getExecutorMemoryStatus().size() - 1  # the driver is one of them


def wait_for(number):
    begun = time.monotonic()
    while executors() != number:
        if time.monotonic() - begun > PATIENCE:
            sys.exit("want %d executors, there are %d" % (number, executors()))
        time.sleep(0.2)
    print("executors: %d" % number, flush=True)


wait_for(0)
work = context.parallelize(range(8), 8).map(lambda i: time.sleep(5) or i)
with ThreadPoolExecutor() as pool:
    total = pool.submit(work.sum)
    wait_for(2)
    print("sum: %d" % total.result(), flush=True)
wait_for(0)
spark.stop()

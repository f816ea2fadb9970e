"""Says how long its container has been there when the first task has finished."""

import os

from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
spark.sparkContext.parallelize([1], 1).map(lambda x: x).count()
# proc(5): the 22nd field is when the process started, in clock ticks since boot. Process 1 is the container's first.
started = int(open("/proc/1/stat").read().rsplit(")", 1)[1].split()[19]) / os.sysconf("SC_CLK_TCK")
now = float(open("/proc/uptime").read().split()[0])
print("container start to first finished task: %.2f s" % (now - started))
spark.stop()

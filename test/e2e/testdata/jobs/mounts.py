"""Says what driver and executor see of what is mounted into them."""

import os

from pyspark.sql import SparkSession


def seen(where):
    with open("/etc/settings/colour") as colour, open("/etc/keys/word") as word:
        return "%s: %s, %s, %s" % (where, colour.read(), word.read(), os.environ["SPARK_LOCAL_DIRS"])


spark = SparkSession.builder.getOrCreate()
print(seen("driver"))
print(spark.sparkContext.parallelize([0], 1).map(lambda _: seen("executor")).first())
spark.stop()

"""Reads CSV whose types nobody has said, and asks it with SQL."""

import sys

from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
folder = sys.argv[1]
spark.range(1000).selectExpr("id", "id % 7 as weekday", "id * 0.5 as amount").write.mode("overwrite").option("header", True).csv(folder)
spark.read.option("header", True).option("inferSchema", True).csv(folder).createOrReplaceTempView("sales")
row = spark.sql("""
    SELECT weekday, sum(amount) AS total, rank() OVER (ORDER BY sum(amount) DESC) AS place
    FROM sales GROUP BY weekday ORDER BY place LIMIT 1""").first()
print("best weekday: %s with %s" % (row.weekday, row.total))
spark.stop()

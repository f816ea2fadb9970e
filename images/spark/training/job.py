"""What a usual job does: reads a table of lines, cleans it, groups, joins and ranks it, and writes Parquet to s3a://."""

from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as F


def main():
    spark = SparkSession.builder.appName("training").getOrCreate()
    home = "s3a://training/"
    lines = "id,country,day,price,quantity\n" + "".join(
        f"{i},{('DE', 'FR', '')[i % 3]},2026-01-{i % 28 + 1:02d} 10:00,{i / 7:.2f},{i % 5 - 1}\n" for i in range(500))
    rows = spark.sparkContext.parallelize(lines.splitlines(), 2)
    spark.createDataFrame(rows.map(lambda line: (line,)), ["value"]).coalesce(1).write.mode("overwrite").text(home + "csv")

    raw = spark.read.option("header", True).option("inferSchema", True).csv(home + "csv")
    clean = raw.where("quantity > 0").na.drop().withColumn("revenue", F.expr("price * quantity")).cache()
    clean.createOrReplaceTempView("sales")
    month = spark.sql(
        "SELECT country, date_trunc('month', to_timestamp(day)) AS month, sum(revenue) AS earned, "
        "count(DISTINCT id) AS sales, percentile_approx(price, 0.5) AS median FROM sales GROUP BY ALL ORDER BY earned DESC")
    month.show()
    best = clean.withColumn("rank", F.rank().over(Window.partitionBy("country").orderBy(F.desc("revenue")))).where("rank < 4")
    best.join(F.broadcast(month), "country").write.mode("overwrite").partitionBy("country").parquet(home + "best")
    back = spark.read.parquet(home + "best")
    back.join(clean.select("id", F.col("day").alias("sold")), "id").groupBy("rank").agg(F.max("month"), F.collect_list("sold")).show()
    print(back.where(F.col("price") > 3).count(), rows.map(len).reduce(max))
    spark.stop()


main()

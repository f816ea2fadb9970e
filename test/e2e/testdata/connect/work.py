"""What people do with a Spark Connect server: SQL, a job on DataFrames, a pipeline of MLlib. Called with an address and,
to do less, with the names of what to do."""
import sys

from pyspark.ml import Pipeline
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.regression import LinearRegression
from pyspark.sql import SparkSession, functions


def sql(spark):
    return spark.sql("SELECT sum(id) AS total FROM range(1, 101)").first().total


def dataframe(spark):
    numbers = spark.range(0, 100_000, numPartitions=2).withColumn("bucket", functions.col("id") % 4)
    totals = numbers.groupBy("bucket").agg(functions.sum("id").alias("total")).orderBy("bucket")
    return [row.total for row in totals.collect()]


def ml(spark):
    points = spark.range(0, 200, numPartitions=2).select(
        functions.col("id").cast("double").alias("x"), (functions.col("id") * 3 + 2).cast("double").alias("label"),
    )
    model = Pipeline(stages=[
        VectorAssembler(inputCols=["x"], outputCol="features"), LinearRegression(solver="normal"),
    ]).fit(points)
    guess = model.transform(spark.createDataFrame([(1000.0,)], ["x"])).first().prediction
    return f"3 * 1000 + 2 is about {guess:.0f}"


spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
try:
    print("server:", spark.version)
    for work in (sql, dataframe, ml):
        if work.__name__ in sys.argv[2:] or not sys.argv[2:]:
            print(f"{work.__name__}:", work(spark), flush=True)
finally:
    spark.stop()  # left open, it may hang when the interpreter ends

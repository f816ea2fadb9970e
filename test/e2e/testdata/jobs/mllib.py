"""Learns to tell two clouds of points apart with Spark's MLlib, and says how well it does on points it has not seen."""

from pyspark.ml import Pipeline
from pyspark.ml.classification import LogisticRegression
from pyspark.ml.evaluation import BinaryClassificationEvaluator
from pyspark.ml.feature import StandardScaler, VectorAssembler
from pyspark.sql import SparkSession, functions as f

spark = SparkSession.builder.getOrCreate()
points = spark.range(2000).select(
    (f.col("id") % 2).cast("double").alias("label"),
    (f.randn(1) + 4 * (f.col("id") % 2)).alias("x"),
    (f.randn(2) - 4 * (f.col("id") % 2)).alias("y"),
)
known, unknown = points.randomSplit([0.8, 0.2], seed=3)
model = Pipeline(stages=[
    VectorAssembler(inputCols=["x", "y"], outputCol="raw"),
    StandardScaler(inputCol="raw", outputCol="features"),
    LogisticRegression(maxIter=20),
]).fit(known)
area = BinaryClassificationEvaluator().evaluate(model.transform(unknown))
print(f"area under the curve above 0.99: {area > 0.99}")
x, y = model.stages[-1].coefficients
print(f"it looks to the right and down: {x > 0 > y}")
spark.stop()

# The catalog of a lake: dozens of properties that stay properties.
spark-submit --master yarn --deploy-mode cluster \
  --conf spark.sql.extensions=org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions \
  --conf spark.sql.catalog.lake=org.apache.iceberg.spark.SparkCatalog --conf spark.sql.catalog.lake.type=rest \
  --conf spark.sql.catalog.lake.uri="https://catalog/?a=b&c=d" --conf spark.hadoop.fs.s3a.path.style.access=true \
  --conf spark.serializer=org.apache.spark.serializer.KryoSerializer job.py

# Settings by their names of Spark 2.
spark-submit --master yarn --deploy-mode cluster \
  --conf spark.yarn.executor.memoryOverhead=1024 --conf spark.yarn.driver.memoryOverhead=512 \
  --conf spark.yarn.max.executor.failures=20 \
  --class com.example.Main hdfs://nn/apps/etl.jar

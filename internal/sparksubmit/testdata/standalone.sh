# All cores of a standalone cluster's application become executors.
spark-submit --master spark://master:7077 --deploy-mode cluster --supervise --total-executor-cores 20 --executor-cores 4 \
  --class com.example.Stream s3a://apps/stream.jar

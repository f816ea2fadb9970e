# Variables of the application master are the driver's in cluster mode.
spark-submit --master yarn --deploy-mode cluster \
  --conf spark.yarn.appMasterEnv.PYSPARK_PYTHON=./environment/bin/python \
  --conf spark.yarn.appMasterEnv.STAGE=prod \
  --conf spark.executorEnv.STAGE=prod \
  --conf spark.executorEnv.JAVA_OPTS="-Da=b c" \
  --archives hdfs:///envs/ml.tar.gz#environment \
  job.py

# Client mode on YARN: the driver's log is shown; the application master has no meaning.
spark-submit --master yarn --deploy-mode client \
  --conf spark.yarn.am.memory=2g --conf spark.yarn.am.cores=2 \
  --conf spark.yarn.appMasterEnv.MODE=prod \
  --conf spark.yarn.submit.waitAppCompletion=false \
  job.py

# Three attempts are two retries.
spark-submit --master yarn --deploy-mode cluster --conf spark.yarn.maxAppAttempts=3 job.py

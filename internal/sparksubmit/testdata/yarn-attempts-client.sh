# YARN starts a driver in client mode once.
spark-submit --master yarn --conf spark.yarn.maxAppAttempts=3 job.py

# The least that can be said; Spark's default is two executors and client mode.
spark-submit job.py

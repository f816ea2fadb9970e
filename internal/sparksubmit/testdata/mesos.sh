# Mesos is gone from Spark 4, and its scripts are not.
spark-submit --master mesos://zk://zk1:2181/mesos --conf spark.cores.max=3 job.py

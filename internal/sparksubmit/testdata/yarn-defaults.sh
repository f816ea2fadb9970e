# spark-defaults.conf of SPARK_CONF_DIR, over which --conf wins.
export SPARK_CONF_DIR=conf
spark-submit --conf spark.executor.memory=5g job.py

# spark-defaults.conf of an installation is left alone.
export SPARK_HOME=.
spark-submit job.py

# A file of properties in the place of the defaults: keys of --conf win, and options over both.
export SPARK_CONF_DIR=conf
spark-submit --properties-file job.properties --conf spark.sql.shuffle.partitions=8 --executor-memory 6g job.py

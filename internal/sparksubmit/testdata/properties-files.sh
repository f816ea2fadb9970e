# Extra files win over the file, later ones over earlier ones; the defaults fill what is open.
export SPARK_CONF_DIR=conf
spark-submit --properties-file job.properties --load-spark-defaults \
  --extra-properties-file extra1.properties --extra-properties-file extra2.properties job.py

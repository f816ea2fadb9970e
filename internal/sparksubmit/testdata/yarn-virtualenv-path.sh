# A Python of this machine is none in the image.
export PYSPARK_PYTHON=/opt/venv/bin/python HADOOP_CONF_DIR=/etc/hadoop/conf
spark-submit --master yarn app.py

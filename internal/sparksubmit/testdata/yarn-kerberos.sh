# A keytab that is mounted from a Secret.
spark-submit --master yarn --deploy-mode cluster --principal etl@EXAMPLE.COM --keytab local:///etc/keytab/etl.keytab \
  --conf spark.kubernetes.driver.secrets.etl-keytab=/etc/keytab \
  --conf spark.yarn.access.hadoopFileSystems=hdfs://a,hdfs://b \
  job.py

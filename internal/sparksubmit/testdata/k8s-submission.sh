# What only a submitting JVM would use is left out.
spark-submit --master k8s://https://kubernetes.default.svc --deploy-mode cluster \
  --conf spark.kubernetes.file.upload.path=s3a://bucket/uploads --conf spark.kubernetes.submission.waitAppCompletion=false \
  --conf spark.kubernetes.authenticate.submission.oauthTokenFile=/var/run/token --conf spark.kubernetes.authenticate.submission.caCertFile=/ca.crt \
  --conf spark.driver.host=10.0.0.1 --conf spark.kubernetes.report.interval=5s job.py

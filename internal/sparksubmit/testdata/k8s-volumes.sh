# Volumes that fields can describe, and those that only Spark can make.
spark-submit \
  --conf spark.kubernetes.driver.volumes.persistentVolumeClaim.data.mount.path=/data \
  --conf spark.kubernetes.driver.volumes.persistentVolumeClaim.data.options.claimName=sales \
  --conf spark.kubernetes.executor.volumes.persistentVolumeClaim.data.mount.path=/data \
  --conf spark.kubernetes.executor.volumes.persistentVolumeClaim.data.mount.readOnly=false \
  --conf spark.kubernetes.executor.volumes.persistentVolumeClaim.data.options.claimName=sales \
  --conf spark.kubernetes.executor.volumes.emptyDir.spark-local-dir-1.mount.path=/scratch \
  --conf spark.kubernetes.executor.volumes.emptyDir.spark-local-dir-1.options.sizeLimit=10Gi \
  --conf spark.kubernetes.driver.volumes.hostPath.logs.mount.path=/logs \
  --conf spark.kubernetes.driver.volumes.hostPath.logs.options.path=/var/log/spark \
  --conf spark.kubernetes.executor.volumes.persistentVolumeClaim.scratch.mount.path=/big \
  --conf spark.kubernetes.executor.volumes.persistentVolumeClaim.scratch.options.claimName=OnDemand \
  --conf spark.kubernetes.executor.volumes.persistentVolumeClaim.scratch.options.storageClass=fast \
  --conf spark.kubernetes.executor.volumes.persistentVolumeClaim.scratch.options.sizeLimit=100Gi \
  job.py

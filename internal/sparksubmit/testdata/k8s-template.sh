# Pod templates are read here, for the operator has no such files.
spark-submit --conf spark.kubernetes.driver.podTemplateFile=driver-pod.yaml \
  --conf spark.kubernetes.executor.podTemplateFile=file:driver-pod.yaml \
  --conf spark.kubernetes.driver.podTemplateContainerName=main job.py

# Brazier's own options win over properties.
spark-submit -n sales --image own:1 --spark-version 3.5.9 --service-account etl --application etl-once --detach --deploy-mode cluster \
  --conf spark.kubernetes.executor.container.image=spark:2 --conf spark.kubernetes.authenticate.driver.serviceAccountName=x \
  --restart-policy OnFailure --retries 5 --batch-scheduler yunikorn --queue root.etl job.py

# Every property that has a field goes there, so that it is checked.
spark-submit --master k8s://api.example.com:6443 --deploy-mode cluster \
  --conf spark.kubernetes.namespace=sales --conf spark.kubernetes.context=prod \
  --conf spark.kubernetes.container.image=spark:1 --conf spark.kubernetes.executor.container.image=spark:2 \
  --conf spark.kubernetes.container.image.pullPolicy=Always --conf spark.kubernetes.container.image.pullSecrets=a,b \
  --conf spark.kubernetes.authenticate.driver.serviceAccountName=sales --conf spark.kubernetes.driver.pod.name=sales-driver \
  --conf spark.kubernetes.driver.label.team=sales --conf spark.kubernetes.executor.label.team=sales \
  --conf spark.kubernetes.driver.annotation.a/b=c --conf spark.kubernetes.executor.annotation.d=e \
  --conf spark.kubernetes.driver.service.annotation.f=g --conf spark.kubernetes.driver.service.label.h=i \
  --conf spark.kubernetes.driver.request.cores=500m --conf spark.kubernetes.executor.limit.cores=2 \
  --conf spark.kubernetes.driverEnv.X=1 --conf spark.kubernetes.driver.secretKeyRef.PASSWORD=db:password \
  --conf spark.kubernetes.executor.secrets.tls=/etc/tls \
  --conf spark.kubernetes.memoryOverheadFactor=0.2 --conf spark.kubernetes.executor.deleteOnTermination=false \
  --conf spark.kubernetes.hadoop.configMapName=hadoop --conf spark.kubernetes.scheduler.name=mine \
  --conf spark.kubernetes.executor.scheduler.name=other --conf spark.kubernetes.allocation.batch.size=20 \
  --class A local:///a.jar

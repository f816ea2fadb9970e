# Settings of YARN without meaning are named, each with the reason.
spark-submit --master yarn --deploy-mode cluster \
  -c spark.yarn.archive=hdfs:///spark/libs.zip -c spark.yarn.stagingDir=hdfs:///tmp \
  -c spark.yarn.executor.nodeLabelExpression=gpu -c spark.yarn.historyServer.address=history:18080 \
  -c spark.yarn.tags=nightly -c spark.yarn.priority=5 -c spark.yarn.executor.resource.yarn.io/gpu.amount=1 \
  -c spark.yarn.rolledLog.includePattern='*' -c spark.yarn.scheduler.heartbeat.interval-ms=1000 -c spark.yarn.something.new=1 \
  job.py

# Settings of YARN have no effect with another master; Spark's own older names have.
spark-submit --master k8s://https://api:6443 --conf spark.yarn.appMasterEnv.A=b --conf spark.yarn.executor.memoryOverhead=2g \
  --queue x --supervise --total-executor-cores 8 --conf spark.shuffle.service.enabled=true job.py

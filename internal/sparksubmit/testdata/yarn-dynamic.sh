# Dynamic allocation with YARN's shuffle service tracks shuffle files instead.
spark-submit --master yarn --deploy-mode cluster \
  --conf spark.dynamicAllocation.enabled=true --conf spark.shuffle.service.enabled=true \
  --conf spark.dynamicAllocation.minExecutors=2 --conf spark.dynamicAllocation.maxExecutors=50 \
  --conf spark.dynamicAllocation.initialExecutors=1 --conf spark.dynamicAllocation.executorIdleTimeout=60s \
  job.py

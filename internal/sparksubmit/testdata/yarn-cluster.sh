# A nightly script as most Hadoop shops have it.
spark-submit \
  --master yarn \
  --deploy-mode cluster \
  --name "Nightly Sales Report" \
  --queue etl \
  --num-executors 10 \
  --executor-memory 4G \
  --executor-cores 2 \
  --driver-memory 2g \
  jobs/sales.py --date 2026-11-25

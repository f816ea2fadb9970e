# A scheduler that does not wait.
spark-submit --master=yarn --deploy-mode=cluster --conf=spark.yarn.submit.waitAppCompletion=false job.py

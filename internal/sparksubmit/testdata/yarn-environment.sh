# Defaults of the environment, over which options win.
export MASTER=yarn DEPLOY_MODE=cluster SPARK_EXECUTOR_MEMORY=3g SPARK_DRIVER_MEMORY=1g SPARK_EXECUTOR_CORES=4 SPARK_YARN_APP_NAME=from-env
spark-submit --driver-memory 2g job.py

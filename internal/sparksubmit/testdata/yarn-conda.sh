# The way of Spark's documentation to bring a conda environment.
export PYSPARK_DRIVER_PYTHON=python
export PYSPARK_PYTHON=./environment/bin/python
spark-submit --archives s3a://envs/pyspark_conda_env.tar.gz#environment app.py

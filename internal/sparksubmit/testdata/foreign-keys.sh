# What is no property of Spark is left out, as spark-submit does.
spark-submit --conf hive.metastore.uris=thrift://x --conf spark.app.name="From Conf" --conf spark.memory.fraction=0.7 job.py

# Nodes for all and for one role are joined, since the API has one or the other.
spark-submit --conf spark.kubernetes.node.selector.zone=a --conf spark.kubernetes.executor.node.selector.disk=ssd job.py

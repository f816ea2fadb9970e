# Nodes for all pods.
spark-submit --conf spark.kubernetes.node.selector.zone=a job.py

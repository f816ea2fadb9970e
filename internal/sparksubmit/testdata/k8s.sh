# Spark's own documentation for Kubernetes.
./bin/spark-submit \
    --master k8s://https://api.example.com:6443 \
    --deploy-mode cluster \
    --name spark-pi \
    --class org.apache.spark.examples.SparkPi \
    --conf spark.executor.instances=5 \
    --conf spark.kubernetes.container.image=registry.example.com/spark:4.0.1 \
    local:///path/to/examples.jar 1000

"""Computes pi with Spark, twice: by a task that waits itself, and by one that waits in the triggerer. docs/airflow.md"""

from airflow.providers.cncf.kubernetes.operators.spark_kubernetes import SparkKubernetesOperator
from airflow.sdk import DAG

with DAG(
    "brazier_pi",
    schedule=None,
    params={"partitions": 20},  # pi.yaml reads it
    default_args={
        "kubernetes_conn_id": "brazier",
        "namespace": "etl",
        "application_file": "pi.yaml",
    },
):
    SparkKubernetesOperator(task_id="pi")
    SparkKubernetesOperator(task_id="pi_deferred", deferrable=True)

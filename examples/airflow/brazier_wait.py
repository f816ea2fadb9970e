"""Waits for an application that somebody else has submitted, a ScheduledSparkApplication for example. docs/airflow.md"""

from airflow.providers.cncf.kubernetes.sensors.spark_kubernetes import SparkKubernetesSensor
from airflow.sdk import DAG, Param

with DAG(
    "brazier_wait",
    schedule=None,
    params={"application": Param(type="string")},
):
    SparkKubernetesSensor(
        task_id="wait",
        kubernetes_conn_id="brazier",
        namespace="etl",
        application_name="{{ params.application }}",
        attach_log=True,
        mode="reschedule",  # holds no worker between two looks
        poke_interval=10,
        timeout=3600,
    )

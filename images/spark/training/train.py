"""The training run of an image: a driver and an executor do a job, and note which classes they load.

They are started by the image's own entrypoint and talk to a small API server and a small object store, so that what
they load is what they load in a cluster. Run it as the image's user, with the folder for the lists as argument.
"""

import http.server
import os
import ssl
import subprocess
import sys
import threading

import kubernetes
import objects

HERE = os.path.dirname(os.path.abspath(__file__))
DRIVER = "training-driver"


def serve(handler, tls=None):
    """Serves on a free port of the loopback, and returns the port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def certificate(folder):
    """Makes the API server's certificate."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", f"{folder}/key.pem", "-out", f"{folder}/ca.crt"],
        check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(f"{folder}/ca.crt", f"{folder}/key.pem")
    return tls


def properties(lists, api, store):
    return {
        "spark.master": f"k8s://https://127.0.0.1:{api}",
        "spark.kubernetes.driver.master": f"https://127.0.0.1:{api}",
        "spark.app.id": "training",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.executor.instances": "1",
        "spark.executor.memory": "1g",
        "spark.driver.extraJavaOptions": f"-XX:DumpLoadedClassList={lists}/driver.lst",
        "spark.executor.extraJavaOptions": f"-XX:DumpLoadedClassList={lists}/executor.lst",
        "spark.kubernetes.submitInDriver": "true",
        "spark.kubernetes.driver.pod.name": DRIVER,
        "spark.kubernetes.container.image": "spark",
        "spark.kubernetes.authenticate.driver.mounted.caCertFile": f"{lists}/ca.crt",
        "spark.kubernetes.authenticate.driver.mounted.oauthTokenFile": f"{lists}/token",
        "spark.hadoop.fs.s3a.endpoint": f"http://127.0.0.1:{store}",
        "spark.hadoop.fs.s3a.endpoint.region": "us-east-1",
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.access.key": "training",
        "spark.hadoop.fs.s3a.secret.key": "training",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": "file:///tmp",
        "spark.local.dir": "/tmp",
        "spark.sql.shuffle.partitions": "2",
    }


def main():
    lists = sys.argv[1]
    tls = certificate(lists)
    with open(f"{lists}/token", "w", encoding="ascii") as token:
        token.write("training")
    kubernetes.Handler.cluster = kubernetes.Cluster(DRIVER)
    conf = properties(lists, serve(kubernetes.Handler, tls), serve(objects.Handler))
    with open(f"{lists}/spark.properties", "w", encoding="ascii") as file:
        file.writelines(f"{name}={value}\n" for name, value in conf.items())
    status = subprocess.run(
        [kubernetes.ENTRYPOINT, "driver", "--properties-file", f"{lists}/spark.properties",
         "--class", "org.apache.spark.deploy.PythonRunner", f"local://{HERE}/job.py"],
        env=os.environ | {"SPARK_DRIVER_BIND_ADDRESS": "127.0.0.1", "SPARK_USER": "spark"}, check=False).returncode
    for process in kubernetes.Handler.cluster.processes:
        process.wait(timeout=60)
    sys.exit(status)


main()

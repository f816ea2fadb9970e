"""Runs a PySpark job as a cluster would, in one container of the image: a driver, and executors that it asks for.

    run.py FOLDER JOB [name=value...]

Both are started by the image's own entrypoint and talk to a small API server and a small object store, so that they
load what they load in a cluster. FOLDER is writable; name=value are properties of Spark beside those of the run.
"""

import http.server
import os
import ssl
import subprocess
import sys
import threading

import kubernetes
import objects

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


def properties(folder, api, store):
    return {
        "spark.master": f"k8s://https://127.0.0.1:{api}",
        "spark.kubernetes.driver.master": f"https://127.0.0.1:{api}",
        "spark.app.id": "training",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.executor.instances": "1",
        "spark.executor.memory": "1g",
        # A machine that does other things beside may take its time.
        "spark.kubernetes.driver.requestTimeout": "120000",
        "spark.kubernetes.driver.connectionTimeout": "120000",
        "spark.network.timeout": "600s",
        "spark.kubernetes.submitInDriver": "true",
        "spark.kubernetes.driver.pod.name": DRIVER,
        "spark.kubernetes.container.image": "spark",
        "spark.kubernetes.authenticate.driver.mounted.caCertFile": f"{folder}/ca.crt",
        "spark.kubernetes.authenticate.driver.mounted.oauthTokenFile": f"{folder}/token",
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
    folder, job, *extra = sys.argv[1:]
    tls = certificate(folder)
    with open(f"{folder}/token", "w", encoding="ascii") as token:
        token.write("training")
    kubernetes.Handler.cluster = kubernetes.Cluster(DRIVER)
    conf = properties(folder, serve(kubernetes.Handler, tls), serve(objects.Handler))
    conf |= dict(pair.split("=", 1) for pair in extra)
    with open(f"{folder}/spark.properties", "w", encoding="ascii") as file:
        file.writelines(f"{name}={value}\n" for name, value in conf.items())
    print("driver starts", flush=True)
    status = subprocess.run(
        [kubernetes.ENTRYPOINT, "driver", "--properties-file", f"{folder}/spark.properties",
         "--class", "org.apache.spark.deploy.PythonRunner", f"local://{job}"],
        env=os.environ | {"SPARK_DRIVER_BIND_ADDRESS": "127.0.0.1", "SPARK_USER": "spark"}, check=False).returncode
    for process in kubernetes.Handler.cluster.processes:
        process.wait(timeout=120)
    sys.exit(status)


main()

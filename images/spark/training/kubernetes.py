"""As much of a Kubernetes API server as a Spark driver talks to, with a kubelet that runs executors as processes.

It serves the training run in which an image finds out which classes Spark loads. It keeps pods in memory, tells
watchers of them over WebSockets and starts what a pod asks for; everything else it accepts and forgets.
"""

import base64
import hashlib
import http.server
import json
import os
import subprocess
import threading
import uuid

ENTRYPOINT = "/opt/entrypoint.sh"


class Cluster:
    """The pods of the one namespace, and who watches them."""

    def __init__(self, driver):
        self.lock = threading.Condition()
        self.version = 1
        self.pods = {}
        self.watchers = []
        self.processes = []
        self.put({"metadata": {"name": driver, "namespace": "default"}, "spec": {"containers": []}})
        self.run(driver)

    def put(self, pod):
        with self.lock:
            self.version += 1
            meta = pod.setdefault("metadata", {})
            known = self.pods.get(meta["name"])
            meta.setdefault("uid", str(uuid.uuid4()))
            meta.update(namespace="default", resourceVersion=str(self.version), creationTimestamp="2026-01-01T00:00:00Z")
            pod.update(kind="Pod", apiVersion="v1")
            pod.setdefault("status", {"phase": "Pending"})
            self.pods[meta["name"]] = pod
            self.tell("MODIFIED" if known else "ADDED", pod)
        return pod

    def run(self, name):
        pod = self.pods[name]
        pod["status"] = {
            "phase": "Running", "podIP": "127.0.0.1", "hostIP": "127.0.0.1", "startTime": "2026-01-01T00:00:01Z",
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:01Z"}],
            "containerStatuses": [{
                "name": c["name"], "ready": True, "restartCount": 0, "image": "spark", "imageID": "spark",
                "state": {"running": {"startedAt": "2026-01-01T00:00:01Z"}},
            } for c in pod["spec"]["containers"]],
        }
        self.put(pod)

    def start(self, pod):
        """Runs the pod's container, as a kubelet would, with the environment that the pod gives it."""
        container = pod["spec"]["containers"][0]
        given = {e["name"]: e.get("value", "127.0.0.1") for e in container.get("env", [])}
        given["SPARK_EXECUTOR_POD_NAME"] = pod["metadata"]["name"]
        given["SPARK_LOCAL_DIRS"] = "/tmp"
        env = {k: v for k, v in os.environ.items() if not k.startswith(("PYSPARK_", "SPARK_CONF", "_PYSPARK"))}
        self.processes.append(subprocess.Popen([ENTRYPOINT, *container["args"]], env=env | given))
        self.run(pod["metadata"]["name"])

    def delete(self, name):
        with self.lock:
            pod = self.pods.pop(name, None)
            if pod:
                self.tell("DELETED", pod)

    def tell(self, kind, pod):
        event = json.dumps({"type": kind, "object": pod}).encode()
        for watcher in self.watchers:
            try:
                watcher(event)
            except OSError:  # it has hung up, as every watcher does at the end
                pass


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection to the API server."""

    protocol_version = "HTTP/1.1"
    cluster = None  # set by serve

    def log_message(self, *args):
        pass

    def name(self):
        parts = self.path.split("?")[0].strip("/").split("/")
        return parts[5] if len(parts) > 5 else None

    def is_pods(self):
        return "/pods" in self.path

    def answer(self, body, code=200):
        data = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def body(self):
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")

    def do_GET(self):
        if "watch=true" in self.path:
            return self.watch()
        pods = list(self.cluster.pods.values()) if self.is_pods() else []
        name = self.name()
        if name is None:
            kind = "PodList" if self.is_pods() else "List"
            return self.answer({
                "kind": kind, "apiVersion": "v1", "items": pods, "metadata": {"resourceVersion": str(self.cluster.version)}})
        found = self.cluster.pods.get(name)
        return self.answer(found or {"kind": "Status", "code": 404, "reason": "NotFound"}, 200 if found else 404)

    def do_POST(self):
        thing = self.body()
        if self.is_pods():
            self.answer(self.cluster.put(thing), 201)
            threading.Timer(0.1, self.cluster.start, [thing]).start()
            return
        thing.setdefault("metadata", {}).update(uid=str(uuid.uuid4()), resourceVersion="1")
        self.answer(thing, 201)

    def do_PATCH(self):
        self.body()
        self.answer(self.cluster.pods.get(self.name()) or {"kind": "Status", "status": "Success"})

    do_PUT = do_PATCH

    def do_DELETE(self):
        self.body()
        if self.is_pods() and self.name():
            self.cluster.delete(self.name())
        self.answer({"kind": "Status", "apiVersion": "v1", "status": "Success"})

    def watch(self):
        """Upgrades the connection to a WebSocket (RFC 6455) and sends events through it until the client is gone."""
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        if self.is_pods():
            self.cluster.watchers.append(self.send_frame)
        while self.rfile.read(1):
            pass
        self.close_connection = True

    def send_frame(self, data):
        size = bytes([len(data)]) if len(data) < 126 else b"\x7e" + len(data).to_bytes(2, "big")
        self.wfile.write(b"\x81" + size + data)
        self.wfile.flush()

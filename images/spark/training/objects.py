"""As much of an S3 object store as Hadoop's s3a:// talks to, in memory, for the training run of an image."""

import hashlib
import http.server
import re
import urllib.parse
import xml.sax.saxutils


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection to the object store. Keys are paths, bucket first."""

    protocol_version = "HTTP/1.1"
    objects = {}

    def log_message(self, *args):
        pass

    def parse(self):
        url = urllib.parse.urlsplit(self.path)
        return urllib.parse.unquote(url.path).lstrip("/"), urllib.parse.parse_qs(url.query, keep_blank_values=True)

    def answer(self, code, body=b"", **headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def xml(self, body):
        self.answer(200, b'<?xml version="1.0" encoding="UTF-8"?>' + body.encode(), Content_Type="application/xml")

    def body(self):
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self.headers.get("x-amz-content-sha256", "").startswith("STREAMING-"):
            return data
        plain, at = b"", 0
        while True:  # each chunk: its size in hexadecimal, perhaps a signature, its bytes
            end = data.index(b"\r\n", at)
            size = int(data[at:end].split(b";")[0], 16)
            if size == 0:
                return plain
            plain += data[end + 2:end + 2 + size]
            at = end + 2 + size + 2

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        key, query = self.parse()
        if "list-type" in query or "/" not in key:
            return self.list(key.rstrip("/"), query)
        data = self.objects.get(key)
        if data is None:
            return self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>", Content_Type="application/xml")
        headers = {"ETag": etag(data), "Last_Modified": "Thu, 01 Jan 2026 00:00:00 GMT", "Accept_Ranges": "bytes"}
        if self.command == "HEAD":
            self.send_response(200)
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(data)))
            return self.end_headers()
        wanted = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if not wanted:
            return self.answer(200, data, **headers)
        first, last = int(wanted[1]), min(int(wanted[2] or len(data)), len(data) - 1)
        return self.answer(206, data[first:last + 1], Content_Range=f"bytes {first}-{last}/{len(data)}", **headers)

    def list(self, bucket, query):
        prefix, delimiter = query.get("prefix", [""])[0], query.get("delimiter", [""])[0]
        keys, folders = [], set()
        for key in sorted(k[len(bucket) + 1:] for k in self.objects if k.startswith(f"{bucket}/{prefix}")):
            rest = key[len(prefix):]
            if delimiter and delimiter in rest:
                folders.add(prefix + rest.split(delimiter)[0] + delimiter)
            else:
                keys.append(key)
        items = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
            f"<ETag>{escape(etag(self.objects[f'{bucket}/{key}']))}</ETag><Size>{len(self.objects[f'{bucket}/{key}'])}</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents>" for key in keys)
        items += "".join(f"<CommonPrefixes><Prefix>{escape(p)}</Prefix></CommonPrefixes>" for p in sorted(folders))
        self.xml(
            f"<ListBucketResult><Name>{bucket}</Name><Prefix>{escape(prefix)}</Prefix><MaxKeys>1000</MaxKeys>"
            f"<KeyCount>{len(keys) + len(folders)}</KeyCount><IsTruncated>false</IsTruncated>{items}</ListBucketResult>")

    def do_PUT(self):
        key, data = self.parse()[0], self.body()
        source = self.headers.get("x-amz-copy-source")
        if source:
            data = self.objects[urllib.parse.unquote(source).lstrip("/")]
            self.objects[key] = data
            return self.xml(f"<CopyObjectResult><ETag>{escape(etag(data))}</ETag></CopyObjectResult>")
        self.objects[key] = data
        return self.answer(200, ETag=etag(data))

    def do_POST(self):
        key, query = self.parse()
        data = self.body().decode()
        if "delete" in query:
            gone = re.findall(r"<Key>(.*?)</Key>", data)
            for name in gone:
                self.objects.pop(f"{key.rstrip('/')}/{xml.sax.saxutils.unescape(name)}", None)
            return self.xml("<DeleteResult>" + "".join(f"<Deleted><Key>{n}</Key></Deleted>" for n in gone) + "</DeleteResult>")
        return self.answer(501)

    def do_DELETE(self):
        self.objects.pop(self.parse()[0], None)
        self.answer(204)


def etag(data):
    return f'"{hashlib.md5(data).hexdigest()}"'


def escape(text):
    return xml.sax.saxutils.escape(text)

"""Serves S3 with moto, and the same through a proxy that fails.

The proxy fails every request twice before it passes it on: once with 503 SlowDown, once by closing the connection. The
first answer of a GET that has a body of more than 64 KiB is cut in the middle, in addition.

Prints both addresses on a line of JSON, and ends with its standard input.
"""

import collections
import http.client
import http.server
import json
import os
import sys
import threading

os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION="eu-central-1")

import boto3
from moto.server import ThreadedMotoServer

SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    target = ("", 0)
    tries = collections.Counter()
    cut = set()
    lock = threading.Lock()

    def forward(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        key = (self.command, self.path)
        with Proxy.lock:
            Proxy.tries[key] += 1
            turn = Proxy.tries[key] % 3
        if turn == 1:
            self.send_response(503)
            self.send_header("content-length", str(len(SLOW_DOWN)))
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else SLOW_DOWN)
            return
        if turn == 2:
            self.close_connection = True
            return
        upstream = http.client.HTTPConnection(*self.target)
        upstream.request(self.command, self.path, body, dict(self.headers))
        answer = upstream.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        if answer.getheader("content-length") is None:
            self.send_header("content-length", str(len(content)))
        self.end_headers()
        if self.command == "GET" and len(content) > 65536:
            with Proxy.lock:
                first = key not in Proxy.cut
                Proxy.cut.add(key)
            if first:
                self.wfile.write(content[: len(content) // 2])
                self.close_connection = True
                return
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = forward

    def log_message(self, *_):
        pass


def main():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    Proxy.target = (host, port)
    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    proxy.daemon_threads = True
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    client = boto3.client("s3", endpoint_url=f"http://{host}:{port}")
    client.create_bucket(Bucket="recordings", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    print(json.dumps({"direct": f"http://{host}:{port}", "failing": "http://%s:%d" % proxy.server_address}), flush=True)
    sys.stdin.read()
    os._exit(0)


main()

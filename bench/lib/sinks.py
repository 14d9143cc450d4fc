"""What a mailing ends in: an HTTP or an SMTP server that takes all and counts it.

    python sinks.py http|smtp

Writes its port, and, when its input ends, {"calls": …, "recipients": …}.
"""

import json
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COUNTS = {"calls": 0, "recipients": 0}


class Sink:
    """One of them, in a process of its own: it takes no time from who sends.

    :param str kind: `http` (as SendGrid answers) or `smtp`
    """

    def __init__(self, kind):
        self.process = subprocess.Popen(
            [sys.executable, __file__, kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = int(self.process.stdout.readline())

    def count(self):
        """End it; return what it has counted."""
        out, _err = self.process.communicate("")
        return json.loads(out)


def serve_http():
    class Handler(BaseHTTPRequestHandler):
        """As SendGrid's Mail Send."""

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            COUNTS["calls"] += 1
            COUNTS["recipients"] += len(body["personalizations"])
            self.send_response(202)
            self.send_header("X-Message-Id", str(COUNTS["calls"]))
            self.end_headers()

        def log_message(self, *_args):
            """It says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def serve_smtp():
    from aiosmtpd.controller import Controller

    class Handler:
        """Takes every mail."""

        async def handle_DATA(self, _server, _session, envelope):
            COUNTS["calls"] += 1
            COUNTS["recipients"] += len(envelope.rcpt_tos)
            return "250 OK"

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    Controller(Handler(), hostname="127.0.0.1", port=port).start()
    return port


if __name__ == "__main__":
    print({"http": serve_http, "smtp": serve_smtp}[sys.argv[1]](), flush=True)
    sys.stdin.read()
    print(json.dumps(COUNTS), flush=True)

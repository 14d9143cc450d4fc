"""An Odoo server of a bench's own, and somebody who is signed in to it."""

import os
import re
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import requests


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


#: Odoo's own words on a request: statements, seconds in them, other seconds.
REQUEST = re.compile(r'"POST (?P<route>\S+) .* (\d+) (?P<sql>[\d.]+) (?P<rest>[\d.]+)$')


class Server:
    """Odoo as it runs in production, in one process, on the loopback.

    Its log is there while it runs, and tells what each request cost.

    :param str database: its name
    :param options: further ones of `odoo server`
    """

    def __init__(self, database, *options):
        self.database = database
        self.options = options
        self.port = free_port()

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="bench")
        self.log = Path(self.folder.name) / "odoo.log"
        self.process = subprocess.Popen(
            [
                *(os.environ["EASYCRM_ODOO"], "server", "-d", self.database),
                *("--http-interface=127.0.0.1", f"--http-port={self.port}"),
                *(f"--gevent-port={free_port()}", "--log-level=warn", *self.options),
                *("--log-handler=werkzeug:INFO", f"--logfile={self.log}"),
            ]
        )
        try:
            self._await(f"http://127.0.0.1:{self.port}/web/health")
        except BaseException:
            self.__exit__()
            raise
        return self

    def _await(self, url):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                requests.get(url, timeout=60)
                return
            except requests.ConnectionError:
                time.sleep(0.1)
        raise RuntimeError("The Odoo server does not answer.")

    def __exit__(self, *_exc):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()

    def read_requests(self):
        """Return [(route, milliseconds within the server)] of all requests so far."""
        lines = (REQUEST.search(line) for line in self.log.read_text().splitlines())
        return [
            (line["route"], 1000 * (float(line["sql"]) + float(line["rest"])))
            for line in lines
            if line
        ]


class Session:
    """Somebody who is signed in, as a browser is."""

    def __init__(self, server, login, password):
        self.server = server
        self.http = requests.Session()
        self.post(
            "/web/session/authenticate",
            db=server.database,
            login=login,
            password=password,
        )

    def post(self, route, **params):
        """Call a JSON route; return its result.

        :raise RuntimeError: it answered with an error
        """
        answer = self.http.post(
            f"http://127.0.0.1:{self.server.port}{route}",
            json={"jsonrpc": "2.0", "params": params},
            timeout=60,
        ).json()
        if "error" in answer:
            raise RuntimeError(answer["error"]["data"].get("debug"))
        return answer["result"]

    def call(self, model, method, *args, **kwargs):
        """Call a method, the way the web client does."""
        return self.post(
            f"/web/dataset/call_kw/{model}/{method}",
            model=model,
            method=method,
            args=args,
            kwargs=kwargs,
        )

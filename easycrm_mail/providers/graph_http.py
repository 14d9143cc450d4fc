"""HTTP with an end, for Microsoft's services.

Nothing is repeated, and no redirect is followed: neither a token nor a client secret
goes to another host.
"""

import contextlib
import socket
import threading

import requests
from requests.adapters import HTTPAdapter
from urllib3.poolmanager import PoolManager

from .bounded import Bounded


class BoundedSession(Bounded, requests.Session):
    """A session whose calls end, used by one thread at a time.

    :param timeout: seconds to wait for any one answer, or more of it
    """

    def __init__(self, timeout: float):
        super().__init__()
        self.timeout = timeout
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()
        adapter = _Adapter(self._watch)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    def request(self, method, url, **kwargs):
        """As `requests` has it."""
        self.check_time()
        kwargs.setdefault("timeout", self.timeout)
        kwargs["allow_redirects"] = False
        return super().request(method, url, **kwargs)

    def _watch(self, opened: socket.socket) -> None:
        with self._lock:
            # (forget those that are closed)
            self._sockets = {one for one in self._sockets if one.fileno() >= 0}
            self._sockets.add(opened)
        self._expire()

    def cut(self) -> None:
        """Shuts the sockets."""
        with self._lock:
            for one in self._sockets:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)


class _Adapter(HTTPAdapter):
    """Tells of the sockets that it opens."""

    def __init__(self, watch):
        self._watch = watch
        super().__init__(pool_maxsize=1)

    def send(self, request, **kwargs):
        response = super().send(request, **kwargs)
        # urllib3 1.26, which Odoo pins, takes half a body for a whole.
        response.raw.enforce_content_length = True
        return response

    def init_poolmanager(self, connections, maxsize, block=False, **kwargs):
        self.poolmanager = _watched(PoolManager, self._watch)(
            num_pools=connections, maxsize=maxsize, block=block, **kwargs
        )


def _watched(manager: type[PoolManager], watch) -> type[PoolManager]:
    class Watched(manager):
        def _new_pool(self, scheme, host, port, request_context=None):
            pool = super()._new_pool(scheme, host, port, request_context)

            class Connection(pool.ConnectionCls):
                def connect(self):
                    result = super().connect()
                    watch(self.sock)
                    return result

            pool.ConnectionCls = Connection
            return pool

    return Watched

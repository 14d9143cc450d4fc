"""HTTP with an end, for Microsoft's services.

`requests` bounds the wait for each byte, not the call: a server that sends one now and
then would hold it for ever. Here a timer shuts the sockets. Nothing is repeated, and no
redirect is followed: neither a token nor a client secret goes to another host.
"""

import contextlib
import socket
import threading
from collections.abc import Iterator

import requests
from requests.adapters import HTTPAdapter
from urllib3.poolmanager import PoolManager


class Overdue(Exception):
    """The time of a call was over before it ended."""


class BoundedSession(requests.Session):
    """A session whose calls end, used by one thread at a time.

    :param timeout: seconds to wait for any one answer, or more of it
    """

    def __init__(self, timeout: float):
        super().__init__()
        self.timeout = timeout
        self._sockets: set[socket.socket] = set()
        self._is_expired = False
        self._lock = threading.Lock()
        adapter = _Adapter(self._watch)
        self.mount("https://", adapter)
        self.mount("http://", adapter)

    @contextlib.contextmanager
    def bounded(self, seconds: float) -> Iterator[None]:
        """What is done within ends in time, with `Overdue` where it had to be cut."""
        self._is_expired = False
        timer = threading.Timer(max(seconds, 0), self._expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        except Exception:
            if self._is_expired:
                raise Overdue from None
            raise
        finally:
            timer.cancel()

    def request(self, method, url, **kwargs):
        """As `requests` has it."""
        if self._is_expired:
            raise Overdue
        kwargs.setdefault("timeout", self.timeout)
        kwargs["allow_redirects"] = False
        return super().request(method, url, **kwargs)

    def _watch(self, opened: socket.socket) -> None:
        with self._lock:
            # (forget those that are closed)
            self._sockets = {one for one in self._sockets if one.fileno() >= 0}
            self._sockets.add(opened)
        if self._is_expired:
            self._expire()

    def _expire(self) -> None:
        self._is_expired = True
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

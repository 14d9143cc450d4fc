"""Chromium without a window, driven by its DevTools protocol."""

import base64
import contextlib
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Self

import websocket

from ..console import Failure

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SWITCHES = (
    "--headless=new",
    "--no-sandbox",  # root has none
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-extensions",
    "--disable-background-networking",
    "--no-first-run",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
    "--disable-lcd-text",
    "--lang=en-US",
    "--remote-debugging-port=0",
)
SECONDS = 60
STEADY = 0.4  # seconds between two looks that must be alike

# Runs before the page's own code: what moves stands still, and nothing blinks.
STILL = """
    const style = document.createElement("style");
    style.textContent = `*, *::before, *::after {
        animation: none !important; transition: none !important;
        caret-color: transparent !important; scroll-behavior: auto !important;
    }`;
    new MutationObserver((_, observer) => {
        if (document.head) { document.head.append(style); observer.disconnect(); }
    }).observe(document, {childList: true, subtree: true});
"""
FIND = """
    [...document.querySelectorAll(%s)].find(
        (one) => one.checkVisibility() && one.textContent.includes(%s))
"""
SIGN_IN = """
    (async () => {
        const answer = await fetch("/web/session/authenticate", {
            method: "POST",
            headers: {"Content-Type": "application/json"},
            body: JSON.stringify({params: %s}),
        });
        return Boolean((await answer.json()).result?.uid);
    })()
"""
QUIET = """
    document.fonts.status === "loaded"
    && [...document.images].every((one) => one.complete)
    && !document.querySelector(".o_loading_indicator, .o_blockUI, .o_view_sample_data")
"""


class Browser:
    """One page of one Chromium.

    :param base: what the paths of `open` begin with
    :param database: that Odoo there serves
    :param zone: the clock that pages see
    """

    def __init__(self, base: str, database: str, zone: str):
        self.base, self.database, self.zone = base, database, zone
        self._number = 0
        self._held_at = (0.0, 0.0)
        self._held = contextlib.ExitStack()

    def __enter__(self) -> Self:
        program = next(filter(None, map(shutil.which, PROGRAMS)), None)
        if not program:
            raise Failure("There is no Chromium here.", todo="install Chromium")
        with contextlib.ExitStack() as held:
            folder = Path(
                held.enter_context(
                    tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
                )
            )
            process = subprocess.Popen(
                [program, *SWITCHES, f"--user-data-dir={folder}", "about:blank"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            held.callback(_end, process)
            self._socket = websocket.create_connection(
                _find_page(folder, process), timeout=SECONDS, suppress_origin=True
            )
            held.callback(self._socket.close)
            self._call("Page.enable")
            self._call("Page.addScriptToEvaluateOnNewDocument", source=STILL)
            self._call("Emulation.setTimezoneOverride", timezoneId=self.zone)
            still = [{"name": "prefers-reduced-motion", "value": "reduce"}]
            self._call("Emulation.setEmulatedMedia", features=still)
            self._held = held.pop_all()
        return self

    def __exit__(self, *_exc) -> None:
        self._held.close()

    # --- what a person does ---

    def sign_in(self, login: str) -> None:
        """As somebody of the demo, whose password is the login."""
        self._call("Network.clearBrowserCookies")
        self.open("/web/login")
        words = {"db": self.database, "login": login, "password": login}
        if not self.ask(SIGN_IN % json.dumps(words)):
            raise Failure(f"{login} cannot sign in to {self.base}.")

    def resize(self, width: int, height: int) -> None:
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 768,
        )

    def open(self, path: str) -> None:
        self._call("Page.navigate", url=self.base + path)
        # (the old document is ready, too)
        self._until(f"location.href !== 'about:blank' && {self._is_at(path)}", path)

    def wait(self, selector: str, text: str = "") -> None:
        """Until such an element is to be seen, with this text in it."""
        wanted = f"Boolean({_find(selector, text)})"
        self._until(wanted, f"{selector} “{text}”" if text else selector)

    def click(self, selector: str, text: str = "") -> None:
        self.wait(selector, text)
        self.ask(f"{_find(selector, text)}.click()")

    def drag(self, selector: str, text: str, onto: str, name: str) -> None:
        """Drags one thing over another, and holds it there until `drop`."""
        self.wait(selector, text)
        self.wait(onto, name)
        start, end = (self._middle(*what) for what in ((selector, text), (onto, name)))
        self._mouse("mousePressed", *start, buttons=1)
        for part in (0.1, 0.5, 0.9, 1):
            x, y = (a + (b - a) * part for a, b in zip(start, end, strict=True))
            self._mouse("mouseMoved", x, y, buttons=1)
        self._held_at = end

    def drop(self) -> None:
        self._mouse("mouseReleased", *self._held_at)

    def scroll_to(self, selector: str, below: int = 0) -> None:
        """Brings it to the top of what scrolls, or so many pixels below."""
        self.wait(selector)
        found = _find(selector, "")
        self.ask(f"{found}.style.scrollMarginTop = '{below}px'")
        self.ask(f"{found}.scrollIntoView({{block: 'start'}})")

    def picture(self) -> bytes:
        """The page as PNG, once it stands still."""
        self._until(QUIET, "a quiet page")
        end = time.monotonic() + SECONDS
        before = b""
        while time.monotonic() < end:
            now = base64.b64decode(self._call("Page.captureScreenshot")["data"])
            if now == before:
                return now
            before = now
            time.sleep(STEADY)
        raise Failure("The page does not come to rest.", why=self.ask("location.href"))

    def ask(self, script: str):
        """The value of an expression in the page, also of a promise.

        :raise Failure: it throws
        """
        answer = self._call(
            "Runtime.evaluate",
            expression=script,
            returnByValue=True,
            awaitPromise=True,
            userGesture=True,
        )
        if "exceptionDetails" in answer:
            raise Failure(
                "The page threw an error.", why=json.dumps(answer["exceptionDetails"])
            )
        return answer["result"].get("value")

    # --- within ---

    def _is_at(self, path: str) -> str:
        return (
            "document.readyState === 'complete' "
            f"&& location.pathname.startsWith({json.dumps(path.split('?')[0])})"
        )

    def _middle(self, selector: str, text: str) -> tuple[float, float]:
        place = self.ask(
            f"(({{x, y, width, height}}) => [x + width / 2, y + height / 2])"
            f"({_find(selector, text)}.getBoundingClientRect())"
        )
        return place[0], place[1]

    def _mouse(self, kind: str, x: float, y: float, **params) -> None:
        params |= {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}
        self._call("Input.dispatchMouseEvent", **params)

    def _until(self, condition: str, what: str) -> None:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            # (while a page is left, there is none to ask)
            with contextlib.suppress(Failure):
                if self.ask(condition):
                    return
            time.sleep(0.1)
        where = self.ask("location.href + '\\n' + document.body.innerText")
        raise Failure(f"Not to be seen after {SECONDS} s: {what}", why=where[:2000])

    def _call(self, method: str, **params) -> dict:
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        self._socket.send(json.dumps(message))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") != self._number:
                continue  # an event
            if "error" in answer:
                raise Failure(f"Chromium: {method}", why=answer["error"]["message"])
            return answer["result"]


def _find(selector: str, text: str) -> str:
    return FIND.strip() % (json.dumps(selector), json.dumps(text))


def _find_page(folder: Path, process: subprocess.Popen) -> str:
    """The address of the first page's socket, once Chromium has written its port."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError, ValueError, StopIteration):
            port = (folder / "DevToolsActivePort").read_text().split()[0]
            return _ask_page(int(port))
        time.sleep(0.1)
    raise Failure("Chromium did not start.")


def _ask_page(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
        pages = json.load(answer)
    return next(one["webSocketDebuggerUrl"] for one in pages if one["type"] == "page")


def _end(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

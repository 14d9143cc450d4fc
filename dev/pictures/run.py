"""`make pictures`: a clone of the demo, more mailboxes, a browser that looks."""

import contextlib
import io
import json
import os
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from PIL import Image, ImageChops

from .. import databases, odoo
from ..console import Failure, Steps, last_lines
from ..demo import run as demo
from ..demo.mailbox import Mailbox
from ..paths import LOGS, ROOT
from ..postgres import Server
from ..testing import free_port
from .browser import Browser
from .office import Office
from .scenes import SCENES, Scene

DOCS = ROOT / "docs"
ZONE = "Europe/Berlin"
LARGEST = 150_000
"""Bytes of a picture: they are in the repository, and every clone has them."""


def run(steps: Steps, start_server: Callable[[Steps], Server], only: str = "") -> int:
    scenes = [scene for scene in SCENES if only in scene.name]
    if not scenes:
        names = ", ".join(scene.name for scene in SCENES)
        raise Failure(f"There is no picture “{only}”.", todo=f"P is one of: {names}")
    with databases.try_lock("run") as is_alone, contextlib.ExitStack() as started:
        if not is_alone:
            raise Failure(
                "`make run` of this checkout is running, and its database in use.",
                todo="stop it with Ctrl-C first",
            )
        _run(steps, start_server, scenes, started)
    return 0


def _run(
    steps: Steps,
    start_server: Callable[[Steps], Server],
    scenes: list[Scene],
    started: contextlib.ExitStack,
) -> None:
    """Starts one after the other; `started` stops them in the opposite order."""
    server = start_server(steps)
    started.callback(server.stop)
    steps.begin("Demo mailbox")
    mailbox = Mailbox()
    started.callback(mailbox.stop)
    mailbox.start()
    mailbox.deliver_due()
    steps.end(f"on {mailbox.address}")
    source = demo.prepare(steps, mailbox, "imap")
    steps.begin("Office mailboxes")
    name = started.enter_context(databases.temporary(source, "pictures"))
    office = started.enter_context(Office(datetime.now(ZoneInfo(ZONE))))
    os.environ.update(office.environment)
    _connect(name, office)
    steps.end("connected")
    steps.begin("Campaign")
    _send_campaign(name)
    steps.end("sent, and told of")
    steps.begin("Odoo")
    port = free_port()
    # What cron jobs would do meanwhile would be another picture every time.
    process = demo.start_odoo(name, port, "--max-cron-threads=0")
    started.callback(demo.end, process)
    demo.wait_for(process, port)
    steps.end("running")
    steps.begin("Pictures")
    with Browser(f"http://{demo.HOST}:{port}", name, ZONE) as browser:
        words = [_take(browser, scene, steps) for scene in scenes]
    steps.end(", ".join(words))


def _connect(name: str, office: Office) -> None:
    log = LOGS / "pictures-office.log"
    wanted = {"zone": ZONE, **office.account}
    script = demo.INSIDE / "pictures.py"
    if odoo.run_script(name, script, log, arguments=(json.dumps(wanted),)):
        raise Failure(
            "The office's mailboxes could not be connected.",
            why=last_lines(log),
            todo=f"see {log}",
        )


def _send_campaign(name: str) -> None:
    log = LOGS / "pictures-campaign.log"
    if odoo.run_script(name, demo.INSIDE / "campaign.py", log):
        raise Failure(
            "The campaign could not be sent.", why=last_lines(log), todo=f"see {log}"
        )


def _take(browser: Browser, scene: Scene, steps: Steps) -> str:
    """Takes one picture; gives its name and size for the eye."""
    steps.progress(scene.name)
    browser.resize(scene.width, scene.height)
    browser.sign_in(scene.login)
    scene.play(browser)
    picture = _shrink(browser.picture())
    if len(picture) > LARGEST:
        raise Failure(f"{scene.name}.png has {len(picture)} bytes: show less of it.")
    path = DOCS / f"{scene.name}.png"
    if not path.exists() or _differ(path.read_bytes(), picture):
        path.write_bytes(picture)
    return f"{scene.name} {len(picture) // 1000} kB"


def _shrink(raw: bytes) -> bytes:
    """The picture with 256 colours: what screens show has few more."""
    with Image.open(io.BytesIO(raw)) as picture:
        few = picture.convert("RGB").quantize(
            256, Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE
        )
    buffer = io.BytesIO()
    few.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _differ(one: bytes, other: bytes) -> bool:
    """Whether two pictures show something else, however they are packed."""
    first, second = (Image.open(io.BytesIO(raw)).convert("RGB") for raw in (one, other))
    return (
        first.size != second.size
        or ImageChops.difference(first, second).getbbox() is not None
    )

"""The first sync of a mailbox, end to end, beside Odoo's fetchmail and `mbsync`.

5,000 mails of 2-60 kB on a Dovecot on this machine, 5,000 contacts known:

- ours: the account is started; an Odoo server's own cron reads, parses, matches and
  stores; the time ends when the mailbox is settled;
- peer: Odoo's fetchmail (IMAP) on the same mailbox, each mail a lead; fewer of them,
  since it is slow;
- floor: `mbsync` (Debian: isync) into an empty Maildir on the disk, with its defaults.

Then 100,000 small mails are read by one Odoo process, whose memory is watched: how much
it has at its peak above what it had while it was idle.
"""

import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

from lib.figures import add_result
from lib.mails import make_mail, make_small_mail
from lib.server import Server
from servers.dovecot import Dovecot

MAILS, PEER_MAILS, SMALL_MAILS, CONTACTS = (
    int(n)
    for n in os.environ.get("EASYCRM_BENCH_IMAP", "5000,60,100000,5000").split(",")
)
LOGINS = {"bench": "secret", "small": "secret"}
SECONDS = 1_200

MBSYNC = """\

IMAPAccount bench
Host 127.0.0.1
Port {port}
User bench
Pass secret
SSLType None
AuthMechs LOGIN

IMAPStore far
Account bench

MaildirStore near
Path {target}/
Inbox {target}/INBOX

Channel bench
Far :far:
Near :near:
Patterns INBOX
Create Near
SyncState *
"""


def fill(env):
    """Create the contacts, and let no other cron run."""
    Partner = env["res.partner"].with_context(tracking_disable=True)
    for start in range(0, CONTACTS, 1000):
        Partner.create(
            [
                {"name": f"Contact {n}", "email": f"contact{n}@bench.example"}
                for n in range(start, start + 1000)
            ]
        )
        env.cr.commit()
    names = ("ir_cron_email_sync", "ir_cron_email_backfill")
    ours = [env.ref(f"easycrm_mail.{name}").id for name in names]
    env.cr.execute("UPDATE ir_cron SET active = id = ANY(%s)", [ours])
    # the addresses of the contacts have been compared with the mail that is not here
    env.cr.execute("UPDATE easycrm_email_address SET look_again_at = NULL")
    env.cr.execute("DELETE FROM ir_cron_trigger")
    env.cr.commit()
    env.cr.execute("ANALYZE")
    env.cr.commit()


def deliver(server):
    rng = random.Random(19)
    size = 0
    for number in range(MAILS):
        raw = make_mail(rng, number, CONTACTS)
        size += len(raw)
        server.deliver("bench", raw)
    print(f"{MAILS:,} mails, {size / MAILS / 1000:.1f} kB on average", flush=True)
    for number in range(SMALL_MAILS):
        server.deliver("small", make_small_mail(number, CONTACTS))
    print(f"{SMALL_MAILS:,} small mails", flush=True)


def sync(env, server, login, mails):
    """Start an account and wait until its mailbox is read; return the seconds."""
    account = (
        env["easycrm.email.account"]
        .sudo()
        .create(
            {
                "email": f"{login}@own.example",
                "imap_host": server.host,
                "imap_port": server.port,
                "imap_security": "none",
                "imap_login": login,
                "imap_password": LOGINS[login],
                "sync_from": "2000-01-01",
            }
        )
    )
    env.cr.commit()
    start = time.perf_counter()
    account.action_sync_now()
    env.cr.commit()
    said = 0
    while not account.last_sync:
        seconds = time.perf_counter() - start
        if seconds > SECONDS or account.last_error:
            raise RuntimeError(account.last_error or "The sync takes too long.")
        if seconds > said + 10:
            said = seconds
            print(f"  {account.sync_done:,} after {seconds:.0f} s", flush=True)
        time.sleep(0.1)
        env.cr.rollback()
        env.invalidate_all()
    seconds = time.perf_counter() - start
    copies = env["easycrm.email.copy"].sudo()
    stored = copies.search_count([("account_id", "=", account.id)])
    assert stored == mails, f"{stored} of {mails} are here"
    print(f"ours: {stored:,} mails in {seconds:.1f} s", flush=True)
    return seconds


def fetchmail(env, server):
    """Return the mails a second of Odoo's own road."""
    fetcher = env["fetchmail.server"].create(
        {
            "name": "Bench",
            "server_type": "imap",
            "server": server.host,
            "port": server.port,
            "is_ssl": False,
            "user": "bench",
            "password": LOGINS["bench"],
            "object_id": env["ir.model"]._get_id("crm.lead"),
            "state": "done",
        }
    )
    env.cr.commit()
    before = env["crm.lead"].search_count([])
    start = time.perf_counter()
    fetcher._fetch_mail(batch_limit=PEER_MAILS)
    seconds = time.perf_counter() - start
    env.cr.rollback()
    made = env["crm.lead"].search_count([]) - before
    fetcher.unlink()  # else its own cron reads on during what follows
    env.cr.commit()
    print(f"fetchmail: {PEER_MAILS} mails in {seconds:.1f} s", flush=True)
    assert made > PEER_MAILS / 4, f"only {made} leads"  # answers join theirs
    return PEER_MAILS / seconds


def mbsync(server):
    """Return the mails a second of the floor."""
    with tempfile.TemporaryDirectory(prefix="bench", dir="/var/tmp") as name:
        return _mbsync(server, Path(name))


def _mbsync(server, folder):
    target = folder / "maildir"
    target.mkdir()
    config = folder / "mbsyncrc"
    config.write_text(MBSYNC.format(port=server.port, target=target))
    start = time.perf_counter()
    subprocess.run(["mbsync", "-q", "-c", str(config), "bench"], check=True)
    seconds = time.perf_counter() - start
    here = sum(
        1 for name in ("cur", "new") for _mail in (target / "INBOX" / name).iterdir()
    )
    assert here == MAILS, f"{here} of {MAILS} are here"
    print(f"mbsync: {here:,} mails in {seconds:.1f} s", flush=True)
    return MAILS / seconds


def read_memory(pid, what):
    """Return a figure of /proc/PID/status, in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) / 1024
    raise KeyError(what)


@contextmanager
def memory_watched(pid):
    """Give a dict that has `idle` and `peak` at the end, in MB."""
    memory = {"idle": read_memory(pid, "VmRSS")}
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak begins here
    stop = threading.Event()

    def watch():
        while not stop.wait(20):
            print(f"  {read_memory(pid, 'VmRSS'):.0f} MB", flush=True)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield memory
    finally:
        stop.set()
        thread.join()
    memory["peak"] = read_memory(pid, "VmHWM")


def main(env):
    memory_folder = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="bench", dir=memory_folder))
    try:
        with Dovecot(folder / "dovecot", LOGINS) as server:
            deliver(server)
            fill(env)
            with Server(env.cr.dbname, "--max-cron-threads=1"):
                ours = MAILS / sync(env, server, "bench", MAILS)
            # (without the server, which fetches attachments now)
            floor = mbsync(server)
            peer = fetchmail(env, server)
            add_result(
                "imap: the first sync of a mailbox; peer: fetchmail; floor: mbsync",
                ours,
                "mails/s",
                peer=peer,
                floor=floor,
                ratio=ours / peer,
            )
            print(f"{floor / ours:.2f} times slower than mbsync", flush=True)
            with Server(env.cr.dbname, "--max-cron-threads=1") as odoo:
                time.sleep(5)
                with memory_watched(odoo.process.pid) as memory:
                    seconds = sync(env, server, "small", SMALL_MAILS)
            add_result(
                f"imap: memory of {SMALL_MAILS:,} mails, peak; floor: idle",
                memory["peak"],
                "MB",
                floor=memory["idle"],
            )
            print(f"{SMALL_MAILS / seconds:,.0f} small mails/s", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


main(env)  # noqa: F821 (what an Odoo shell gives)

"""What a person sees of a command: numbered steps, and failures that say what to do."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TextIO


class Failure(Exception):
    """A step could not be done.

    :param what: what failed, in one sentence
    :param why: what the failing tool said
    :param todo: what the person can do about it
    """

    def __init__(self, what: str, why: str = "", todo: str = ""):
        super().__init__(what)
        self.what, self.why, self.todo = what, why, todo

    def __str__(self) -> str:
        parts = [self.what]
        if self.why:
            parts.append("\n".join(f"    | {line}" for line in self.why.splitlines()))
        if self.todo:
            parts.append(f"What to do: {self.todo}")
        return "\n".join(parts)


class Steps:
    """Prints `[3/8] PostgreSQL … running (15, socket)`.

    The counting goes on in the second process (see `__main__`), hence `done`.
    """

    def __init__(self, total: int, done: int = 0, out: TextIO = sys.stdout):
        self.total, self.number, self.out = total, done, out
        self._title = ""
        self._is_cut = False
        self._started = 0.0
        self._shown = 0

    def begin(self, title: str) -> None:
        self.number += 1
        self._title = f"[{self.number}/{self.total}] {title} … "
        self._started = time.monotonic()
        self._shown = 0
        self._is_cut = False
        self._print(self._title, end="")

    def progress(self, text: str) -> None:
        """Shows what is going on, in place; on a terminal only."""
        if self.out.isatty() and not self._is_cut:
            room = shutil.get_terminal_size().columns - len(self._title) - 1
            text = text[: max(room, 0)]
            self._print(f"\r{self._title}{text.ljust(self._shown)}", end="")
            self._shown = len(text)

    def say(self, text: str) -> None:
        """Prints something below the step, which is named again at its end."""
        if not self._is_cut:
            self._wipe()
            self._print("")
        self._is_cut = True
        self._print(text)

    def end(self, text: str) -> None:
        seconds = time.monotonic() - self._started
        if seconds >= 2:
            text += f" ({seconds:.0f} s)"
        self._wipe()
        self._print(self._title + text if self._is_cut else text)

    def _wipe(self) -> None:
        if self._shown:
            self._print(f"\r{self._title}{' ' * self._shown}\r{self._title}", end="")
        self._shown = 0

    def _print(self, text: str, end: str = "\n") -> None:
        print(text, end=end, file=self.out, flush=True)


def note(text: str) -> None:
    print(f"      {text}", flush=True)


def last_lines(log: Path, count: int = 15) -> str:
    if not log.exists():
        return ""
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])


def run(
    command: Sequence[str | Path],
    log: Path,
    what: str,
    todo: str = "",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str = "",
    on_line: Callable[[str], None] | None = None,
) -> None:
    """Runs a command, its output going to `log`; a failure shows the last lines."""
    if status(command, log, env=env, cwd=cwd, stdin=stdin, on_line=on_line):
        raise Failure(
            what,
            why=last_lines(log),
            todo=todo or f"the whole output is in {log}",
        )


def status(
    command: Sequence[str | Path],
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str = "",
    on_line: Callable[[str], None] | None = None,
) -> int:
    """Like `run`, and gives the exit status instead of judging it."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("w", encoding="utf-8", errors="replace") as output,
        subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=None if env is None else dict(env),
            cwd=cwd,
            encoding="utf-8",
            errors="replace",
        ) as process,
    ):
        try:
            process.stdin.write(stdin)
            process.stdin.close()
            for line in process.stdout:
                output.write(line)
                output.flush()
                if on_line:
                    on_line(line)
        except BaseException:
            process.terminate()
            raise
        return process.wait()

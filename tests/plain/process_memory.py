"""What a process uses of memory, as Linux tells it."""

import re


class Memory:
    """What a process has used at most since then, in MB above what it used then."""

    def __init__(self, pid):
        self._pid = pid
        with open(f"/proc/{pid}/clear_refs", "w") as refs:
            refs.write("5")
        self._idle = self._read("VmRSS")

    @property
    def peak(self):
        return self._read("VmHWM") - self._idle

    def _read(self, name):
        with open(f"/proc/{self._pid}/status") as status:
            return int(re.search(name + r":\s+(\d+) kB", status.read())[1]) / 1000

"""The machine's own Debian source with sid for its suite: no host is named here.

Both formats of apt are read: `deb` lines and deb822 stanzas.
"""

from pathlib import Path

APT = Path("/etc/apt")


def sid_sources(apt: Path = APT, codename: str = "") -> str:
    """The text of a `.sources` file that holds sid's main archive only.

    Security, updates, backports and other people's archives have no sid of Debian's: an
    entry counts only if its suite is the plain release and its components hold `main`.
    """
    suites = {codename, "stable", "oldstable", "testing", "trixie", "bookworm"}
    suites |= {"sid", "unstable"}
    stanzas: list[str] = []
    for path in _files(apt):
        text = path.read_text(errors="replace")
        read = _from_stanza if path.suffix == ".sources" else _from_line
        split = text.split("\n\n") if path.suffix == ".sources" else text.splitlines()
        for entry in split:
            stanza = read(entry, suites)
            if stanza and stanza not in stanzas:
                stanzas.append(stanza)
    return "\n\n".join(stanzas) + "\n" if stanzas else ""


def _files(apt: Path) -> list[Path]:
    found = [apt / "sources.list"]
    folder = apt / "sources.list.d"
    found += sorted([*folder.glob("*.list"), *folder.glob("*.sources")])
    return [path for path in found if path.is_file()]


def _from_stanza(entry: str, suites: set[str]) -> str:
    """One deb822 stanza; its other fields (a key, an architecture) are kept."""
    lines = [line for line in entry.splitlines() if not line.startswith("#")]
    fields: dict[str, list[str]] = {}
    name = ""
    for line in lines:
        if line[:1].isspace():
            fields.setdefault(name, []).append(line)
        elif ":" in line:
            name = line.split(":", 1)[0].strip().lower()
            fields[name] = [line]

    def words(field: str) -> list[str]:
        return " ".join(fields.get(field, [])).split(":", 1)[-1].split()

    if (
        "deb" not in words("types")
        or words("enabled") == ["no"]
        or not suites.intersection(words("suites"))
        or "main" not in words("components")
    ):
        return ""
    fields |= {
        "types": ["Types: deb"],
        "suites": ["Suites: sid"],
        "components": ["Components: main"],
    }
    return "\n".join(line for field in fields.values() for line in field)


def _from_line(entry: str, suites: set[str]) -> str:
    """One `deb [options] uri suite component…` line, as a stanza."""
    entry = entry.split("#", 1)[0].strip()
    if not entry.startswith(("deb ", "deb\t")):
        return ""
    rest = entry[3:].strip()
    options: list[str] = []
    if rest.startswith("["):
        inside, _, rest = rest[1:].partition("]")
        options = inside.split()
    uri, suite, *components = rest.split()
    if suite not in suites or "main" not in components:
        return ""
    lines = ["Types: deb", f"URIs: {uri}", "Suites: sid", "Components: main"]
    names = {"signed-by": "Signed-By", "trusted": "Trusted"}
    for option in options:
        key, _, value = option.partition("=")
        if key in names:
            lines.append(f"{names[key]}: {value}")
    return "\n".join(lines)

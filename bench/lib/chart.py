"""Lines over a logarithmic axis, as SVG: no library is worth it for one picture."""

import math

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 60, 170, 30, 50
COLOURS = ("#714b67", "#017e84", "#e46f78", "#8f8f8f", "#d9822b")


def draw(title, x_title, y_title, xs, series):
    """Return the picture.

    :param xs: what stands below, spaced by its logarithm
    :param dict series: {name: a value for each x}
    """
    top = _round_up(max(value for values in series.values() for value in values))
    spread = math.log10(xs[-1] / xs[0])

    def x_of(x):
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log10(x / xs[0]) / spread

    def y_of(y):
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * y / top

    parts = [_text(WIDTH / 2, 18, title, "middle", 14)]
    for step in range(5):
        y = top * step / 4
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y_of(y):.1f}"'
            f' y2="{y_of(y):.1f}" stroke="#ddd"/>'
        )
        parts.append(_text(LEFT - 8, y_of(y) + 4, f"{y:g}", "end"))
    for x in xs:
        parts.append(_text(x_of(x), HEIGHT - BOTTOM + 18, f"{x:,}", "middle"))
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(_text(middle, HEIGHT - 12, x_title, "middle"))
    parts.append(_text(8, TOP - 8, y_title, "start"))
    labels = _spread([y_of(values[-1]) for values in series.values()])
    for (name, values), colour, label in zip(
        series.items(), COLOURS, labels, strict=False
    ):
        points = [(x_of(x), y_of(y)) for x, y in zip(xs, values, strict=True)]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(
            f'<polyline points="{line}" fill="none" stroke="{colour}"'
            ' stroke-width="2"/>'
        )
        parts += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>'
            for x, y in points
        ]
        parts.append(_text(WIDTH - RIGHT + 10, label + 4, name, "start", 12, colour))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}"'
        f' font-family="sans-serif"><rect width="100%" height="100%" fill="white"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _text(x, y, text, anchor, size=12, colour="#333"):
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}"'
        f' text-anchor="{anchor}">{text}</text>'
    )


def _round_up(value):
    unit = 10 ** math.floor(math.log10(value))
    return next(unit * n for n in (1, 2, 4, 6, 8, 10) if unit * n >= value)


def _spread(ys, gap=15):
    """Push labels apart that would stand on each other."""
    placed = {}
    for index in sorted(range(len(ys)), key=ys.__getitem__):
        placed[index] = max(ys[index], max(placed.values(), default=-gap) + gap)
    return [placed[index] for index in range(len(ys))]

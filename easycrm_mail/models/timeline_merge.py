"""Two streams of a timeline, each read a page at a time, as one."""

from typing import NamedTuple


class Stream(NamedTuple):
    """The next rows of one kind, newest first.

    :ivar points: (date, id) of each, in the timeline's order
    :ivar end: the point up to which it was looked; None if nothing comes after it
    """

    points: list
    end: tuple | None


def merge(streams, limit):
    """Return the first rows of these streams, and where the next page begins.

    What is further back than any stream was looked at waits for the next page: there
    may be more of that stream before it.

    :return: the points, and the last one or None
    """
    points = sorted((p for stream in streams for p in stream.points), reverse=True)
    horizon = max((s.end for s in streams if s.end), default=None)
    if horizon:
        points = [point for point in points if point >= horizon]
    if len(points) > limit:
        return points[:limit], points[limit - 1]
    return points, horizon

"""What the benches share: percentiles, and where a figure goes."""

import json
import os
import time


def percentile(values, part):
    """Return the value that this part of the values does not exceed.

    :param float part: 0.95 for the p95
    """
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]


def timed(function, *args):
    """Call and return (milliseconds, result)."""
    start = time.perf_counter()
    result = function(*args)
    return (time.perf_counter() - start) * 1000, result


def add_result(name, ours, unit, *, peer=None, floor=None, ratio=None):
    """Print a figure and add it to the results."""
    result = {
        "name": name,
        "ours": ours,
        "peer": peer,
        "floor": floor,
        "ratio": ratio,
        "unit": unit,
    }
    print(f"=> {result}", flush=True)
    if target := os.environ.get("EASYCRM_BENCH_RESULTS"):
        with open(target, "a") as file:
            file.write(json.dumps(result) + "\n")

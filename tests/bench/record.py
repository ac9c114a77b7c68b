"""What a run has measured, kept in a file under what is known of the machine."""

import contextlib
import os
import pathlib
import time

COLUMNS = ["name", "value", "unit", "peer", "ratio", "values", "peers", "ratios", "rounds"]


def machine():
    model = "?"
    with contextlib.suppress(OSError, StopIteration):
        model = next(line.split(":")[1].strip()
                     for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                     if line.startswith("model name"))
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime())}, {os.cpu_count()} x {model}, load {load}"


def write(path, lines, before, after):
    """`lines`: texts with a value for each of COLUMNS, separated by tabs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([f"# before: {before}", f"# after: {after}", "\t".join(COLUMNS),
                               *lines]) + "\n")

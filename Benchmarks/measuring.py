"""CPU of processes, and load by wrk, for the benchmarks."""

import os
import pathlib
import re
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "Tests/Acceptance"))

from running import children


def cpu_nanoseconds(pids):
    """Exact time on a processor of all threads of the processes; threads that ended count with their process's clock."""
    total = 0
    for pid in pids:
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                total += int(pathlib.Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total


def tree_seconds(root):
    """Time on a processor, in clock ticks as seconds, of a process and all below it; those that ended count with who waited for them."""
    ticks = 0
    for pid in [root, *children(root)]:
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += sum(int(field) for field in fields[11:15])
        except (FileNotFoundError, ProcessLookupError):
            pass
    return ticks / os.sysconf("SC_CLK_TCK")


def peak_megabytes(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", text)[1]) / 1024


def run_wrk(url, seconds, script=None, connections=16):
    """Requests, errors, requests a second, p50 and p99 in microseconds."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script or ROOT / "Benchmarks/report.lua"), url]
    output = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60, check=True).stdout
    fields = dict(re.findall(r"^(\w+)=([\d.]+)$", output, re.M))
    return {key: float(value) for key, value in fields.items()}


def middle(values):
    return statistics.median(values)

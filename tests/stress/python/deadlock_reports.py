"""No deadlock is reported in programs that have none: the examples of the documentation, and stress programs.

Each runs in a process of its own, in which a thread looks for deadlocks all the time. n: runs. Prints the number of
runs, of looks and of reports. Fails if there is a report, or a program fails.
"""

import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from common import HERE, TESTS, feed_watchdog, rng, size
from sizes import SIZES
from support import environment

ROOT = Path(HERE).parents[2]
FENCE = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)
LEFT_OUT = re.compile(r"nats|deadlocks|SIGINT|_exit|input\(|numpy|inspect\(")
PROGRAMS = (
    "round_trips",
    "select_traffic",
    "soak",
    "value_kinds",
    "close_races",
    "timeouts",
)
TIMEOUT = 120  # seconds for one program


def programs(folder):
    """Return the command lines of all programs."""
    commands = [[f"{HERE}/{name}.py", str(max(1, SIZES[name].short // 10))] for name in PROGRAMS]
    commands.append([f"{HERE}/state_soak.py", str(SIZES["state_soak"].short)])  # fewer values say nothing about memory
    for page in sorted((ROOT / "docs").rglob("*.md")):
        for number, source in enumerate(FENCE.findall(page.read_text())):
            if not LEFT_OUT.search(source):
                script = folder / f"{page.stem}_{number}.py"
                script.write_text(source)
                commands.append([str(script)])
    return commands


def run(command, reports):
    """Run a program; return its error output if it failed."""
    places = os.pathsep.join((f"{HERE}/checker", TESTS))
    env = environment(
        PYTHONPATH=places + os.pathsep + environment()["PYTHONPATH"], XICHAN_DEADLOCK_REPORTS=str(reports)
    )
    try:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=reports.parent,  # an example may write a file
            env=env,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        return f"{command}: {error}"
    finally:
        feed_watchdog()
    return f"{command}: {done.stderr}" if done.returncode else None


def main():
    number = size()
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(2) as threads:
        folder = Path(name)
        reports = folder / "reports"
        reports.touch()
        commands = programs(folder)
        rng.shuffle(commands)
        chosen = list(itertools.islice(itertools.cycle(commands), number))
        failures = [failure for failure in threads.map(lambda command: run(command, reports), chosen) if failure]
        records = [json.loads(line) for line in reports.read_text().splitlines()]
    found = [record for record in records if "report" in record]
    looks = sum(record.get("looks", 0) for record in records)
    for record in found[:20]:
        print(record["program"], record["report"], file=sys.stderr)
    for failure in failures[:20]:
        print(failure, file=sys.stderr)
    assert not found and not failures and looks
    print(f"deadlock_reports: {number} runs of {len(commands)} programs, {looks} looks, 0 reports")


main()

"""The conditions of a measurement: versions, CPU, load, commit."""

import os
import pathlib
import platform
import subprocess
import sys
import time

import xichan


def describe():
    """Return the machine, the versions and the current load."""
    return {
        "time": time.strftime("%Y-%m-%d %H:%M:%S %z"),
        "command": " ".join(["python -m xichan.bench", *sys.argv[1:]]),
        "python": platform.python_version(),
        "build": platform.python_compiler(),
        "xichan": xichan.__version__,
        "commit": commit(),
        "system": f"{platform.system()} {'.'.join(platform.release().split('.')[:2])} {platform.machine()}",
        "libc": " ".join(platform.libc_ver()),
        "cpu": cpu_model(),
        "cpus": len(os.sched_getaffinity(0)),
        "load_before": os.getloadavg()[0],
    }


def headline(run):
    """Return the conditions of a run as one line."""
    return ", ".join(conditions(run).values())


def conditions(run):
    """Return the conditions of a run, each with a title."""
    about, options = run["environment"], run["options"]
    return {
        "Python": f"CPython {about['python']}",
        "xichan": f"xichan {about['xichan']} (commit {about['commit'] or 'unknown'})",
        "Machine": f"{about['cpus']} x {about['cpu']}, {about['system']}",
        "Load": f"load {about['load_before']:.1f} to {about.get('load_after', 0):.1f}",
        "Time": about["time"],
        "Rounds": f"{options['rounds']} interleaved rounds of {options['seconds']:g} s",
    }


def cpu_model():
    """Return the model name of the CPU."""
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"


def commit():
    """Return the commit that a wheel was built from, else that of the checkout that contains the current directory.

    None if neither is known.
    """
    try:
        return pathlib.Path(xichan.__file__).with_name("commit.txt").read_text(encoding="ascii").strip()
    except OSError:
        pass
    folder = next(
        (f for f in (pathlib.Path.cwd(), *pathlib.Path.cwd().parents) if (f / "include/xichan").is_dir()), None
    )
    if folder is None:
        return None
    found = [_git(folder, "rev-parse", "--short=12", "HEAD"), _git(folder, "status", "--porcelain", "-uno")]
    return None if found[0] is None else found[0] + ("+changes" if found[1] else "")


def _git(folder, *arguments):
    try:
        done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None

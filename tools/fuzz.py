"""The fuzzers of tests/fuzz: built with clang, run for a given time, with the coverage that they reached."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from . import build, system
from .console import BUILD, DevError, call, make_folder, output
from .counts import Counts, one

TARGETS = ("foreign", "round_trip")
SECONDS = 60  # per target; XICHAN_STRESS=N multiplies it
REPORTED = r".*(verify\w*|index\w*|block_reader|dump|flatten|text|utf8)\.(cpp|h)\b"  # files whose coverage is printed

PROBE = "int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }"


def works(compiler: str) -> bool:
    """Return True if a compiler exists and has libFuzzer and the sanitizers."""
    if shutil.which(compiler) is None:
        return False
    program = make_folder(BUILD / "fuzz-probe") / "program"
    options = ["-x", "c", "-fsanitize=fuzzer,address,undefined", "-o", program, "-"]
    return output([compiler, *options], text=PROBE) is not None


def require_clang() -> str:
    """Return a clang++ with libFuzzer, installed from Debian where that is possible."""
    names = ["clang++", *(f"clang++-{n}" for n in range(21, 13, -1))]
    found = next(filter(works, names), None)
    if found is None:
        system.install([("clang", "clang"), ("libFuzzer", "libclang-rt-dev"), ("LLVM's tools", "llvm")])
        found = next(filter(works, names), None)
    if found is None:
        raise DevError("no clang++ links with -fsanitize=fuzzer,address,undefined: install clang with its runtime")
    return found


def coverage(program: Path, profile: Path) -> None:
    """Print how much of the sources a run reached, if LLVM's tools can read its profile."""
    merged = profile.with_suffix(".profdata")
    if output(["llvm-profdata", "merge", "-sparse", profile, "-o", merged]) is None:
        print("no coverage report: llvm-profdata is missing or cannot read this profile")
        return
    report = output(["llvm-cov", "report", program, f"-instr-profile={merged}", "-show-branch-summary"]) or ""
    for line in report.splitlines():
        if line.startswith("Filename") or re.match(REPORTED, line):
            print(line)


def run(request, seconds=None) -> Counts:
    """Run each fuzzer for its time, or for `seconds`, at low priority; a finding is a failure."""
    compiler = require_clang()
    with build.lock_builds():
        folder = build.cmake(build.require_toolchain(compiler), "fuzz", "fuzz")
    seconds = seconds or SECONDS * max(1, int(os.environ.get("XICHAN_STRESS", "1")))
    found = Counts()
    for target in TARGETS:
        program = folder / "tests" / "fuzz" / f"fuzz_{target}"
        corpus = make_folder(BUILD / "fuzz-corpus" / target)
        profile = folder / f"{target}.profraw"
        if call([program, f"--seeds={corpus}"], cwd=folder):
            print(f"-- {target}: FAILED to write its seeds", flush=True)
            found += Counts(failed=1)
            continue
        options = [f"-max_total_time={seconds}", "-max_len=4096", "-use_value_profile=1", "-print_final_stats=1"]
        options += [f"-artifact_prefix={folder}/{target}-", "-verbosity=0", *request.extra]
        print(f"-- {target}, {seconds} s", flush=True)
        environment = {**os.environ, "LLVM_PROFILE_FILE": str(profile)}
        code = call(["nice", "-n", "19", program, *options, corpus], cwd=folder, env=environment)
        coverage(program, profile)
        found += one(code == 0)
    return found

"""The fuzzers of tests/fuzz: built with clang, run for a while, and what of the sources they reached."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from . import build, system
from .console import BUILD, DevError, call, make_folder, output
from .counts import Counts

TARGETS = ("foreign", "round_trip")
SECONDS = 60  # for each target; XICHAN_STRESS=N multiplies it
REPORTED = r".*(verify|block_reader|dump|flatten|text|utf8)\.(cpp|h)\b"  # whose coverage is shown

QUESTION = "int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }"


def works(compiler: str) -> bool:
    """Whether a compiler is there that has libFuzzer and the sanitizers."""
    if shutil.which(compiler) is None:
        return False
    program = make_folder(BUILD / "fuzz-question") / "program"
    options = ["-x", "c", "-fsanitize=fuzzer,address,undefined", "-o", program, "-"]
    return output([compiler, *options], text=QUESTION) is not None


def require_clang() -> str:
    """A clang++ with libFuzzer, installed from Debian if there is none and that is possible."""
    names = ["clang++", *(f"clang++-{n}" for n in range(21, 13, -1))]
    found = next(filter(works, names), None)
    if found is None:
        system.install([("clang with libFuzzer", "clang libclang-rt-dev llvm", False)])
        found = next(filter(works, names), None)
    if found is None:
        raise DevError("there is no clang++ that can link with -fsanitize=fuzzer,address,undefined")
    return shutil.which(found)


def coverage(program: Path, profile: Path) -> None:
    """Print how much of the sources a run has reached, if LLVM's tools are there."""
    merged = profile.with_suffix(".profdata")
    if output(["llvm-profdata", "merge", "-sparse", profile, "-o", merged]) is None:
        print("no llvm-profdata that reads this profile: no report of coverage")
        return
    report = output(["llvm-cov", "report", program, f"-instr-profile={merged}", "-show-branch-summary"]) or ""
    for line in report.splitlines():
        if line.startswith("Filename") or re.match(REPORTED, line):
            print(line)


def run(request) -> Counts:
    """Run each fuzzer for its time at low priority; one that finds something fails."""
    compiler = require_clang()
    with build.lock_builds():
        toolchain = system.require()
        toolchain = toolchain._replace(compiler=compiler, identity=toolchain.identity + compiler)
        settings = {
            "CMAKE_BUILD_TYPE": "Debug",
            "XICHAN_FUZZ": "ON",
            "XICHAN_FUZZ_COVERAGE": "ON",
            "XICHAN_INSTALL_CORE": "OFF",
        }
        folder = build.cmake(toolchain, "fuzz", settings)
    seconds = SECONDS * max(1, int(os.environ.get("XICHAN_STRESS", "1")))
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
        found += Counts(failed=1) if code else Counts(passed=1)
    return found

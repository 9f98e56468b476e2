"""The commands of ./dev."""

from __future__ import annotations

import argparse
import os
import sys

from . import bootstrap, build, console, cpython, nats, venv
from .console import BUILD, ROOT, DevError, call
from .runners import Request

VERSIONS = list(cpython.FIRST)
NEWEST = cpython.NEWEST


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    from . import parts, soak

    top = argparse.ArgumentParser(
        prog="./dev",
        description="Build, test and use xichan in this checkout. Each command installs and builds what it needs.",
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name, about, **options):
        return commands.add_parser(name, help=about, description=about[0].upper() + about[1:] + ".", **options)

    setup = command("setup", "install and build everything that the other commands use")
    setup.add_argument("versions", nargs="*", metavar="VERSION", help="Python versions (default: all available)")

    demo = command("demo", f"run docs/examples/stdlib_index.py with CPython {NEWEST}")
    demo.add_argument("arguments", nargs="*", metavar="ARG", help="arguments of the program")

    listing = "\n".join(
        f"  {name:8} {part.about}{'' if part.default else ' (only when named)'}" for name, part in parts.PARTS.items()
    )
    test = command(
        "test",
        "run the tests",
        epilog=f"parts:\n{listing}\n\nThe last line of the output is `N passed, N failed`, summed over all parts.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="./dev test [-h] [--only VERSION] [PART ...] [-- ARG ...]",
    )
    test.add_argument("parts", nargs="*", metavar="PART", help="parts to run (default: all that need not be named)")
    test.add_argument("--only", metavar="VERSION", choices=VERSIONS, default="", help="the only Python version to test")
    test.add_argument("extra", nargs="*", metavar="-- ARG", help="arguments of pytest and ctest, as in -- -k select -x")

    long = command("soak", "run the long form of models, fuzzers and stress programs for a number of minutes")
    long.add_argument("minutes", nargs="?", type=float, default=soak.MINUTES, help="default: %(default)s")
    long.add_argument("--only", metavar="VERSION", choices=VERSIONS, default="", help="the only Python version to use")

    bench = command(
        "bench",
        "run the benchmarks: xichan.bench, those of the C++ layers, or those of xichan.nats",
        usage="./dev bench [3.14|3.15] [ARG ...] | ./dev bench layers [ARG ...] | ./dev bench nats [ARG ...]",
    )
    bench.add_argument("arguments", nargs="*", metavar="ARG", help="its arguments; ./dev bench 3.14 --help lists them")

    command("docs", "build the documentation as a site in build/docs, and check it")
    wheel = command("wheel", "build the sdist and the wheels into build/dist")
    wheel.add_argument("versions", nargs="*", metavar="VERSION", help="Python versions (default: all)")

    style = command("lint", "check layout, style and spelling")
    style.add_argument("--fix", action="store_true", help="repair what the tools can repair")
    style.add_argument("files", nargs="*", metavar="FILE", help="files or folders to check (default: all)")

    python = command("python", "run Python with xichan importable", usage="./dev python [3.13|3.14|3.15] [ARG ...]")
    python.add_argument("arguments", nargs="*", metavar="ARG", help=f"arguments of Python (default: {NEWEST})")
    return top


def setup(versions) -> int:
    check_versions(versions)
    nats.forget_failure()
    for version in versions or cpython.available():
        build.require_python(version)
    build.require_cpp()
    console.step("setup is complete")
    return 0


def check_versions(versions):
    """Raise DevError if one of the arguments is not a Python version that xichan supports."""
    for version in versions:
        if version not in VERSIONS:
            raise DevError(f"no Python version {version!r}; there are: {', '.join(VERSIONS)}")


def execute(program, *arguments):
    """Replace this process by another program, which keeps its signals, streams and exit code."""
    command = [os.fspath(program), *map(os.fspath, arguments)]
    sys.stdout.flush()
    os.execv(command[0], command)


def split_version(arguments):
    """Return (the Python version that the arguments begin with or the newest one, the other arguments)."""
    if arguments and arguments[0] in VERSIONS:
        return arguments[0], arguments[1:]
    return NEWEST, arguments


def python(arguments):
    version, arguments = split_version(arguments)
    console.quiet = True
    execute(build.require_python(version), *arguments)


def demo(arguments):
    execute(build.require_python(NEWEST), ROOT / "docs" / "examples" / "stdlib_index.py", *arguments)


def bench_layers(arguments) -> int:
    build.require_cpp()
    folder = BUILD / "release" / "bench"
    programs = [file for file in sorted(folder.glob("bench_*")) if file.is_file() and os.access(file, os.X_OK)]
    if not programs:
        raise DevError(f"no benchmarks in {folder}")
    return max(call([program, *arguments]) for program in programs)


def bench_nats(arguments) -> int:
    build.require_cpp()
    lower_bound = BUILD / "release" / "bench" / "nats_lower_bound"
    if not lower_bound.exists():
        raise DevError("libnats was not found, so there is nothing to compare with: see the messages of ./dev setup")
    interpreter = build.require_python(NEWEST)
    bootstrap.pip_install(interpreter, [nats.CONTENDER], "nats-py", f"installing {nats.CONTENDER}")
    execute(interpreter, ROOT / "bench" / "compare_nats.py", lower_bound, *arguments)


def bench(arguments) -> int:
    if arguments[:1] == ["layers"]:
        return bench_layers(arguments[1:])
    if arguments[:1] == ["nats"]:
        return bench_nats(arguments[1:])
    version, arguments = split_version(arguments)
    interpreter = build.require_python(version)
    venv.add_peers(version)
    execute(interpreter, "-m", "xichan.bench", *arguments)


# Commands that pass all their arguments on: argparse would interpret the options among them.
PASSING = {"python": python, "demo": demo, "bench": bench}


def dispatch(argv) -> int:
    """Run one command; return its exit code."""
    if argv and argv[0] in PASSING and not (argv[0] != "python" and argv[1:2] in (["-h"], ["--help"])):
        arguments = argv[1:]
        if argv[0] != "python" and arguments[:1] == ["--"]:
            del arguments[0]
        return PASSING[argv[0]](arguments)
    if not argv:
        parser().print_help()
        return 2
    extra = []
    if argv[:1] == ["test"] and "--" in argv:
        split = argv.index("--")
        argv, extra = argv[:split], argv[split + 1 :]
    options = parser().parse_args(argv)
    if options.command == "setup":
        return setup(options.versions)
    if options.command == "test":
        from . import parts

        return parts.run(options.parts, Request(options.only, tuple(extra)))
    if options.command == "wheel":
        from . import wheels

        check_versions(options.versions)
        return wheels.main(options.versions)
    if options.command == "soak":
        from . import soak

        return soak.run(options.minutes, Request(options.only))
    if options.command == "docs":
        from . import site

        found = site.check()
        print(f"{found.passed} passed, {found.failed} failed; open {site.SITE / 'index.html'}")
        return 1 if found.failed else 0
    from . import lint

    found = lint.check(options.fix, options.files)
    print(f"{found.passed} passed, {found.failed} failed")
    return 1 if found.failed else 0

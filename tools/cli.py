"""The command line of ./dev."""

from __future__ import annotations

import argparse
import os
import sys

from . import build, console, cpython, lint, parts, venv
from .console import BUILD, ROOT, DevError, call

NEWEST = "3.14"  # the version that everything but the tests uses
VERSIONS = list(cpython.FIRST)


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(
        prog="./dev",
        description="Build, test and use xichan in this checkout. Each command sets up first what it needs.",
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name, about, **options):
        return commands.add_parser(name, help=about, description=about[0].upper() + about[1:] + ".", **options)

    setup = command("setup", "install and build everything that the other commands use")
    setup.add_argument("versions", nargs="*", metavar="VERSION", help="Python versions (default: all at hand)")

    demo = command("demo", f"run docs/examples/stdlib_index.py with CPython {NEWEST}")
    demo.add_argument("arguments", nargs="*", metavar="ARG", help="handed to the program")

    listing = "\n".join(
        f"  {name:8} {part.about}{'' if part.default else ' (only when named)'}" for name, part in parts.PARTS.items()
    )
    test = command(
        "test",
        "run the tests",
        epilog=f"parts:\n{listing}\n\nThe last line printed is `N passed, N failed`, summed over all parts.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="./dev test [-h] [--only VERSION] [PART ...] [-- ARG ...]",
    )
    test.add_argument("parts", nargs="*", metavar="PART", help="parts to run (default: all that need not be named)")
    test.add_argument("--only", metavar="VERSION", choices=VERSIONS, default="", help="the one Python version to test")
    test.add_argument("extra", nargs="*", metavar="-- ARG", help="handed to pytest and ctest, say -- -k select -x")

    bench = command(
        "bench",
        "run the benchmarks: xichan.bench, or those of the C++ layers",
        usage="./dev bench [3.14|3.15] [ARG ...] | ./dev bench layers [ARG ...]",
    )
    bench.add_argument("arguments", nargs="*", metavar="ARG", help="handed on; ./dev bench 3.14 --help shows them")

    style = command("lint", "check the style of the files")
    style.add_argument("--fix", action="store_true", help="mend what can be mended")
    style.add_argument("files", nargs="*", metavar="FILE", help="files or folders to check (default: all)")

    python = command("python", "run Python with xichan importable", usage="./dev python [3.13|3.14|3.15] [ARG ...]")
    python.add_argument("arguments", nargs="*", metavar="ARG", help=f"Python's own arguments (default: {NEWEST})")
    return top


def setup(versions) -> int:
    for version in versions or cpython.available():
        if version not in VERSIONS:
            raise DevError(f"no Python version {version!r}; there are: {', '.join(VERSIONS)}")
        build.require_python(version)
    build.require_cpp()
    console.step("all is set up")
    return 0


def execute(program, *arguments):
    """Become another program: its signals, streams and exit code are the caller's own."""
    command = [os.fspath(program), *map(os.fspath, arguments)]
    sys.stdout.flush()
    os.execv(command[0], command)


def split_version(arguments):
    """(the Python version that the arguments begin with, or else the newest; the other arguments)."""
    if arguments and arguments[0] in VERSIONS:
        return arguments[0], arguments[1:]
    return NEWEST, arguments


def python(arguments):
    version, arguments = split_version(arguments)
    console.quiet = True
    execute(build.require_python(version), *arguments)


def demo(arguments):
    program = ROOT / "docs" / "examples" / "stdlib_index.py"
    if not program.exists():
        raise DevError(f"there is no {program}")
    execute(build.require_python(NEWEST), program, *arguments)


def bench_layers(arguments) -> int:
    build.require_cpp()
    folder = BUILD / "cpp" / "bench"
    programs = [file for file in sorted(folder.glob("bench_*")) if file.is_file() and os.access(file, os.X_OK)]
    if not programs:
        raise DevError(f"there are no benchmarks in {folder}")
    return max(call([program, *arguments]) for program in programs)


def bench(arguments) -> int:
    if arguments[:1] == ["layers"]:
        return bench_layers(arguments[1:])
    version, arguments = split_version(arguments)
    interpreter = build.require_python(version)
    venv.add_peers(version)
    execute(interpreter, "-m", "xichan.bench", *arguments)


# Commands that hand their arguments on: argparse would take options out of them.
PASSING = {"python": python, "demo": demo, "bench": bench}


def dispatch(argv) -> int:
    """Run one command; its exit code."""
    if argv and argv[0] in PASSING and not (argv[0] != "python" and argv[1:2] in (["-h"], ["--help"])):
        arguments = argv[1:]
        if argv[0] != "python" and arguments[:1] == ["--"]:
            del arguments[0]
        return PASSING[argv[0]](arguments)
    extra = []
    if argv[:1] == ["test"] and "--" in argv:
        split = argv.index("--")
        argv, extra = argv[:split], argv[split + 1 :]
    options = parser().parse_args(argv)
    if options.command == "setup":
        return setup(options.versions)
    if options.command == "test":
        return parts.run(options.parts, parts.Request(options.only, extra))
    found = lint.check(options.fix, options.files)
    print(f"{found.passed} passed, {found.failed} failed")
    return 1 if found.failed else 0


def main() -> int:
    """Run, and say what went wrong in one message."""
    try:
        return dispatch(sys.argv[1:])
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 1
    except (DevError, OSError) as error:
        print(f"dev: {error}", file=sys.stderr)
        return 1

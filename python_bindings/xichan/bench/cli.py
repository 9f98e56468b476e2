"""The command line of ``python -m xichan.bench``."""

import argparse
import importlib.util
import sys

QUICK = {"rounds": 3, "seconds": 0.05, "budget": 45.0}
QUICK_CONTENDERS = (
    "xichan",
    "interpreters-queue",
    "simple-queue",
    "mp-simple-queue",
    "xichan-pool",
    "interpreter-pool",
)
FULL = {"rounds": 9, "seconds": 0.2, "budget": None}


def parser():
    """Return the argument parser."""
    top = argparse.ArgumentParser(
        prog="python -m xichan.bench",
        description="Compare xichan with other ways to pass values between interpreters, threads and processes.",
        epilog="A full run takes about a quarter of an hour, on a machine without other load.",
    )
    top.add_argument("--list", action="store_true", help="show the scenarios and the contenders")
    top.add_argument(
        "--scenario",
        action="append",
        default=[],
        metavar="PATTERN",
        help="run only these, such as one-way or 'fan-*/4'; repeatable; growth* and mixed* run only when named",
    )
    top.add_argument("--contender", action="append", default=[], metavar="NAME", help="run only these; repeatable")
    top.add_argument(
        "--contender-file",
        action="append",
        default=[],
        metavar="FILE",
        help="add a contender from a Python file like those in xichan/bench/contenders; repeatable",
    )
    top.add_argument("--quick", action="store_true", help="run a selection within 60 seconds")
    top.add_argument("--rounds", type=positive(int), metavar="N", help=f"number of rounds (default: {FULL['rounds']})")
    top.add_argument(
        "--seconds", type=positive(float), metavar="S", help=f"length of a round (default: {FULL['seconds']})"
    )
    top.add_argument(
        "--timeout",
        type=positive(float),
        default=60.0,
        metavar="S",
        help="seconds after which a contender that does not reply is killed (default: %(default)s)",
    )
    top.add_argument("--json", metavar="FILE", help="write the figures as JSON")
    top.add_argument("--targets", action="store_true", help="also report which targets of the project are reached")
    top.add_argument("--html", metavar="FILE", help="write a report with plots as one HTML file")
    top.add_argument("--plot", metavar="FILE", help="draw the plots (.png or .svg)")
    top.add_argument(
        "--markdown",
        metavar="FILE",
        help="write the tables between the marks of this Python version in FILE, and plots into images/ beside it",
    )
    top.add_argument(
        "--from", dest="source", metavar="FILE", help="report the figures in this file instead of measuring"
    )
    top.add_argument("--compare", nargs=2, metavar=("BEFORE", "AFTER"), help="compare two files written by --json")
    return top


def positive(number_type):
    """Return an argument type that accepts positive numbers."""

    def parse(text):
        value = number_type(text)
        if not 0 < value < float("inf"):
            raise ValueError
        return value

    parse.__name__ = f"positive {number_type.__name__}"
    return parse


def require(*modules):
    """Exit with a one-line message if modules of the extra are missing."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        sys.exit(f"xichan.bench needs {' and '.join(missing)}: pip install 'xichan[bench]'")


def main(arguments=None):
    """Run the command line; return the exit code."""
    options = parser().parse_args(arguments)
    try:
        return _main(options)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except (OSError, ValueError, LookupError) as error:
        print(f"xichan.bench: {error}", file=sys.stderr)
        return 2


def _main(options):
    if options.list:
        return show_list(options)
    require("rich")
    if options.html or options.plot or options.markdown:
        require("matplotlib", *(["jinja2"] if options.html else []))
    if options.compare:
        from xichan.bench import compare, results

        compare.show(*map(results.load, options.compare))
        return 0
    if options.source:
        from xichan.bench import results

        return report(results.load(options.source), options)
    if importlib.util.find_spec("concurrent.interpreters") is None:
        sys.exit("xichan.bench requires CPython 3.14 or later (concurrent.interpreters)")
    return measure(options)


def show_list(options):
    """Print the scenarios and the contenders."""
    from xichan.bench import contenders, scenarios

    print("scenarios (* in --quick; growth* and mixed* only when named):")
    for scenario in scenarios.ALL.values():
        print(f"  {'*' if scenario.quick else ' '} {scenario.name:22} {scenario.title}")
    print("\ncontenders:")
    for name in (*contenders.names(), *options.contender_file):
        contender = contenders.load(name)
        reason = contender.missing()
        state = f"missing: {reason}" if reason else contender.version() or ""
        print(f"    {name:22} {contender.title:32} {state}".rstrip())
    return 0


def chosen_contenders(options):
    """Return the names of the contenders to run. Raises LookupError for an unknown name."""
    from xichan.bench import contenders

    unknown = [name for name in options.contender if name not in contenders.names()]
    if unknown:
        raise LookupError(f"no contender is named {unknown[0]!r}; --list shows the contenders")
    names = options.contender or (QUICK_CONTENDERS if options.quick else contenders.names())
    for path in options.contender_file:
        contenders.load(path)
    return [*names, *options.contender_file]


def measure(options):
    """Run the chosen scenarios and report the figures; also report after an interrupt."""
    from xichan.bench import doubts, report_terminal, runner, scenarios

    defaults = QUICK if options.quick else FULL
    with (
        report_terminal.TerminalProgress() as progress,
        runner.Runner(
            scenarios.choose(options.scenario, options.quick),
            chosen_contenders(options),
            rounds=options.rounds or defaults["rounds"],
            seconds=options.seconds or defaults["seconds"],
            timeout=options.timeout,
            budget=defaults["budget"],
            progress=progress,
        ) as active,
    ):
        for doubt in doubts.doubts(active.run):
            progress.note(f"WARNING: {doubt}")
        try:
            interrupted = False
            active.measure()
        except KeyboardInterrupt:
            interrupted = True
    code = report(active.run, options)
    if interrupted:
        raise KeyboardInterrupt
    return code


def report(run, options):
    """Print the tables and write the requested files; return 1 if a contender failed or delivered a wrong value."""
    from xichan.bench import report_terminal, results

    report_terminal.show(run, with_targets=options.targets)
    if options.json:
        results.save(run, options.json)
    if options.html:
        from xichan.bench import report_html

        report_html.write(run, options.html, options.targets)
    if options.plot:
        from xichan.bench import report_plot

        report_plot.write(run, options.plot)
    if options.markdown:
        from xichan.bench import report_markdown

        report_markdown.write(run, options.markdown, options.targets)
    reasons = [reason for record in run["scenarios"].values() for reason in record["unavailable"].values()]
    return 1 if any(reason.startswith(("WRONG", "FAILED")) for reason in reasons) else 0

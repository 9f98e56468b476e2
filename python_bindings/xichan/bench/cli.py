"""The command line."""

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
    top = argparse.ArgumentParser(
        prog="python -m xichan.bench",
        description="Measure xichan beside what else carries values between interpreters, threads and processes.",
        epilog="A full run takes about a quarter of an hour. The machine should have nothing else to do.",
    )
    top.add_argument("--list", action="store_true", help="show the scenarios and the contenders")
    top.add_argument(
        "--scenario",
        action="append",
        default=[],
        metavar="PATTERN",
        help="only these, such as one-way or 'fan-*/4'; may be repeated; `growth*` are those that run only when named",
    )
    top.add_argument("--contender", action="append", default=[], metavar="NAME", help="only these; may be repeated")
    top.add_argument(
        "--peer",
        action="append",
        default=[],
        metavar="FILE",
        help="one more contender, from a Python file like those in xichan/bench/contenders",
    )
    top.add_argument("--quick", action="store_true", help="a first impression within 60 seconds")
    top.add_argument("--rounds", type=positive(int), metavar="N", help=f"rounds (default: {FULL['rounds']})")
    top.add_argument(
        "--seconds", type=positive(float), metavar="S", help=f"length of a round (default: {FULL['seconds']})"
    )
    top.add_argument(
        "--patience",
        type=positive(float),
        default=60.0,
        metavar="S",
        help="after so long a contender that does not answer is given up (default: %(default)s)",
    )
    top.add_argument("--json", metavar="FILE", help="write the figures")
    top.add_argument("--html", metavar="FILE", help="write a report with plots, one file")
    top.add_argument("--plot", metavar="FILE", help="draw the plots (.png or .svg)")
    top.add_argument(
        "--markdown",
        metavar="FILE",
        help="put the tables into this file, between the marks of this Python version, and plots into images/",
    )
    top.add_argument("--from", dest="source", metavar="FILE", help="do not measure, report on the figures in this file")
    top.add_argument(
        "--compare", nargs=2, metavar=("BEFORE", "AFTER"), help="what a change cost: two files written by --json"
    )
    return top


def positive(kind):
    """An argument type: a number above zero."""

    def parse(text):
        value = kind(text)
        if not 0 < value < float("inf"):
            raise ValueError
        return value

    parse.__name__ = f"positive {kind.__name__}"
    return parse


def need(*modules):
    """Exit with one line if what the extra brings is not there."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        sys.exit(f"xichan.bench needs {' and '.join(missing)}: pip install 'xichan[bench]'")


def main(arguments=None):
    """Run; the exit code."""
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
    need("rich")
    if options.html or options.plot or options.markdown:
        need("matplotlib", *(["jinja2"] if options.html else []))
    if options.compare:
        from xichan.bench import compare, results

        compare.show(*map(results.load, options.compare))
        return 0
    if options.source:
        from xichan.bench import results

        return report(results.load(options.source), options)
    if importlib.util.find_spec("concurrent.interpreters") is None:
        sys.exit("xichan.bench measures between interpreters, which came with CPython 3.14")
    return measure(options)


def show_list(options):
    from xichan.bench import contenders, scenarios

    print("scenarios (* in --quick; growth* only when named):")
    for scenario in scenarios.ALL.values():
        print(f"  {'*' if scenario.quick else ' '} {scenario.name:22} {scenario.title}")
    print("\ncontenders:")
    for name in (*contenders.names(), *options.peer):
        peer = contenders.load(name)
        reason = peer.missing()
        state = f"missing: {reason}" if reason else peer.version() or ""
        print(f"    {name:22} {peer.title:32} {state}".rstrip())
    return 0


def chosen_contenders(options):
    from xichan.bench import contenders

    unknown = [name for name in options.contender if name not in contenders.names()]
    if unknown:
        raise LookupError(f"no contender {unknown[0]!r}; --list shows them")
    names = options.contender or (QUICK_CONTENDERS if options.quick else contenders.names())
    for path in options.peer:
        contenders.load(path)
    return [*names, *options.peer]


def measure(options):
    from xichan.bench import report_terminal, runner, scenarios

    defaults = QUICK if options.quick else FULL
    with (
        report_terminal.Bar() as bar,
        runner.Runner(
            scenarios.choose(options.scenario, options.quick),
            chosen_contenders(options),
            rounds=options.rounds or defaults["rounds"],
            seconds=options.seconds or defaults["seconds"],
            patience=options.patience,
            budget=defaults["budget"],
            follower=bar,
        ) as work,
    ):
        try:
            interrupted = False
            work.go()
        except KeyboardInterrupt:
            interrupted = True
    code = report(work.run, options)
    if interrupted:
        raise KeyboardInterrupt
    return code


def report(run, options):
    """Show and write what was asked for; 1 if a contender delivered something wrong or failed."""
    from xichan.bench import report_terminal, results

    report_terminal.show(run)
    if options.json:
        results.save(run, options.json)
    if options.html:
        from xichan.bench import report_html

        report_html.write(run, options.html)
    if options.plot:
        from xichan.bench import report_plot

        report_plot.write(run, options.plot)
    if options.markdown:
        from xichan.bench import report_markdown

        report_markdown.write(run, options.markdown)
    reasons = [reason for record in run["scenarios"].values() for reason in record["unavailable"].values()]
    return 1 if any(reason.startswith(("WRONG", "FAILED")) for reason in reasons) else 0

"""The HTML report, the warnings and the targets, for runs that were made up: no test depends on speed."""

import html
import random
import re
import shutil
import subprocess
import sys

import pytest

pytest.importorskip("concurrent.interpreters")

from xichan.bench import cli, contenders, doubts, environment, headline, report_bars, results, scenarios  # noqa: E402

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)
needs_browser = pytest.mark.skipif(BROWSER is None, reason="Chromium is not installed")


# Every kind of chart, and the widest texts.
SOME = ("one-way/int", "values/dict20", "large/1m", "round-trip/busy", "pool/map", "pool/submit", "memory/int",
        "idle/1000", "fan-in/1", "fan-in/8")  # fmt: skip


def made_up(names=SOME, rounds=5, load=0.0, cpus=2, noise=0.1):
    """Return a run with a figure for every contender that takes part in each scenario."""
    chance = random.Random(7)
    every = [contenders.load(name) for name in contenders.names()]
    run = {
        "format": results.FORMAT,
        "environment": {**environment.describe(), "load_before": load, "load_after": load, "cpus": cpus},
        "options": {"rounds": rounds, "seconds": 0.2},
        "contenders": {
            one.name: {"title": one.title, "group": one.group, "version": one.version(), "place": one.place}
            for one in every
        },
        "missing": {"memhive": "its only release does not build"},
        "lower_bound": {"call": [2e-8] * rounds, "ring": [5e-8] * rounds, "ring trip": [3e-7] * rounds},
        "scenarios": {},
        "left_out": [],
    }
    for scenario in map(scenarios.ALL.get, names):
        run["scenarios"][scenario.name] = {
            "title": scenario.title,
            "unit": scenario.unit,
            "baseline": scenario.baseline,
            "lower_bound": 3e-8,
            "results": {
                one.name: [best * (1 + noise * i) for best in [10 ** chance.uniform(-7.5, -3)] for i in range(rounds)]
                for one in every
                if scenario.takes(one)
            },
            "unavailable": {"memhive": "a reason <with> markup & a very_long_word" + "_that_goes_on" * 30},
        }
    return run


@pytest.fixture
def write(tmp_path):
    """Return a function that writes the report of a run and returns its path."""

    def write(run, *options):
        results.save(run, tmp_path / "run.json")
        assert cli.main(["--from", str(tmp_path / "run.json"), "--html", str(tmp_path / "report.html"), *options]) == 0
        return tmp_path / "report.html"

    return write


def shown(text):
    """Return the text of a page without markup."""
    return html.unescape(re.sub(r"<style>.*?</style>|<[^>]*>", " ", text, flags=re.S))


def test_report_opens_with_the_headline_and_what_was_measured(write):
    text = shown(write(made_up()).read_text())
    order = ["an int, one way", "map of tiny tasks in a pool", "operations per second, logarithmic axis",
             "What was measured", "one way: int", "Lower bounds"]  # fmt: skip
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert "not measured" not in text and "Targets" not in text and "doubtful" not in text


def test_targets_are_shown_on_request_only(write, capsys):
    assert "NOT reached" not in write(made_up()).read_text() + capsys.readouterr().out
    page = write(made_up(), "--targets").read_text()
    wanted = "at least 18x" if sys.version_info < (3, 15) else "at least 12x"  # an int, by Python version
    assert 'id="targets"' in page and wanted in page
    assert "targets" in capsys.readouterr().out


def test_every_axis_is_labeled_and_states_its_scale(write):
    page = write(made_up()).read_text()
    charts = page.count('<div class="chart">')
    assert charts == len(SOME) + 1
    assert len(re.findall(r"(?:logarithmic|linear) axis; (?:longer|shorter) is better", page)) == charts
    assert page.count("logarithmic axis</text>") == page.count("<svg")  # of the lines


def test_report_without_headline_scenarios_is_written(write):
    text = write(made_up(["memory/int"])).read_text()
    assert "operations per second" not in text and "What was measured" in text


def test_report_of_a_run_without_figures_is_written(write):
    run = made_up(["one-way/int"])
    run["scenarios"]["one-way/int"]["results"] = {}
    assert "memhive: a reason &lt;with&gt; markup" in write(run).read_text()


def test_bar_ratio_and_spread_describe_the_best_round():
    run = made_up(["one-way/int"])
    record = run["scenarios"]["one-way/int"]
    record["results"] = {"xichan": [1e-7, 1.5e-7, 2e-7], "interpreters-queue": [4e-7, 5e-7, 6e-7]}
    chart = report_bars.of_scenario(run, record)
    ours, base = chart.groups[0][1]
    row = results.row(run, record, "xichan")
    assert (ours.best, ours.ratio) == (row.best, row.ratio) == ("10 M/s", "4x")
    assert row.spread == "75 %" and base.ratio == "1x"
    best, slow = chart.axis.position(1e7), chart.axis.position(1 / 1.75e-7)
    assert ours.length == best and ours.whisker == pytest.approx((slow, best - slow))


@pytest.mark.parametrize(
    "values, log, first, last",
    [([5, 100], True, "1", "100"), ([3, 20], False, "0", "20"), ([0.0], False, "0", "1"), ([0, 1e6], False, "0", "1M")],
)
def test_axis_is_logarithmic_for_wide_ranges(values, log, first, last):
    axis = report_bars.Axis(values, "label", "hint")
    assert axis.log == log and ("logarithmic" in axis.label) == log
    positions = [position for position, _ in axis.ticks]
    assert 2 <= len(positions) <= 6 and positions == sorted(positions) and 0 <= positions[0] < positions[-1] <= 100
    assert axis.ticks[0][1] == first and axis.ticks[-1][1] == last
    assert 0 <= axis.position(min(values)) <= axis.position(max(values)) <= 100


@pytest.mark.parametrize(
    "options, doubt",
    [
        ({"load": 1.6}, "The load was 1.6 on 2 CPUs before the run"),
        ({"cpus": 1}, "1 CPU: senders and receivers took turns"),
        ({"noise": 0.9}, "The rounds differ"),
    ],
)
def test_meaningless_runs_are_marked_in_every_report(options, doubt, write, capsys, tmp_path):
    run = made_up(["one-way/int", "one-way/float"], **options)
    assert [text for text in doubts.doubts(run) if text.startswith(doubt)]
    tables = tmp_path / "tables.md"
    version = ".".join(run["environment"]["python"].split(".")[:2])
    tables.write_text(f"<!-- bench {version} -->\n<!-- end of bench {version} -->\n")
    page = write(run, "--markdown", str(tables)).read_text()
    assert page.index("These figures are doubtful") < page.index('class="chart"') and doubt in page
    assert f"WARNING: {doubt}" in capsys.readouterr().out and doubt in tables.read_text()


def test_quiet_runs_are_not_marked():
    assert list(doubts.doubts(made_up())) == []


def test_scenarios_with_more_workers_than_cpus_are_marked(write):
    names = ["fan-in/1", "fan-in/4"]
    assert write(made_up(names)).read_text().count("More workers than CPUs") == 1
    assert write(made_up(names, cpus=64)).read_text().count("More workers than CPUs") == 0


def test_statements_compare_with_the_counterpart():
    run = made_up()
    found = list(headline.statements(run))
    assert [one.other for one in found] == ["concurrent.interpreters.Queue"] * 4 + ["InterpreterPoolExecutor"] * 2


def test_commit_of_a_wheel_precedes_that_of_the_current_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(environment.xichan, "__file__", str(tmp_path / "__init__.py"))
    (tmp_path / "commit.txt").write_text("0123456789ab\n")
    assert environment.commit() == "0123456789ab"


def measured(page, width, folder):
    """Show a page in a frame of a width; return (by how much it is too wide, what the console of the browser has)."""
    frame = html.escape(page, quote=True)
    (folder / "frame.html").write_text(
        f"""<!doctype html><iframe style="width: {width}px; height: 800px; border: 0" srcdoc="{frame}"></iframe>
<script>onload = () => {{
  const root = document.querySelector("iframe").contentDocument.documentElement;
  document.title = root.scrollWidth - root.clientWidth;
}}</script>"""
    )
    done = subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}",
         "--enable-logging=stderr", "--dump-dom", f"file://{folder / 'frame.html'}"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return int(re.search(r"<title>(\d+)</title>", done.stdout)[1]), re.findall(r".*CONSOLE.*", done.stderr)


@needs_browser
@pytest.mark.parametrize("width", [400, 1280])
def test_report_fits_the_screen_without_console_errors(width, write, tmp_path):
    """Also with the tables open."""
    page = write(made_up(load=3.0), "--targets").read_text().replace("<details>", "<details open>")
    assert measured(page, width, tmp_path) == (0, [])


@needs_browser
def test_browser_check_detects_faults(tmp_path):
    page = '<!doctype html><div style="width: 700px">wide</div><script>missing()</script>'
    excess, errors = measured(page, 400, tmp_path)
    assert excess >= 300 and "missing is not defined" in errors[0]

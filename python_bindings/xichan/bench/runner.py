"""A run: each contender in its own process, with interleaved rounds, so that drift affects all contenders alike."""

import os
import time

from xichan.bench import contenders, environment, lower_bound, results
from xichan.bench.processes import HostProcess, Lost

LOWER_BOUND_ROUNDS = 9
START_TIMEOUT = 60.0  # seconds, because all contenders start at the same time


class NullProgress:
    """Receives the progress of a run and ignores it; base class of those that show it."""

    def begin(self, scenarios):
        """Called when the run begins."""

    def scenario(self, scenario, steps):
        """Called when a scenario of `steps` steps begins."""

    def step(self, steps=1):
        """Called when `steps` more steps are done."""

    def note(self, text):
        """Called with a message for the user."""


class Runner:
    """Runs scenarios and collects the figures.

    Invariant: `self.run` is a complete record of everything measured so far.
    """

    def __init__(self, scenarios, contenders, *, rounds, seconds, timeout, budget=None, progress=None):
        self.scenarios = scenarios
        self.contenders = contenders
        self.rounds, self.seconds, self.timeout = rounds, seconds, timeout
        self.progress = progress or NullProgress()
        self.deadline = None if budget is None else time.monotonic() + budget
        self.hosts = {}
        self.run = {
            "format": results.FORMAT,
            "environment": environment.describe(),
            "options": {"rounds": rounds, "seconds": seconds},
            "contenders": {},
            "missing": {},
            "lower_bound": {},
            "scenarios": {},
            "left_out": [],
        }

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for name in list(self.hosts):
            self._end_host(name)
        self.run["environment"]["load_after"] = os.getloadavg()[0]

    def measure(self):
        """Measure everything; return the record."""
        self.progress.begin(self.scenarios)
        self._start_contenders()
        self._measure_lower_bound()
        for scenario in self.scenarios:
            if self._out_of_time():
                self.run["left_out"].append(scenario.name)
                continue
            self.run["scenarios"][scenario.name] = self._run_scenario(scenario)
        if self.run["left_out"]:
            self.progress.note(f"left out, out of time: {', '.join(self.run['left_out'])}")
        return self.run

    def _out_of_time(self):
        return self.deadline is not None and time.monotonic() > self.deadline

    def _start_contenders(self):
        """Start all needed contenders at the same time; record those that are missing."""
        wanted = [
            name
            for name in self.contenders
            if any(scenario.takes(contenders.load(name)) for scenario in self.scenarios)
        ]
        for name in wanted:
            self.hosts[name] = HostProcess(name)
        for name in wanted:
            contender = contenders.load(name)
            try:
                found = self.hosts[name].ask("hello", max(self.timeout, START_TIMEOUT))
            except Lost as error:
                found = {"missing": str(error)}
            if found.get("missing"):
                self.run["missing"][name] = found["missing"]
                self.progress.note(f"missing: {name}: {found['missing']}")
                self._end_host(name)
                continue
            self.run["contenders"][name] = {
                "title": contender.title,
                "group": contender.group,
                "place": contender.place,
                "version": found["version"],
            }

    def _measure_lower_bound(self):
        parts = lower_bound.parts(self.scenarios)
        seconds = self.seconds / 10
        for _ in range(min(self.rounds, LOWER_BOUND_ROUNDS)):
            for name, measure in parts.items():
                self.run["lower_bound"].setdefault(name, []).append(measure(seconds))
            if self._out_of_time():
                break

    def _run_scenario(self, scenario):
        names = [name for name in self.run["contenders"] if scenario.takes(contenders.load(name))]
        rounds = min(self.rounds, scenario.rounds or self.rounds)
        self.progress.scenario(scenario, len(names) * (rounds + 1))
        record = {
            "title": scenario.title,
            "unit": scenario.unit,
            "baseline": scenario.baseline,
            "lower_bound": lower_bound.of_scenario(scenario, self.run["lower_bound"]),
            "results": {},
            "unavailable": {},
        }
        present = []
        for name in names:
            if self._begin(scenario, name, record):
                present.append(name)
                self.progress.step()
            else:
                self.progress.step(rounds + 1)
        for number in range(rounds):
            if number and self._out_of_time():
                break
            turn = number % max(len(present), 1)
            for name in present[turn:] + present[:turn]:  # rotate, so that no contender is always first
                if name not in record["unavailable"]:
                    self._round(scenario, name, record, restart=scenario.fresh and number > 0)
                self.progress.step()
        for name in record["unavailable"]:
            record["results"].pop(name, None)
        return record

    def _begin(self, scenario, name, record):
        if scenario.fresh:
            self._end_host(name)
        return self._ask(name, record, "begin", scenario=scenario.name, seconds=self.seconds) is not None

    def _round(self, scenario, name, record, restart):
        if restart and not self._begin(scenario, name, record):
            return
        found = self._ask(name, record, "round", seconds=self.seconds)
        if found is not None:
            record["results"].setdefault(name, []).append(found["value"])

    def _ask(self, name, record, do, **arguments):
        """Return the reply of a contender; None after a failure, whose reason is added to the record."""
        try:
            if name not in self.hosts:
                self.hosts[name] = HostProcess(name)
            found = self.hosts[name].ask(do, self.timeout, **arguments)
        except Lost as error:
            self._end_host(name)
            found = {"error": str(error)}
        reason = found.get("unavailable")
        if "wrong" in found:
            reason = f"WRONG: {found['wrong']}"
            self._end_host(name)
        elif "error" in found:
            reason = f"FAILED: {found['error']}"
            self._end_host(name)
        if reason is None:
            return found
        record["unavailable"][name] = reason
        if reason.startswith(("WRONG", "FAILED")):
            self.progress.note(f"{name}: {reason}")
        return None

    def _end_host(self, name):
        host = self.hosts.pop(name, None)
        if host is not None:
            host.end()

"""A run: every contender in a process of its own, taking turns round by round, so that drift hits all alike."""

import os
import time

from xichan.bench import contenders, environment, lower_bound, results
from xichan.bench.processes import HostProcess, Lost

FLOOR_ROUNDS = 9
START_PATIENCE = 60.0  # seconds for all contenders to start at once


class Quiet:
    """Who follows a run; this one does nothing."""

    def begin(self, scenarios):
        """The run begins."""

    def scenario(self, scenario, steps):
        """A scenario begins, of so many steps."""

    def step(self, steps=1):
        """So many steps are done."""

    def note(self, text):
        """Something the user should know."""


class Runner:
    """Invariant: `self.run` is a whole record at any time, of what has been measured until then."""

    def __init__(self, scenarios, contenders, *, rounds, seconds, patience, budget=None, follower=None):
        self.scenarios = scenarios
        self.contenders = contenders
        self.rounds, self.seconds, self.patience = rounds, seconds, patience
        self.follower = follower or Quiet()
        self.deadline = None if budget is None else time.monotonic() + budget
        self.hosts = {}
        self.run = {
            "format": results.FORMAT,
            "environment": environment.describe(),
            "options": {"rounds": rounds, "seconds": seconds},
            "contenders": {},
            "missing": {},
            "floor": {},
            "scenarios": {},
            "left_out": [],
        }

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for name in list(self.hosts):
            self._end(name)
        self.run["environment"]["load_after"] = os.getloadavg()[0]

    def go(self):
        """Measure everything; the record."""
        self.follower.begin(self.scenarios)
        self._meet()
        self._lower_bound()
        for scenario in self.scenarios:
            if self._late():
                self.run["left_out"].append(scenario.name)
                continue
            self.run["scenarios"][scenario.name] = self._scenario(scenario)
        if self.run["left_out"]:
            self.follower.note(f"left out, for the time was up: {', '.join(self.run['left_out'])}")
        return self.run

    def _late(self):
        return self.deadline is not None and time.monotonic() > self.deadline

    def _meet(self):
        """Start the contenders that are needed, all at once, and hear which are there."""
        wanted = [
            name
            for name in self.contenders
            if any(scenario.takes(contenders.load(name)) for scenario in self.scenarios)
        ]
        for name in wanted:
            self.hosts[name] = HostProcess(name)
        for name in wanted:
            peer = contenders.load(name)
            try:
                found = self.hosts[name].ask("hello", max(self.patience, START_PATIENCE))
            except Lost as error:
                found = {"missing": str(error)}
            if found.get("missing"):
                self.run["missing"][name] = found["missing"]
                self.follower.note(f"missing: {name}: {found['missing']}")
                self._end(name)
                continue
            self.run["contenders"][name] = {
                "title": peer.title,
                "group": peer.group,
                "place": peer.place,
                "version": found["version"],
            }

    def _lower_bound(self):
        parts = lower_bound.parts(dict.fromkeys(one.payload for one in self.scenarios))
        seconds = self.seconds / 10
        for _ in range(min(self.rounds, FLOOR_ROUNDS)):
            for name, measure in parts.items():
                self.run["floor"].setdefault(name, []).append(measure(seconds))
            if self._late():
                break

    def _scenario(self, scenario):
        names = [name for name in self.run["contenders"] if scenario.takes(contenders.load(name))]
        rounds = min(self.rounds, scenario.rounds or self.rounds)
        self.follower.scenario(scenario, len(names) * (rounds + 1))
        record = {
            "title": scenario.title,
            "unit": scenario.unit,
            "baseline": scenario.baseline,
            "floor": lower_bound.below(scenario, self.run["floor"]),
            "results": {},
            "unavailable": {},
        }
        there = []
        for name in names:
            if self._begin(scenario, name, record):
                there.append(name)
                self.follower.step()
            else:
                self.follower.step(rounds + 1)
        for number in range(rounds):
            if number and self._late():
                break
            turn = number % max(len(there), 1)
            for name in there[turn:] + there[:turn]:  # nobody is always the first
                if name not in record["unavailable"]:
                    self._round(scenario, name, record, anew=scenario.fresh and number > 0)
                self.follower.step()
        for name in record["unavailable"]:
            record["results"].pop(name, None)
        return record

    def _begin(self, scenario, name, record):
        if scenario.fresh:
            self._end(name)
        return self._ask(name, record, "begin", scenario=scenario.name, seconds=self.seconds) is not None

    def _round(self, scenario, name, record, anew):
        if anew and not self._begin(scenario, name, record):
            return
        found = self._ask(name, record, "round", seconds=self.seconds)
        if found is not None:
            record["results"].setdefault(name, []).append(found["value"])

    def _ask(self, name, record, do, **arguments):
        """An answer without a complaint, or None: then the record says why."""
        try:
            if name not in self.hosts:
                self.hosts[name] = HostProcess(name)
            found = self.hosts[name].ask(do, self.patience, **arguments)
        except Lost as error:
            self._end(name)
            found = {"error": str(error)}
        reason = found.get("unavailable")
        if "wrong" in found:
            reason = f"WRONG: {found['wrong']}"
            self._end(name)
        elif "error" in found:
            reason = f"FAILED: {found['error']}"
            self._end(name)
        if reason is None:
            return found
        record["unavailable"][name] = reason
        if reason.startswith(("WRONG", "FAILED")):
            self.follower.note(f"{name}: {reason}")
        return None

    def _end(self, name):
        host = self.hosts.pop(name, None)
        if host is not None:
            host.end()

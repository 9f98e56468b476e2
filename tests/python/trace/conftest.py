"""Reading the files that trace() writes."""

import json

import pytest

import xichan

PHASES = {"X", "M", "C", "s", "f", "b", "e"}


class Events:
    """The events of a file, each checked against the format."""

    def __init__(self, path):
        self.file = json.loads(path.read_text())
        assert self.file["displayTimeUnit"] == "ns"
        self.dropped = self.file["otherData"]["dropped_events"]
        self.all = self.file["traceEvents"]
        for event in self.all:
            self._check(event)
        self.slices = [event for event in self.all if event["ph"] == "X"]
        self.processes = self._names("process_name")
        self.threads = self._names("thread_name")
        for event in self.slices:
            assert event["pid"] in self.processes and (event["pid"], event["tid"]) in self.threads

    @staticmethod
    def _check(event):
        assert event["ph"] in PHASES and isinstance(event["name"], str) and isinstance(event["pid"], int)
        if event["ph"] == "M":
            return
        assert event["ts"] >= 0
        if event["ph"] != "C":
            assert isinstance(event["tid"], int) and isinstance(event["cat"], str)
        if event["ph"] == "X":
            assert event["dur"] > 0 and isinstance(event["args"], dict)

    def _names(self, what):
        found = {}
        for event in self.all:
            if event["ph"] == "M" and event["name"] == what:
                key = event["pid"] if what == "process_name" else (event["pid"], event["tid"])
                assert key not in found
                found[key] = event["args"]["name"]
        return found

    def named(self, name, category=None):
        """Return the slices with a name, in order."""
        found = [event for event in self.slices if event["name"] == name and category in (None, event["cat"])]
        return sorted(found, key=lambda event: event["ts"])

    def flows(self):
        """Return (slice of the send, slice of the receive) for each flow, which has both ends."""
        ends = {"s": {}, "f": {}}
        for event in self.all:
            if event["ph"] in ends:
                assert event["id"] not in ends[event["ph"]]
                ends[event["ph"]][event["id"]] = event
        assert ends["s"].keys() == ends["f"].keys()
        pairs = []
        for number, begin in ends["s"].items():
            end = ends["f"][number]
            assert begin["ts"] <= end["ts"] and end["bp"] == "e"
            pairs.append((self._enclosing(begin, "send"), self._enclosing(end, "recv")))
        return pairs

    def _enclosing(self, end, category):
        found = [
            event
            for event in self.slices
            if (event["pid"], event["tid"], event["cat"].split(",")[0]) == (end["pid"], end["tid"], category)
            and event["ts"] <= end["ts"] < event["ts"] + event["dur"]
        ]
        assert len(found) == 1, (end, found)
        return found[0]

    def messages(self):
        """Return the numbers of the first messages of the sends and receives that flows join."""
        return [(send["args"]["first"], receive["args"]["first"]) for send, receive in self.flows()]


@pytest.fixture
def recorded(tmp_path):
    """A function that records while it runs another one, and returns the events."""

    def record(function, **options):
        path = tmp_path / "trace.json"
        with xichan.trace(path, **options) as trace:
            function()
        events = Events(path)
        recorded_events = len(events.slices) + sum(event["ph"] == "b" for event in events.all)
        assert (trace.events, trace.dropped) == (recorded_events, events.dropped)
        return events

    return record

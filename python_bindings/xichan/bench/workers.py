"""The workers of a contender: interpreters that stay, or threads or processes started for each run."""

import json
import os
import threading
import traceback

from xichan.bench import roles
from xichan.bench.contenders import Unavailable


class WorkerFailed(Exception):
    """A worker raised an exception. `clean`: no worker is still inside a call, so further runs are possible."""

    def __init__(self, text, clean):
        super().__init__(text)
        self.clean = clean


class WrongValue(Exception):
    """A received value differs from the one sent."""


class Workers:
    """Runs roles in workers and collects their reports. Not thread-safe."""

    def __init__(self, contender_name, place):
        self.contender_name = contender_name
        self.start_worker = getattr(self, f"_start_{place}")
        self.interpreters = []
        self.go, self.go_writer = os.pipe()
        self.reports, self.report = os.pipe()
        self.unparsed = b""
        threading.excepthook = self._thread_failed

    def run(self, *jobs):
        """Run jobs, each (role, half, parameters), concurrently; return the record that each reports.

        Raises Unavailable, WrongValue, WorkerFailed.
        """
        started = []
        for index, (role, half, job) in enumerate(jobs):
            arguments = (index, self.go, self.report, self.contender_name, role, half, job)
            started.append(self.start_worker(index, arguments))
        records = [None] * len(jobs)
        ready = 0
        while ready < len(jobs) and not any(records):
            record = self._next()
            if roles.READY in record:
                ready += 1
            else:
                records[record["worker"]] = record
        early = any(records)
        os.write(self.go_writer, (roles.QUIT if early else roles.GO) * len(jobs))
        while not all(records):
            record = self._next()
            if roles.READY in record:
                continue
            records[record["worker"]] = record
            if "error" in record and not early:
                raise WorkerFailed(record["error"], clean=False)
        for worker in started:
            worker.join()
        if early:
            self._drain_go()  # a worker that failed did not read its byte
        return _raise_failures(records)

    def _drain_go(self):
        os.set_blocking(self.go, False)
        try:
            os.read(self.go, 1000)
        except BlockingIOError:
            pass
        finally:
            os.set_blocking(self.go, True)

    def _next(self):
        while b"\n" not in self.unparsed:
            self.unparsed += os.read(self.reports, 65536)
        line, _, self.unparsed = self.unparsed.partition(b"\n")
        record = json.loads(line)
        if record["worker"] is None:
            raise WorkerFailed(record["error"], clean=False)
        return record

    def _thread_failed(self, arguments):
        """Report a worker that could not start, for instance because its arguments are not shareable."""
        text = "".join(traceback.format_exception(arguments.exc_value))[-2000:]
        os.write(self.report, json.dumps({"worker": None, "error": text}).encode() + b"\n")

    def _start_interpreters(self, index, arguments):
        from concurrent import interpreters

        while len(self.interpreters) <= index:
            self.interpreters.append(interpreters.create())
        return self.interpreters[index].call_in_thread(roles.run, *arguments)

    def _start_threads(self, index, arguments):
        thread = threading.Thread(target=roles.run, args=arguments)
        thread.start()
        return thread

    def _start_processes(self, index, arguments):
        import multiprocessing

        process = multiprocessing.get_context("fork").Process(target=roles.run, args=arguments)
        process.start()
        return process


def _raise_failures(records):
    """Raise the exception of the first failure that the records report; return them otherwise."""
    for record in records:
        if "unavailable" in record:
            raise Unavailable(record["unavailable"])
    for record in records:
        if "error" in record:
            raise WorkerFailed(record["error"], clean=True)
        if "wrong" in record:
            raise WrongValue(record["wrong"])
    return records

"""The workers of a contender: interpreters that stay, or threads or processes started for each piece of work."""

import json
import os
import threading
import traceback

from xichan.bench import roles
from xichan.bench.contenders import Unavailable


class Failed(Exception):
    """A worker raised an exception. With `clean` none is left inside a call, and the crew can go on."""

    def __init__(self, text, clean):
        super().__init__(text)
        self.clean = clean


class Wrong(Exception):
    """What arrived is not what was sent."""


class Crew:
    def __init__(self, peer_name, place):
        self.peer_name = peer_name
        self.start = getattr(self, f"_start_{place}")
        self.interpreters = []
        self.go, self.let_go = os.pipe()
        self.reports, self.report = os.pipe()
        self.rest = b""
        threading.excepthook = self._thread_failed

    def run(self, *jobs):
        """Do the jobs, (role, half, parameters), all at the same time; what each reports.

        Raises Unavailable, Wrong, Failed.
        """
        workers = []
        for index, (role, half, job) in enumerate(jobs):
            arguments = (index, self.go, self.report, self.peer_name, role, half, job)
            workers.append(self.start(index, arguments))
        answers = [None] * len(jobs)
        ready = 0
        while ready < len(jobs) and not any(answers):
            record = self._next()
            if roles.READY in record:
                ready += 1
            else:
                answers[record["party"]] = record
        early = any(answers)
        os.write(self.let_go, (roles.QUIT if early else roles.GO) * len(jobs))
        while not all(answers):
            record = self._next()
            if roles.READY in record:
                continue
            answers[record["party"]] = record
            if "error" in record and not early:
                raise Failed(record["error"], clean=False)
        for worker in workers:
            worker.join()
        if early:
            self._empty_go()  # whoever failed has left its byte
        return _judge(answers)

    def _empty_go(self):
        os.set_blocking(self.go, False)
        try:
            os.read(self.go, 1000)
        except BlockingIOError:
            pass
        finally:
            os.set_blocking(self.go, True)

    def _next(self):
        while b"\n" not in self.rest:
            self.rest += os.read(self.reports, 65536)
        line, _, self.rest = self.rest.partition(b"\n")
        record = json.loads(line)
        if record["party"] is None:
            raise Failed(record["error"], clean=False)
        return record

    def _thread_failed(self, arguments):
        """A worker that could not even begin, say because its arguments cannot be handed to an interpreter."""
        text = "".join(traceback.format_exception(arguments.exc_value))[-2000:]
        os.write(self.report, json.dumps({"party": None, "error": text}).encode() + b"\n")

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


def _judge(answers):
    for answer in answers:
        if "unavailable" in answer:
            raise Unavailable(answer["unavailable"])
    for answer in answers:
        if "error" in answer:
            raise Failed(answer["error"], clean=True)
        if "wrong" in answer:
            raise Wrong(answer["wrong"])
    return answers

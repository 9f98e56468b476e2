"""The process of one contender: ``python -m xichan.bench.host CONTENDER``.

Reads commands from stdin, one JSON object per line, and writes one reply per command to the original stdout. Exits at
the end of its input, or when the watchdog finds that a command exceeds its timeout.
"""

import faulthandler
import json
import os
import sys
import traceback

from xichan.bench import contenders, scenarios, workloads
from xichan.bench.workers import WorkerFailed, Workers, WrongValue


class Host:
    """Executes the commands: each public method is one, and returns the reply."""

    def __init__(self, name):
        self.contender = contenders.load(name)
        self.workers = Workers(name, self.contender.place)
        self.workload = None

    def hello(self):
        return {"missing": self.contender.unusable(), "version": self.contender.version()}

    def begin(self, scenario, seconds):
        self.workload = None
        workload = workloads.make(scenarios.ALL[scenario], self.contender, self.workers)
        workload.begin(seconds)
        self.workload = workload
        return {}

    def round(self, seconds):
        return {"value": self.workload.round(seconds)}


def execute(host, command, arguments):
    """Execute one command; return (reply, whether the process can continue)."""
    try:
        return getattr(host, command)(**arguments), True
    except contenders.Unavailable as error:
        return {"unavailable": str(error)}, True
    except WrongValue as error:
        return {"wrong": str(error)}, True
    except WorkerFailed as error:
        return {"error": str(error)}, error.clean
    except Exception as error:
        return {"error": "".join(traceback.format_exception(error))}, False


def main():
    # Replies have their own stream, because contenders may print to stdout.
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    host = Host(sys.argv[1])
    for line in sys.stdin:
        request = json.loads(line)
        faulthandler.dump_traceback_later(request.pop("timeout"), exit=True)
        reply, can_continue = execute(host, request.pop("do"), request)
        faulthandler.cancel_dump_traceback_later()
        print(json.dumps(reply), file=replies, flush=True)
        if not can_continue:
            break
    os._exit(0)  # a contender may still have blocked threads


if __name__ == "__main__":
    main()

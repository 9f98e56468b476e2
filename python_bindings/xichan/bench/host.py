"""The process of one contender: ``python -m xichan.bench.host CONTENDER``. Commands come by stdin, one JSON a line, and
are answered by what was stdout. It ends when there are no more, or when its watchdog finds that one takes too long.
"""

import faulthandler
import json
import os
import sys
import traceback

from xichan.bench import contenders, scenarios, workloads
from xichan.bench.crew import Crew, Failed, Wrong


class Host:
    def __init__(self, name):
        self.peer = contenders.load(name)
        self.crew = Crew(name, self.peer.place)
        self.work = None

    def hello(self):
        return {"missing": self.peer.unusable(), "version": self.peer.version()}

    def begin(self, scenario, seconds):
        self.work = None
        work = workloads.make(scenarios.ALL[scenario], self.peer, self.crew)
        work.begin(seconds)
        self.work = work
        return {}

    def round(self, seconds):
        return {"value": self.work.round(seconds)}


def answer(host, command, arguments):
    """Do one command: (what to answer, whether to go on)."""
    try:
        return getattr(host, command)(**arguments), True
    except contenders.Unavailable as error:
        return {"unavailable": str(error)}, True
    except Wrong as error:
        return {"wrong": str(error)}, True
    except Failed as error:
        return {"error": str(error)}, error.clean
    except Exception as error:
        return {"error": "".join(traceback.format_exception(error))}, False


def main():
    # The contenders may print what they like: answers have a stream of their own.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    host = Host(sys.argv[1])
    for line in sys.stdin:
        request = json.loads(line)
        faulthandler.dump_traceback_later(request.pop("patience"), exit=True)
        found, going_on = answer(host, request.pop("do"), request)
        faulthandler.cancel_dump_traceback_later()
        print(json.dumps(found), file=answers, flush=True)
        if not going_on:
            break
    os._exit(0)  # whatever may still be blocked in a contender


if __name__ == "__main__":
    main()

"""What becomes of answers that are no plain values, in the collector."""

from .._errors import MemoryLimitExceeded
from .._pickling import loads
from .errors import BrokenWorker
from .remote import rebuild_error
from .worker import CHUNK, ENDED, PICKLED, RAISED


def handle(crew, answer):
    """Deal with one answer: see worker."""
    if type(answer) is int:
        crew.fail(answer, MemoryLimitExceeded("no memory for the answer of a worker"))
        return
    id, kind, *rest = answer
    if kind == CHUNK:
        for one in rest[0]:
            crew.handle(one)
    elif kind == PICKLED:
        _deliver_pickled(crew, id, *rest)
    elif kind == RAISED:
        *parts, refused = rest
        entry = crew.entries.get(id)
        policy = entry.policy if entry is not None and refused else None
        if policy is None or not policy.refused(
            crew, entry, id, parts[3], refused
        ):  # the traceback has the whole chain
            crew.fail(id, rebuild_error(*parts))
    elif kind == ENDED:
        why, left = rest
        crew.counts["lost"] += 1
        crew.fail(id, BrokenWorker(f"the worker ended while it ran this task: {why}"))
        crew.send_again(left)


def _deliver_pickled(crew, id, data, beside):
    crew.counts["pickled_results"] += 1
    try:
        value = loads(data, beside)
    except BaseException as error:
        error.add_note("while the result of the task was unpickled")
        crew.fail(id, error)
    else:
        crew.deliver(id, value)

"""Request and reply for long-lived workers.

    requests_tx, requests_rx = xichan.channel()
    ...                                          # in a worker interpreter, which was given `requests_rx`:
    xichan.serve(requests_rx, handler)           # answers until the channel ends

    client = xichan.Client(requests_tx)
    client.call(value, timeout=1.0)              # handler(value), or what that raised

A request is ``(value, reply)``, where ``reply`` is a Sender made for this call; the answer is ``(True, result)``, or
``(False, pickled exception or None, type name, message, traceback)``. Any number of clients and of servers may share a
channel. A server ends when the channel does: when all Senders are closed, after what is queued; by ``shutdown()``, or
``shutdown(immediate=True)``, at once.
"""

from . import _core
from ._errors import NotShareableError


def serve(rx, handler):
    """Answer requests with ``handler(value)`` until no more can come. Returns how many there were.

    rx: a Receiver. handler: called with each request's value; what it returns has to be shareable, else the caller gets
    NotShareableError. An Exception that it raises goes to the caller; anything else, such as SystemExit, ends the
    server too. Waits for requests; Ctrl-C interrupts that in the main thread. Raises TypeError if something comes that
    no Client has sent: the channel is for requests alone.
    """
    served = 0
    for request in rx:
        value, reply = _parts(request)
        request = None
        served += 1
        with reply:
            try:
                answer = (True, handler(value))
            except Exception as error:
                answer = _describe(error)
            except BaseException as error:
                _answer(reply, _describe(error))
                raise
            value = None  # and the ends in it
            _answer(reply, answer)
            answer = None
    return served


class Client:
    """Calls those who serve a channel. Any number of threads may use it; it can be made anew in each interpreter.

    tx: the Sender of the channel, which the client owns from now on: ``close()``, or leaving a ``with``, closes it.
    """

    __slots__ = ("_tx",)
    __module__ = "xichan"

    def __init__(self, tx):
        if type(tx) is not _core.Sender:
            raise TypeError(f"a Client needs a Sender, not {type(tx).__name__}")
        self._tx = tx

    def call(self, value, timeout=None):
        """Send a value and wait for the answer to it.

        timeout: seconds for both together (not negative, may be a fraction); None: for ever. Raises what the handler
        raised (RemoteError, if that cannot be rebuilt here), ChannelTimeout, NotShareableError, and ChannelClosed if
        nobody serves the channel any more, or the server ended with the request.
        """
        deadline = _core_deadline(timeout)
        reply, answers = _core.channel(1)
        with answers:
            with reply:
                self._tx.send((value, reply), timeout)
            answer = answers.recv(deadline())
        if answer[0]:
            return answer[1]
        raise _rebuild(*answer[1:])

    def close(self):
        """Close the Sender. Idempotent."""
        self._tx.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _parts(request):
    if type(request) is not tuple or len(request) != 2 or type(request[1]) is not _core.Sender:
        raise TypeError(f"a request is (value, Sender), as a Client sends it; the channel had {type(request).__name__}")
    return request


def _core_deadline(timeout):
    """A function that gives what is left of a time-out."""
    if timeout is None:
        return lambda: None
    from time import monotonic

    end = monotonic() + timeout
    return lambda: max(end - monotonic(), 0)


def _answer(reply, answer):
    """Send an answer, or what the matter is with it. Raises nothing: in the end, to drop the reply is an answer too."""
    try:
        reply.send_nowait(answer)
    except Exception as error:
        if not answer[0]:
            answer = (False, None, *answer[2:])  # without the pickle, in which there may be ends
        elif isinstance(error, (NotShareableError, MemoryError)):
            answer = _describe(type(error)(str(error).replace("value[1]", "result", 1)))
        else:  # a closed end in the result, most likely; or who asked has gone, and this is in vain
            error.add_note("while the result was sent")
            answer = _describe(error)
        try:
            reply.send_nowait(answer)
        except Exception:
            pass


def _describe(error):
    from .pool.remote import describe_error

    *parts, _ = describe_error(error, _dumps)
    return False, *parts


def _dumps(value):
    from .pool.pickles import dumps

    return dumps(value)


def _rebuild(*parts):
    from .pool.remote import rebuild_error

    return rebuild_error(*parts)


serve.__module__ = "xichan"

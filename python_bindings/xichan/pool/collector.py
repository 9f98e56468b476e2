"""Who takes the answers of the workers: a thread, or who waits for the only answer that is due.

A hop from thread to thread costs more than everything else in a small task. So ``result()`` of the only future that is
not over takes the answer itself: two hops instead of three, and while the machine has CPUs to spare nobody sleeps.

1. Whoever takes answers is the listener. Who wants to be it puts a token into ``token``, of capacity 1, and takes it
   out afterwards.
2. A worker sends its answer and then looks for the token. If there is none it rings the bell, which wakes the thread.
   Who stops listening takes the token out, then looks for answers, and rings if there are any. So no answer is left.
3. ``help`` may be interrupted by Ctrl-C anywhere. It has the answer put into ``inbox`` by C code, in one step with
   taking it, and removes it when the future has it. Whatever is found there the thread deals with: then some of a
   future may have been done already, which Future.deliver allows for. So ``help`` ends no future that others wait for.
4. The token is taken by the step of a ``for``, see locks.
5. Who wants something of the thread stores that, then looks for the token, in ``nudge``, and rings. ``help`` takes the
   token and then looks whether something is wanted, because the thread may wait for the token and not see that. Who
   ends a future in another way, or lets the token go having done so, is not seen before: so it looks for that too.
"""

import collections
import threading

from .. import _core
from .._errors import ChannelClosed, ChannelFull, ChannelTimeout
from .locks import has_started, start

_GREEDY = 256  # answers taken at once


class Collector:
    """The answers of the workers of a crew, which deals with them."""

    def __init__(self, crew):
        self.crew = crew
        self.answers_tx, self.answers_rx = _core.channel(1024)
        self.token_tx, self.token_rx = _core.channel(1)
        self.bell_tx, self.bell_rx = _core.channel(1)
        self.inbox = collections.deque()
        self.thread = None

    def start(self, name):
        """Start the thread, unless there is one."""
        if self.thread is None:
            self.thread = threading.Thread(target=self._run, name=name)
        if not has_started(self.thread):
            start(self.thread)

    @property
    def started(self):
        return self.thread is not None and has_started(self.thread)

    def ends_for_worker(self):
        return self.answers_tx, self.token_tx, self.bell_tx

    def ring(self):
        """Have the thread look. Any thread, at any time."""
        try:
            self.bell_tx.send_nowait(None)
        except (ChannelFull, ChannelClosed):
            pass

    def nudge(self):
        """Have `help` return: its future ends in another way."""
        if len(self.token_tx):
            try:
                self.answers_tx.send_nowait(None)
            except (ChannelFull, ChannelClosed):
                pass  # it will return

    def finish(self):
        """No worker is left: the thread ends when all answers have been dealt with."""
        self.answers_tx.close()
        self.bell_tx.close()

    def close(self):
        for end in (self.answers_tx, self.answers_rx, self.token_tx, self.token_rx, self.bell_tx, self.bell_rx):
            end.close()

    def _run(self):
        try:
            for _ in self.bell_rx:
                self.crew.prepare()  # now, because who has the token may wait for a worker
                self.token_tx.send(None)  # (1)
                try:
                    self._listen()
                finally:
                    self.token_rx.recv_nowait()
                    if len(self.answers_rx):  # (2)
                        self.ring()
        finally:
            self._listen()
            self.crew.end()

    def _listen(self):
        while True:
            while self.inbox:
                self._handle(self.inbox.popleft())
            more = self.crew.settle()
            if self.inbox:
                continue
            if not more and not len(self.answers_rx):  # there may be answers for which nobody waits any more
                return
            try:
                self.inbox.extend(self.answers_rx.recv_many(_GREEDY))
            except ChannelClosed:
                return
            except MemoryError:
                pass  # what could not be decoded comes with the next call

    def _handle(self, answer):
        try:
            self.crew.handle(answer)
        except BaseException as error:  # of code of the user, in a strange place: it must not end this thread
            self.crew.fail(answer if type(answer) is int else answer[0], error)

    def help(self, future, timeout):
        """Take the answer that is due, which is that of this future unless something else goes on."""
        crew = self.crew
        try:
            for _ in map(self.token_tx.send_nowait, (None,)):  # (1) (4)
                try:
                    if not self.inbox:  # or it may be in there, left by one who was interrupted
                        if crew.short or crew.errands or crew.withdrawn or future.id not in crew.entries:  # (5)
                            return
                        self.inbox.extend(map(self.answers_rx.recv, (timeout,)))  # (3)
                    answer = self.inbox[0]
                    if future.accept(answer):
                        self.inbox.popleft()
                finally:
                    self.token_rx.recv_nowait()
        except (ChannelFull, ChannelTimeout, ChannelClosed, MemoryError):
            pass  # somebody else listens, or there is nothing
        finally:
            if self.inbox or len(self.answers_rx):  # (2)
                self.ring()

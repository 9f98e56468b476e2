"""Random programs over channels and queues, and the model that checks what they did.

A world is a set of channels and queues. Actors, each a thread of any interpreter, perform random operations on it and
keep a log. At the end the model compares the logs with the statistics of each channel: accepted = received + discarded;
no message is lost or received twice, and a receiver gets the messages of one Sender in order.

To cover a new feature: add an operation (``@operation``), an option (``random_options``), or a reason for which
messages may be missing (``may_discard`` of ``Model.check_channel``). Needs only xichan and the standard library,
because other interpreters import it.
"""

import asyncio
import contextlib
import datetime
import decimal
import os
import random
import types
from collections import defaultdict

import xichan
from support import random_value

# What an operation may raise without having sent or received anything.
REFUSALS = (
    xichan.ChannelClosed,
    xichan.ChannelFull,
    xichan.ChannelEmpty,
    xichan.ChannelTimeout,
    xichan.NotFound,
    xichan.MemoryLimitExceeded,
)
TAKEN = ("belongs to another", "cannot clone the")  # texts of the Error that concerns spsc channels
TOO_LARGE = "larger than the channel's max_bytes"
OPERATIONS = []  # (function, weight)


def operation(weight):
    def add(function):
        OPERATIONS.append((function, weight))
        return function

    return add


def random_options(rng):
    """Return the arguments of channel() and whether its endpoints can be cloned."""
    flavor = rng.choice(("mpmc", "mpmc", "mpmc", "unbounded", "rendezvous", "spsc", "relaxed", "relaxed unbounded"))
    options = {
        "mpmc": {"capacity": rng.choice((1, 2, 3, 16, 1000))},
        "unbounded": {"capacity": None},
        "rendezvous": {"capacity": 0},
        "spsc": {"capacity": rng.choice((1, 3, 100)), "flavor": "spsc"},
        "relaxed": {"capacity": rng.choice((1, 3, 100)), "flavor": "relaxed"},
        "relaxed unbounded": {"capacity": None, "flavor": "relaxed"},
    }[flavor]
    if rng.random() < 0.3:
        options["max_bytes"] = rng.choice((2000, 10_000, 100_000))
    return options, flavor != "spsc"


class NothingHeld(Exception):
    """The actor holds no endpoint or queue of the kind that an operation needs."""


class Log:
    """What one actor did, in order. Messages are (channel, sender, number)."""

    def __init__(self):
        self.sent = []
        self.uncertain = []  # sent or not: the operation was interrupted
        self.received = []
        self.put = []
        self.got = []

    def report(self):
        return tuple(tuple(entries) for entries in vars(self).values())


class Actor:
    """One thread that performs random operations. `ends`: (channel, Sender or None, Receiver or None) tuples."""

    def __init__(self, seed, name, ids, names, ends, queues):
        self.rng = random.Random(seed)
        self.name = name
        self.ids, self.names, self.queues = ids, names, queues
        self.senders = []  # (channel, name of the sender, endpoint)
        self.receivers = []  # (channel, endpoint)
        self.numbers = defaultdict(int)
        self.kept = []
        self.log = Log()
        for channel, tx, rx in ends:
            self.hold(channel, tx)
            self.hold(channel, rx)

    def hold(self, channel, end):
        if isinstance(end, xichan.Sender):
            self.senders.append((channel, self.new_name(), end))
        elif end is not None:
            self.receivers.append((channel, end))
        for held in (self.senders, self.receivers):
            if len(held) > 12:
                held.pop(self.rng.randrange(len(held)))

    def payload(self):
        rng = self.rng
        match rng.randrange(13):
            case 0 if self.senders:
                return rng.choice(self.senders)[2]
            case 1 if self.receivers:
                return (rng.choice(self.receivers)[1], "beside it")
            case 2:
                return rng.randbytes(rng.choice((600, 3000, 40_000)))
            case 3 if self.kept:
                return rng.choice(self.kept)
            case 4 if self.queues:
                return rng.choice(self.queues)
            case 5:
                return xichan.share(random_value(rng, 2))
            case 6:
                return "é" * rng.randrange(2000)
            case 7:
                return self.container()
            case 8:
                return xichan.descriptor(0)
            case _:
                return random_value(rng, 2)

    def container(self):
        """Return a container, of objects too, of which a part is an endpoint if the actor holds one."""
        rng = self.rng
        ends = [end for *_, end in (*self.senders, *self.receivers)]
        end = rng.choice(ends) if ends else None
        one = [random_value(rng, 2)]
        match rng.randrange(6):
            case 0:
                return [end, one, one]
            case 1:
                return {"end": end, 1: one, **{str(i): i for i in range(rng.choice((0, 40)))}}
            case 2:
                return ({1, 2.5, "a text that needs a block"}, end)
            case 3:
                one.append(one)
                return [end, one]
            case 4:
                return (datetime.datetime(2026, 1, 2, 3, rng.randrange(60)), decimal.Decimal("1.5"), end)
            case _:
                return types.SimpleNamespace(end=end, data=bytearray(rng.choice((3, 3000))))

    def message(self, channel, sender):
        self.numbers[sender] += 1
        return (channel, sender, self.numbers[sender], self.payload())

    def take(self, message):
        """Log a message that was received, and adopt what it carries."""
        channel, sender, number = message[0], message[1], message[2]
        self.log.received.append((channel, str(sender), number))
        payload = message[3]
        if isinstance(payload, xichan.Descriptor):
            if self.rng.random() < 0.7:
                with payload:
                    assert os.path.sameopenfile(payload.fileno(), 0)
            return
        if type(message) is xichan.TupleView and self.rng.random() < 0.3:
            self.kept.append(payload)
            del self.kept[:-5]
        if type(payload) is xichan.TupleView and len(payload) and self.rng.random() < 0.5:
            payload = payload[0]
        if type(payload) in (tuple, list) and payload:
            payload = payload[0]
        elif type(payload) is types.SimpleNamespace:
            payload = payload.end
        elif type(payload) is dict or (isinstance(payload, xichan.DictView) and self.rng.random() < 0.5):
            payload = payload["end"]
        if isinstance(payload, (xichan.Sender, xichan.Receiver)):
            with contextlib.suppress(ValueError):
                self.hold(self.ids.index(payload.id), payload)
        elif isinstance(payload, xichan.Shared):
            payload.value()

    def timeout(self):
        return self.rng.choice((0, 0.0001, 0.001, 0.01))

    def choose(self, held):
        if not held:
            raise NothingHeld
        return self.rng.choice(held)

    def sender(self):
        return self.choose(self.senders)

    def sender_of_a_coroutine(self):
        """Return a sender under a name of its own: coroutines that send at the same time may overtake one another."""
        channel, _, tx = self.sender()
        return channel, self.new_name(), tx

    def new_name(self):
        name = f"{self.name}.{len(self.numbers)}"
        self.numbers[name] = 0
        return name

    def receiver(self):
        return self.choose(self.receivers)[1]

    def step(self):
        """Perform one operation. Anything but a refusal is an error."""
        functions, weights = zip(*OPERATIONS, strict=True)
        function = self.rng.choices(functions, weights)[0]
        try:
            function(self)
        except (NothingHeld, *REFUSALS):
            pass
        except ValueError as error:
            assert TOO_LARGE in str(error), error
        except xichan.Error as error:
            assert any(text in str(error) for text in TAKEN), error


@operation(8)
def send(self):
    channel, name, tx = self.sender()
    message = self.message(channel, name)
    self.rng.choice((tx.send_nowait, lambda value: tx.send(value, timeout=self.timeout())))(message)
    self.log.sent.append(message[:3])


@operation(4)
def send_many(self):
    channel, name, tx = self.sender()
    messages = [self.message(channel, name) for _ in range(self.rng.choice((1, 3, 70)))]
    keys = [message[:3] for message in messages]
    try:
        count = tx.send_many(messages, timeout=self.timeout())
    except (xichan.ChannelClosed, xichan.ChannelTimeout):
        # Raised before any was sent, unless a closed endpoint in a later message raised it.
        self.log.uncertain += keys
        raise
    except Exception:
        self.log.uncertain += keys  # the number sent is not known
        raise
    self.log.sent += keys[:count]


@operation(8)
def receive(self):
    rx, copy = self.receiver(), self.rng.random() < 0.5
    self.take(rx.recv_nowait(copy=copy) if self.rng.random() < 0.5 else rx.recv(self.timeout(), copy=copy))


@operation(4)
def receive_many(self):
    for message in self.receiver().recv_many(
        self.rng.choice((1, 5, 100)), self.timeout(), copy=self.rng.random() < 0.5
    ):
        self.take(message)


@operation(1)
def drain(self):
    for message in self.receiver().drain(copy=self.rng.random() < 0.5):
        self.take(message)


def random_cases(self, sender):
    """Return the cases of a select, and the message of each that sends, by the identity of the case."""
    cases, messages = [], {}
    for _ in range(self.rng.randrange(1, 6)):
        if self.rng.random() < 0.5:
            cases.append(self.receiver())
        else:
            channel, name, tx = sender()
            message = self.message(channel, name)
            cases.append((tx, message))
            messages[id(cases[-1])] = message
    return cases, messages


def log_selected(self, messages, case, value):
    if id(case) in messages:
        self.log.sent.append(messages[id(case)][:3])
    else:
        self.take(value)


@operation(6)
def select(self):
    cases, messages = random_cases(self, self.sender)
    log_selected(self, messages, *xichan.select(cases, timeout=self.timeout(), copy=self.rng.random() < 0.5))


@operation(2)
def iterate(self):
    rx = self.receiver()
    if len(rx) == 0 or rx.capacity == 0:
        return
    views = rx.views()
    for _ in range(3):
        if len(rx) == 0:
            break
        self.take(rx.recv_nowait(copy=False))
    del views


async def in_loop(self):
    """Several coroutines that wait together, some of which are cancelled."""

    async def asend():
        channel, name, tx = self.sender_of_a_coroutine()
        message = self.message(channel, name)
        self.log.uncertain.append(message[:3])
        await tx.asend(message)
        self.log.uncertain.remove(message[:3])
        self.log.sent.append(message[:3])

    async def arecv():
        self.take(await self.receiver().arecv(copy=self.rng.random() < 0.5))

    async def arecv_many():
        for message in await self.receiver().arecv_many(5):
            self.take(message)

    async def aselect():
        cases, messages = random_cases(self, self.sender_of_a_coroutine)
        keys = [message[:3] for message in messages.values()]
        self.log.uncertain += keys
        case, value = await xichan.aselect(cases)
        for key in keys:
            self.log.uncertain.remove(key)
        log_selected(self, messages, case, value)

    async def guarded(function):
        try:
            async with asyncio.timeout(self.rng.choice((0, 0.001, 0.02))):
                await function()
        except (NothingHeld, *REFUSALS, TimeoutError):
            pass
        except (ValueError, xichan.Error) as error:
            assert TOO_LARGE in str(error) or any(text in str(error) for text in TAKEN), error

    functions = [self.rng.choice((asend, arecv, arecv_many, aselect)) for _ in range(self.rng.randrange(1, 8))]
    await asyncio.gather(*(guarded(function) for function in functions))


@operation(0.3)
def run_event_loop(self):
    asyncio.run(in_loop(self))


@operation(2)
def clone(self):
    if self.rng.random() < 0.5:
        channel, _, end = self.sender()
    else:
        channel, end = self.choose(self.receivers)
    self.hold(channel, end.clone())


@operation(1)
def look_up(self):
    channel = self.rng.randrange(len(self.ids))
    kind = self.rng.choice((xichan.Sender, xichan.Receiver))
    name = self.names[channel]
    if name is None:
        end = kind.from_id(self.ids[channel])
    else:
        end = kind.lookup(name, timeout=self.rng.choice((0, 0.001)))
    self.hold(channel, end)


@operation(1.5)
def close(self):
    held = self.rng.choice((self.senders, self.receivers))
    if not held:
        raise NothingHeld
    end = held.pop(self.rng.randrange(len(held)))[-1]
    if self.rng.random() < 0.5:
        end.close()


@operation(1)
def observe(self):
    channel, _, tx = self.sender()
    found = tx.stats()
    assert found.id == self.ids[channel] and found.depth >= 0 and found.received <= found.sent
    assert found.capacity is None or found.depth <= max(found.capacity, 1) or found.flavor == "spsc", found
    repr(tx), len(tx), tx.closed, xichan.memory_stats()
    if self.rng.random() < 0.1:
        xichan.channels()


@operation(0.3)
def limit_memory(self):
    xichan.set_memory_limit(xichan.memory_stats().bytes + self.rng.choice((0, 1000, 100_000)))
    try:
        for _ in range(3):
            with contextlib.suppress(*REFUSALS):
                send(self)
    finally:
        xichan.set_memory_limit(None)


@operation(3)
def use_queue(self):
    queue = self.choose(self.queues)
    number = self.queues.index(queue)
    if self.rng.random() < 0.5:
        self.numbers[self.name] += 1
        item = (number, self.name, self.numbers[self.name], random_value(self.rng, 1))
        queue.put(item, self.rng.random() < 0.5, self.timeout())
        self.log.put.append(item[:3])
    else:
        item = queue.get(self.rng.random() < 0.5, self.timeout())
        self.log.got.append(item[:3])
        queue.task_done()
    assert queue.unfinished_tasks >= 0


def act(seed, name, ids, names, ends, queues, steps):
    """Perform `steps` operations; return the report. The endpoints that are left are dropped."""
    actor = Actor(seed, name, ids, names, ends, queues)
    for _ in range(steps):
        actor.step()
    return actor.log.report()


def consume(seed, name, ids, channel, rx):
    """Receive until the channel ends, with every blocking form; return the report."""
    actor = Actor(seed, name, ids, (), [(channel, None, rx)], ())
    with contextlib.suppress(xichan.ChannelClosed):
        while True:
            match actor.rng.randrange(4):
                case 0:
                    actor.take(rx.recv())
                case 1:
                    for message in rx.recv_many(10, copy=False):
                        actor.take(message)
                case 2:
                    actor.take(xichan.select([rx])[1])
                case 3:
                    for message in rx:
                        actor.take(message)
                        if actor.rng.random() < 0.3:
                            break
    return actor.log.report()


def produce(seed, name, ids, channel, tx, count):
    """Send `count` messages, with every blocking form; return the report."""
    actor = Actor(seed, name, ids, (), [(channel, tx, None)], ())
    sender = actor.senders[0][1]
    with contextlib.suppress(xichan.ChannelClosed):
        for _ in range(count):
            try:
                message = actor.message(channel, sender)
                match actor.rng.randrange(3):
                    case 0:
                        tx.send(message)
                    case 1:
                        if tx.send_many([message]) == 0:
                            break
                    case 2:
                        xichan.select([(tx, message)])
            except xichan.MemoryLimitExceeded:
                continue
            except ValueError as error:
                assert TOO_LARGE in str(error), error
                continue
            actor.log.sent.append(message[:3])
    return actor.log.report()


def run_job(job, results):
    """Run the functions above in another interpreter, and report; for the driver."""
    kind, *arguments = job
    found = {"act": act, "consume": consume, "produce": produce}[kind](*arguments)
    while True:
        try:
            return results.send(found)
        except xichan.MemoryLimitExceeded:
            xichan.set_memory_limit(None)


class Model:
    """Collects the reports of all actors and checks them."""

    def __init__(self):
        self.sent = defaultdict(set)
        self.uncertain = defaultdict(set)
        self.received = defaultdict(set)
        self.put = defaultdict(list)
        self.got = defaultdict(list)

    def add(self, report):
        sent, uncertain, received, put, got = report
        for entry in sent:
            assert entry not in self.sent[entry[0]], f"sent twice: {entry}"
            self.sent[entry[0]].add(entry)
        for entry in uncertain:
            self.uncertain[entry[0]].add(entry)
        last = {}
        for entry in received:
            channel, sender, number = entry
            assert entry not in self.received[channel], f"received twice: {entry}"
            self.received[channel].add(entry)
            before = last.get((channel, sender), 0)
            assert before < number, f"out of order: {entry} after number {before}"
            last[channel, sender] = number
        for entry in put:
            self.put[entry[0]].append(entry)
        for entry in got:
            self.got[entry[0]].append(entry)

    def check_channel(self, channel, stats, may_discard):
        """`stats`: final statistics, or None if the channel is gone. `may_discard`: messages may be missing."""
        sure, received = self.sent[channel], self.received[channel]
        possible = sure | self.uncertain[channel]
        assert received <= possible, f"received but never sent: {sorted(received - possible)[:5]}"
        missing = sure - received
        assert not missing or may_discard, f"{len(missing)} lost: {sorted(missing)[:5]}"
        if stats is None:
            return
        low, high = len(sure | received), len(possible)
        assert low <= stats.sent <= high, f"{stats.sent} accepted, expected {low} to {high}"
        assert stats.received == len(received), f"{stats.received} received, the actors received {len(received)}"
        discarded = stats.sent - stats.received
        assert stats.depth == 0 and len(missing) <= discarded <= len(possible - received), (stats, len(missing))

    def check_queue(self, number, left):
        """`left`: the items that were still in the queue."""
        got = self.got[number] + [item[:3] for item in left]
        assert len(set(got)) == len(got) and sorted(got) == sorted(self.put[number])

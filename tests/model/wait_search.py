"""The search of wait_protocol.py: every state that a configuration can reach."""

import dataclasses
from collections import deque

from wait_memory import Memory, Violation, put
from wait_protocol import Protocol


class LocalStates:
    """The threads' own states as small numbers. A generator cannot be copied: each state keeps the results that led
    to it, and what comes next is found once, by replay."""

    def __init__(self, config, protocol):
        self.config, self.protocol = config, protocol
        self.numbers, self.origins, self.operations, self.moves = {}, [], [], {}

    def next(self, local, result):
        if (local, result) not in self.moves:
            spec, results = self.origins[local]
            self.moves[local, result] = self.reach(spec, (*results, result))
        return self.moves[local, result]

    def reach(self, spec, results=()):
        generator = self.protocol().thread(spec, self.config)
        key = ()
        try:
            operation = next(generator)
            for result in results:
                operation = generator.send(result)
            inner = generator
        except StopIteration:
            operation = inner = None
        while inner is not None:
            own = {name: value for name, value in inner.gi_frame.f_locals.items() if name != "self"}
            key += (inner.gi_code, inner.gi_frame.f_lasti, *own.items())
            inner = inner.gi_yieldfrom
        if key not in self.numbers:
            self.numbers[key] = len(self.operations)
            self.origins.append((spec, results))
            self.operations.append(operation)
        return self.numbers[key]


@dataclasses.dataclass
class Result:
    states: int
    transitions: int
    violation: str
    trace: tuple  # a shortest way to the violation: "thread operation(arguments) -> result"


def step(memory, local_states, me, early):
    """Takes a step of thread me and returns its result, or None if it cannot be taken."""
    name, *arguments = local_states.operations[memory.locals[me]]
    if early:
        memory.early = memory.early[1:]
    result = first = early or getattr(memory, name)(me, *arguments)
    while result is not None:
        local = local_states.next(memory.locals[me], result)
        memory.locals = put(memory.locals, me, local)
        name, *arguments = local_states.operations[local] or ("ended",)
        result = getattr(memory, name)(me, *arguments) if memory.is_private(me, name) else None
    return first


def search(config, protocol=Protocol, memory=Memory):
    """Visits all states breadth first, or stops at the first violation."""
    local_states = LocalStates(config, protocol)
    memory = memory(config, [local_states.reach(spec) for spec in config.threads])
    origins = {memory.save(): None}
    frontier = deque(origins)
    transitions, violation, last = 0, "", None
    try:
        while frontier:
            state = frontier.popleft()
            memory.load(state)
            memory.check()
            at_rest = True
            for me, operation, early in list(possible_steps(memory, local_states)):
                memory.load(state)
                last = state, me, operation, "violation"
                outcome = step(memory, local_states, me, early)
                if outcome is not None:
                    transitions += 1
                    at_rest = at_rest and early is not None
                    following = memory.save()
                    if following not in origins:
                        origins[following] = state, me, operation, outcome
                        frontier.append(following)
            if at_rest:
                last = origins[state]
                memory.load(state)
                memory.check_at_rest()
    except Violation as error:
        violation = str(error)
    return Result(len(origins), transitions, violation, trace(origins, last) if violation else ())


def possible_steps(memory, local_states):
    for me, local in enumerate(memory.locals):
        operation = local_states.operations[local]
        if operation:
            yield me, operation, None
        if operation and operation[0] == "park":
            yield from ((me, operation, early) for early in memory.early[:1])


def trace(origins, origin):
    lines = []
    while origin:
        state, me, (name, *arguments), outcome = origin
        lines.append(f"{me} {name}({', '.join(map(str, arguments))}) -> {outcome}")
        origin = origins[state]
    return tuple(reversed(lines))

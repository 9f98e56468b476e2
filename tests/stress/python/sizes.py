"""The size of each stress program: in the default tests, in `./dev test stress` and in `./dev test faults`.

Each program defines what its number counts: rounds, items or processes. The tools of ./dev read this file with the
Python that runs them, so it must stay compatible with Python 3.9.
"""

from typing import NamedTuple, Optional


class Size(NamedTuple):
    short: int
    full: int
    fault: Optional[int] = None  # for programs that inject faults


SIZES = {
    "blocked_exit": Size(30, 500, 200),
    "cancelled": Size(400, 10_000),
    "chains": Size(100_000, 1_000_000),
    "close_races": Size(1000, 20_000),
    "ctrl_c": Size(5, 200, 30),
    "deadlock_reports": Size(20, 10_000),
    "exits": Size(2, 1000, 20),
    "forks": Size(20, 1000, 200),
    "ids": Size(50_000, 10_000_000),
    "imports": Size(4, 200, 40),
    "interpreters_in_traffic": Size(30, 500, 100),
    "interrupts": Size(300, 10_000),
    "lent_exit": Size(30, 10_000, 500),
    "out_of_memory": Size(3, 1000, 30),
    "remote_faults": Size(1, 20, 20),
    "round_trips": Size(20_000, 1_000_000),
    "select_traffic": Size(20_000, 1_000_000),
    "sender_exit": Size(60, 10_000, 500),
    "signal_storm": Size(50, 2000, 500),
    "soak": Size(40_000, 2_000_000),
    "state_histories": Size(40_000, 1_000_000),
    "state_machine": Size(3, 3000),
    "state_soak": Size(100_000, 10_000_000),
    "stopped_peers": Size(200, 20_000, 2000),
    "timeouts": Size(20_000, 200_000),
    "value_kinds": Size(150, 200_000),
    "worker_cycles": Size(24, 1000),
}

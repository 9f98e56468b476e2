"""Receive a large value once, and look up one part of it many times: the cost of a view and of the plain object."""

from xichan.bench.workloads.single_thread import SingleThread


class Lookup(SingleThread):
    role = "look_up"

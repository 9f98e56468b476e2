"""The configurations of threads that are searched."""

from wait_memory import INTERRUPTED, RECV, SEND, TIMEOUT, Config


def sends(calls=1, leaves=False):
    return SEND, calls, leaves


def recvs(calls=1, leaves=False):
    return RECV, calls, leaves


SHUTDOWN, SHUTDOWN_NOW = ("shutdown", False), ("shutdown", True)
# Named by senders x receivers and capacity; a thread makes one call unless said otherwise.
CONFIGS = {
    config.name: config
    for config in [
        Config("2x1 c1", 1, (sends(2), sends(2), recvs(2))),
        Config("1x2 c1", 1, (sends(2), recvs(), recvs())),
        Config("1x2 c2", 2, (sends(2), recvs(), recvs())),
        Config("2x2 c1", 1, (sends(), sends(), recvs(), recvs())),
        Config("2x2 c2", 2, (sends(), sends(), recvs(), recvs())),
        Config("2x1 c1, full", 1, (sends(), sends(), recvs(2)), queued=1),
        Config("2x2 c2, full", 2, (sends(), sends(), recvs(), recvs()), queued=2),
        Config("2x2 c1, 3 messages", 1, (sends(2), sends(), recvs(2), recvs())),
        Config("2x2 c2, 3 messages", 2, (sends(2), sends(), recvs(2), recvs())),
        Config("2x3 c3, 3 messages", 3, (sends(2), sends(), recvs(), recvs(), recvs())),
        Config("2x2 c1, timeouts", 1, (sends(), sends(), recvs(), recvs()), early=(TIMEOUT, TIMEOUT)),
        Config("2x2 c2, timeouts", 2, (sends(2), sends(), recvs(), recvs()), early=(TIMEOUT, TIMEOUT)),
        Config("2x2 c1, interrupts", 1, (sends(), sends(), recvs(), recvs()), early=(INTERRUPTED, TIMEOUT)),
        Config("1x2 c1, senders leave", 1, (sends(2, True), recvs(2), recvs(2))),
        Config("2x2 c1, senders leave", 1, (sends(1, True), sends(1, True), recvs(2), recvs())),
        Config("2x1 c1, receiver leaves", 1, (sends(2), sends(), recvs(1, True))),
        Config("2x1 c2, receiver leaves", 2, (sends(2), sends(2), recvs(1, True))),
        Config("2x2 c1, receivers leave", 1, (sends(), sends(), recvs(1, True), recvs(1, True))),
        Config("2x2 c1, all leave", 1, (sends(1, True), sends(1, True), recvs(1, True), recvs(1, True))),
        Config("1x2 c1, shutdown", 1, (sends(), recvs(), recvs(), SHUTDOWN)),
        Config("1x3 c1, shutdown", 1, (sends(), recvs(), recvs(), recvs(), SHUTDOWN)),
        Config("2x2 c1, shutdown", 1, (sends(), sends(), recvs(), recvs(), SHUTDOWN)),
        Config("1x2 c1, shutdown now", 1, (sends(), recvs(), recvs(), SHUTDOWN_NOW)),
        Config("2x1 c2, shutdown now", 2, (sends(), sends(), recvs(), SHUTDOWN_NOW)),
        Config("1x1 c1, leave and shutdown now", 1, (sends(2, True), recvs(1, True), SHUTDOWN_NOW)),
        Config("1x2 c1, receiver closed", 1, (sends(), recvs(1, True), recvs(1, True), ("close", 1))),
        Config("2x2 c2, receiver closed", 2, (sends(), sends(), recvs(1, True), recvs(1, True), ("close", 2))),
        Config("2x1 c1, last receiver closed", 1, (sends(), sends(), recvs(1, True), ("close", 2))),
        Config("2x1 c1, sender closed", 1, (sends(1, True), sends(2, True), recvs(2), ("close", 0))),
    ]
}

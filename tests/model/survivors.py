"""Mutants that no model is expected to notice, and why that is right. A survivor that is not listed is an open one."""

LOOKS_AGAIN = (
    "No call goes to sleep on what the ring's try_push or try_pop answered: after it enlisted it looks with can_push, "
    "can_pop and is_closed, each of which is sequentially consistent. By R3 a mark that is seen is final."
)
ONLY_WHEN_CLOSED = (
    "size() decides something in enlist alone, when the ring is closed: the tail then stands still (R3), and whoever "
    "moves the head looks at the waiters afterwards (rule (a), for which a closed ring counts as ready)."
)
UNDER_THE_LOCK = (
    "Who decides holds the lock of the lists, and the owner takes it in delist before it looks for good: the lock "
    "orders what the decision brings. What is seen before that only ends the sleep."
)
AN_OLDER_COUNT_IS_LARGER = "Who reads a count from before takes the lock and finds nobody; additions keep their order."
LOOKS_TWICE = (
    "The futex compares the word itself, and delist is followed by another look at the decision: each of the two looks "
    "in park spares a system call or a turn, and neither decides."
)
FOR_CALLERS = "A promise to those who ask for the figure; the channel itself decides nothing by it."

# (file, part of the line, what it becomes): reason
SURVIVORS = {
    ("src/ring/mpmc.h", "if (slot.turn.load(", "memory_order_acquire"): LOOKS_AGAIN,
    ("src/ring/mpmc.h", "again = tail_.load(", "memory_order_acquire"): LOOKS_AGAIN,
    ("src/ring/mpmc.h", "again = tail_.load(", "memory_order_relaxed"): LOOKS_AGAIN,
    ("src/ring/mpmc.h", "const std::uint64_t tail = tail_.load(", "memory_order_acquire"): LOOKS_AGAIN,
    ("src/ring/mpmc.h", "const std::uint64_t tail = tail_.load(", "memory_order_relaxed"): LOOKS_AGAIN,
    ("src/ring/mpmc.h", "const std::uint64_t head = head_.load(", "memory_order_acquire"): ONLY_WHEN_CLOSED,
    ("src/ring/mpmc.h", "const std::uint64_t head = head_.load(", "memory_order_relaxed"): ONLY_WHEN_CLOSED,
    ("src/ring/mpmc.h", "!= tail) continue;", "memory_order_acquire"): ONLY_WHEN_CLOSED,
    ("src/ring/mpmc.h", "!= tail) continue;", "memory_order_relaxed"): ONLY_WHEN_CLOSED,
    ("src/sync/wait_list.cpp", "count_.fetch_sub(", "memory_order_acq_rel"): AN_OLDER_COUNT_IS_LARGER,
    ("src/sync/wait_list.cpp", "count_.fetch_sub(", "memory_order_relaxed"): AN_OLDER_COUNT_IS_LARGER,
    ("src/sync/thread_waiter.h", "state_.load(", "memory_order_relaxed"): UNDER_THE_LOCK,
    ("src/sync/thread_waiter.h", "state_.compare_exchange_strong(", "memory_order_acquire"): UNDER_THE_LOCK,
    ("src/sync/thread_waiter.h", "state_.compare_exchange_strong(", "memory_order_release"): UNDER_THE_LOCK,
    ("src/sync/thread_waiter.cpp", "if (is_decided())", "false"): LOOKS_TWICE,
    ("src/channel/channel.h", "is_shut_down() const", "memory_order_relaxed"): FOR_CALLERS,
    ("src/channel/channel.h", "end_count(Side side) const", "memory_order_relaxed"): FOR_CALLERS,
    ("src/channel/channel.cpp", "shut_down_.store(true", "memory_order_relaxed"): FOR_CALLERS,
}


def reason_for(mutant):
    """Why this mutant may survive, or None."""
    for (file, part, after), reason in SURVIVORS.items():
        if file == mutant.file and part in mutant.code and after == mutant.after:
            return reason
    return None

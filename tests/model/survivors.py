"""Mutants that no model is expected to kill, with the reasons. A survivor that is not listed is an open question."""

LOOKS_AGAIN = (
    "No call goes to sleep on the result of the ring's try_push or try_pop: after it enlisted it looks with can_push, "
    "can_pop and is_closed, each of which is sequentially consistent. By R3 a mark that is seen is final."
)
ONLY_WHEN_CLOSED = (
    "size() decides something in enlist alone, when the ring is closed: the tail then stands still (R3), and a thread"
    " that moves the head looks at the waiters afterwards (rule (a), for which a closed ring counts as ready). An old"
    " head is not read: enlist was in can_pop before, which read the turn at its head. If that was old, a consumer "
    "had emptied the slot; (4) synchronizes with the look at its turn, so the consumer's move of the head is visible,"
    " and by (16) all moves before it."
)
ONLY_WHEN_CLOSED_SEGMENTED = (
    "size() decides something in enlist alone, when the ring is closed: the tail then stands still, and a thread that"
    " moves the head looks at the waiters afterwards. Before that enlist has read both counters sequentially "
    "consistently (can_pop the head, is_closed the tail), and what size() reads cannot be older."
)
THE_TURN_DECIDES = (
    "The claim publishes nothing, the turn does, and an old position fails the compare-and-swap. Where a position "
    "that was read without (16) leads to a turn that is not ready, the call returns full or empty, and a call that "
    "goes to sleep looks again by slot_is_ready, with its own acquire load."
)
MOVED_ANYWAY = (
    "An old position shows a slot that another thread has passed. If its turn says so, the look at it, sequentially "
    "consistent, synchronizes with (2) or (4), and no later load of the counter returns an older value. If it does "
    "not, that store comes later in the single order than the look, and so does the storer's look at the waiters. A "
    "mark that try_push misses is_closed finds in enlist."
)
NEVER_OLDER = (
    "Does not happen in the model: the head is claimed with release by a thread that saw the turn at it, and so the "
    "claim of the tail; the second look at the tail, after the look at the head, sees that. The bound is kept for the"
    " reader."
)
A_POSITION_IS_CLAIMED_ONCE = (
    "A segment's positions are never used twice, the turn publishes and a claim publishes nothing. An old tail or "
    "head fails the compare-and-swap, or covers() sends the call round; can_pop returns true in vain at worst, "
    "and the caller tries again. Where the second look at the head returns an old one, others have moved the head "
    "since the first, sequentially consistent, look: they look at the waiters afterwards (rule (a))."
)
SEEN_BEFORE = (
    "The caller has read the same word just before, in has_attention, sequentially consistent: the second look "
    "cannot return an older value."
)
NEEDLESS = (
    "By the time the last pin goes, closers and publishers have discarded everything (NEEDLESS in "
    "test_channel_life.py). The call remains, because it costs nothing."
)
THE_SWAP_ACQUIRES = (
    "A side that is free is claimed by the compare-and-swap, whose success acquires once more. A thread that finds "
    "its own lane needs nothing of another: the ring orders threads that share an endpoint. Claiming "
    "publishes nothing."
)
BYTES_ONLY_COUNT = (
    "The figure publishes nothing. An old one that is lower fails the compare-and-swap, and one that is higher means "
    "`full`, after which a call that goes to sleep looks again (enlist, sequentially consistent, with the release "
    "of bytes)."
)
TOKENS_TELL_OF_THE_END = (
    "The receiver of the last item of a closed ring wakes one (rule (a)), every discard is followed by a wake-up, and"
    " from there on `closed` is passed on with the token. Passing it on without one as well, or a used token, causes "
    "a needless wake-up at worst."
)
THE_LOCK_ORDERS_BOTH = (
    "Closing a handle sets the flag and then takes the lock of the list, and a waiter has taken it to add its "
    "node: either the closer finds the node, or the flag was set before the lock that the waiter took."
)
UNDER_THE_LOCK = (
    "The deciding thread holds the lock of the lists, and the owner takes it in delist before its final look: the lock "
    "orders the decision's data. What is seen before that only ends the sleep."
)
ONLY_THE_SWAP_COUNTS = (
    "Of the steps that wake a joiner this load is none: the swap is. An acquire shows the messages that were accepted."
)
AN_OLDER_COUNT_IS_LARGER = "A reader of an older count takes the lock and finds no waiter; additions keep their order."
LOOKS_TWICE = (
    "The futex compares the word itself, and the decision is read again after delist: each of the two reads in park "
    "saves a system call or an iteration, and neither decides."
)
EITHER_COUNTER = (
    "In the models a thread that takes a message or a slot has made another one ready before, so that both counters "
    "show the move. They differ only if a sender or receiver that claimed before the versions were read publishes "
    "between them."
)
BOTH_PASSES_FOR_MIXED_SELECTS = (
    "A select over rings alone needs only the second pass, and one over rendezvous alone only the first; see "
    "select.cpp. All channels of a model are of one kind."
)
THE_ATTEMPT_SHOWS_IT = (
    "The attempts between the two looks at the version read the count of the list or the tail, sequentially "
    "consistent, and these change with the version. The model runs one access after the other, and there the second "
    "look does not return a value from before that."
)
WITHOUT_THE_LOCK = "Only saves a call without a peer from taking the lock; stopped_test.cpp is about that."
FOR_CALLERS = "A promise to callers that read the figure; the channel itself decides nothing by it."
FAIRNESS = (
    "A claim only delays other senders: without it no wake-up is lost, but a large message may starve, which no search "
    "of finitely many calls shows. tests/cpp/channel/byte_bound_test.cpp counts the messages that pass."
)
TRIES_AGAIN = "The caller tries again at once instead of going to sleep: wrong only in the processor time it takes."
NEVER_RETURNS = (
    "Needed for a call that no longer runs (its interpreter has ended, or its signal handlers run). The calls of the "
    "models return, and end their claim themselves."
)
# (file, part of the line, or the end of the line above, a line break and a part, what it becomes, where the line has
# several with what it was: "release -> relaxed"): reason
SURVIVORS = {
    (
        "src/ring/mpmc.h",
        "std::uint64_t tail = tail_.load(memory_order_acquire)",
        "memory_order_relaxed",
    ): THE_TURN_DECIDES,
    (
        "src/ring/mpmc.h",
        "std::uint64_t head = head_.load(memory_order_acquire)",
        "memory_order_relaxed",
    ): THE_TURN_DECIDES,
    ("src/ring/mpmc.h", "if (tail_.compare_exchange_weak(", "acquire -> relaxed"): THE_TURN_DECIDES,
    ("src/ring/mpmc.h", "if (head_.compare_exchange_weak(", "acquire -> relaxed"): THE_TURN_DECIDES,
    ("src/ring/mpmc.h", "if (!tail_.compare_exchange_weak(", "acquire -> relaxed"): THE_TURN_DECIDES,
    ("src/ring/mpmc.h", "if (!head_.compare_exchange_weak(", "acquire -> relaxed"): THE_TURN_DECIDES,
    (
        "src/ring/mpmc.h",
        "if (place.slot.turn.load(memory_order_seq_cst) == place.lap) {",
        "memory_order_acquire",
    ): LOOKS_AGAIN,
    ("src/ring/mpmc.h", "again = counter.load(", "memory_order_acquire"): MOVED_ANYWAY,
    (
        "src/ring/mpmc.h",
        "return tail_.load(memory_order_seq_cst) == (head | mark_)",
        "memory_order_acquire",
    ): LOOKS_AGAIN,
    ("src/ring/mpmc.h", "const std::uint64_t tail = tail_.load(", "memory_order_acquire"): ONLY_WHEN_CLOSED,
    ("src/ring/mpmc.h", "const std::uint64_t head = head_.load(", "memory_order_acquire"): ONLY_WHEN_CLOSED,
    ("src/ring/mpmc.h", "!= tail) continue;", "memory_order_acquire"): ONLY_WHEN_CLOSED,
    ("src/ring/mpmc.h", "again = counter.load(", "memory_order_relaxed"): MOVED_ANYWAY,
    (
        "src/ring/mpmc.h",
        "return tail_.load(memory_order_seq_cst) == (head | mark_)",
        "memory_order_relaxed",
    ): LOOKS_AGAIN,
    ("src/ring/mpmc.h", "const std::uint64_t tail = tail_.load(", "memory_order_relaxed"): ONLY_WHEN_CLOSED,
    ("src/ring/mpmc.h", "const std::uint64_t head = head_.load(", "memory_order_relaxed"): ONLY_WHEN_CLOSED,
    ("src/ring/mpmc.h", "!= tail) continue;", "memory_order_relaxed"): ONLY_WHEN_CLOSED,
    ("src/ring/mpmc.h", "distance > UINT64_MAX / 2", "false"): NEVER_OLDER,
    (
        "src/ring/segmented.h",
        "std::uint64_t tail = tail_.load(memory_order_seq_cst);",
        "memory_order_acquire",
    ): A_POSITION_IS_CLAIMED_ONCE,
    (
        "src/ring/segmented.h",
        "return tail_.load(memory_order_seq_cst) == (head * 2 | mark)",
        "memory_order_acquire",
    ): LOOKS_AGAIN,
    ("src/ring/segmented.h", "position = head_.load(", "memory_order_acquire"): A_POSITION_IS_CLAIMED_ONCE,
    (
        "src/ring/segmented.h",
        "if (head_.load(memory_order_seq_cst) == position)",
        "memory_order_acquire",
    ): A_POSITION_IS_CLAIMED_ONCE,
    ("src/ring/segmented.h", "head = head_.load(", "memory_order_acquire"): ONLY_WHEN_CLOSED_SEGMENTED,
    ("src/ring/segmented.h", "== tail) return tail / 2 - head", "memory_order_acquire"): ONLY_WHEN_CLOSED_SEGMENTED,
    (
        "src/ring/segmented.h",
        "std::uint64_t tail = tail_.load(memory_order_seq_cst);",
        "memory_order_relaxed",
    ): A_POSITION_IS_CLAIMED_ONCE,
    (
        "src/ring/segmented.h",
        "return tail_.load(memory_order_seq_cst) == (head * 2 | mark)",
        "memory_order_relaxed",
    ): LOOKS_AGAIN,
    ("src/ring/segmented.h", "position = head_.load(", "memory_order_relaxed"): A_POSITION_IS_CLAIMED_ONCE,
    (
        "src/ring/segmented.h",
        "if (head_.load(memory_order_seq_cst) == position)",
        "memory_order_relaxed",
    ): A_POSITION_IS_CLAIMED_ONCE,
    ("src/ring/segmented.h", "head = head_.load(", "memory_order_relaxed"): ONLY_WHEN_CLOSED_SEGMENTED,
    ("src/ring/segmented.h", "== tail) return tail / 2 - head", "memory_order_relaxed"): ONLY_WHEN_CLOSED_SEGMENTED,
    ("src/ring/segmented.h", "tail_.compare_exchange_weak(", "memory_order_acq_rel"): A_POSITION_IS_CLAIMED_ONCE,
    ("src/ring/segmented.h", "head_.compare_exchange_weak(", "memory_order_acq_rel"): A_POSITION_IS_CLAIMED_ONCE,
    ("src/ring/segmented.h", "tail_.compare_exchange_weak(", "memory_order_relaxed"): A_POSITION_IS_CLAIMED_ONCE,
    ("src/ring/segmented.h", "head_.compare_exchange_weak(", "memory_order_relaxed"): A_POSITION_IS_CLAIMED_ONCE,
    ("src/sync/wait_list.cpp", "count_.fetch_sub(", "memory_order_acq_rel"): AN_OLDER_COUNT_IS_LARGER,
    ("src/sync/wait_list.cpp", "count_.fetch_sub(", "memory_order_relaxed"): AN_OLDER_COUNT_IS_LARGER,
    ("src/sync/wait_list.h", "bool demands_attention()", "memory_order_acquire"): SEEN_BEFORE,
    ("src/sync/wait_list.h", "bool demands_attention()", "memory_order_relaxed"): SEEN_BEFORE,
    ("src/sync/decision.h", "word_.load(", "memory_order_relaxed"): UNDER_THE_LOCK,
    ("src/sync/decision.h", "word_.compare_exchange_strong(", "memory_order_acquire"): UNDER_THE_LOCK,
    ("src/sync/decision.h", "word_.compare_exchange_strong(", "memory_order_release"): UNDER_THE_LOCK,
    ("src/sync/thread_waiter.cpp", "if (is_decided())", "false"): LOOKS_TWICE,
    ("src/channel/channel.h", "is_shut_down() const", "memory_order_relaxed"): FOR_CALLERS,
    ("src/channel/channel.h", "endpoint_count(Side side) const", "memory_order_relaxed"): FOR_CALLERS,
    ("src/channel/channel.cpp", "shut_down_.store(true", "memory_order_relaxed"): FOR_CALLERS,
    ("src/channel/byte_bound.h", "reserved = reserved_.load(", "memory_order_acquire"): BYTES_ONLY_COUNT,
    ("src/channel/byte_bound.h", "reserved = reserved_.load(", "memory_order_relaxed"): BYTES_ONLY_COUNT,
    ("src/channel/byte_bound.h", "reserved_.compare_exchange_weak(", "memory_order_acq_rel"): BYTES_ONLY_COUNT,
    ("src/channel/byte_bound.h", "reserved_.compare_exchange_weak(", "memory_order_relaxed"): BYTES_ONLY_COUNT,
    ("src/channel/bounded_send.cpp", "bytes_.note_accepted(cost, ticket)", ""): FAIRNESS,
    ("src/channel/bounded_send.cpp", "bytes_.offer_claim(node)", ""): FAIRNESS,
    ("src/channel/bounded_send.cpp", "return can_proceed(node)", "(can_proceed(node), true)"): TRIES_AGAIN,
    ("src/channel/bounded_send.cpp", "if (ring_.size() == 0) lapse_claim()", ""): NEVER_RETURNS,
    ("src/channel/bounded_send.cpp", "is_claimed_for(owner)) return;\nbytes_.end_claim()", ""): NEVER_RETURNS,
    ("src/channel/channel.cpp", "Lane* seen = owner.load(", "memory_order_relaxed"): THE_SWAP_ACQUIRES,
    ("src/channel/channel.cpp", "owner.compare_exchange_strong(seen", "acq_rel -> acquire"): THE_SWAP_ACQUIRES,
    ("src/channel/channel.cpp", "owner.compare_exchange_strong(seen", "acquire -> relaxed"): THE_SWAP_ACQUIRES,
    ("src/channel/task_count.h", "std::uint64_t done = done_.load(", "memory_order_acquire"): ONLY_THE_SWAP_COUNTS,
    ("src/channel/task_count.h", "done_.compare_exchange_weak(", "memory_order_acquire"): ONLY_THE_SWAP_COUNTS,
    (
        "src/channel/channel.cpp",
        "claims_[static_cast<unsigned>(side)].compare_exchange_strong(",
        "acq_rel -> release",
    ): THE_SWAP_ACQUIRES,
    ("src/channel/channel.cpp", "if (flavor_ == Flavor::rendezvous) return arrivals_", "memory_order_acquire"): (
        THE_ATTEMPT_SHOWS_IT
    ),
    ("src/channel/channel.cpp", "if (flavor_ == Flavor::rendezvous) return arrivals_", "memory_order_relaxed"): (
        THE_ATTEMPT_SHOWS_IT
    ),
    ("src/channel/channel.cpp", "return ring_.pop_version();", "ring_.push_version()"): EITHER_COUNTER,
    ("src/channel/channel.cpp", "return ring_.push_version()", "ring_.pop_version()"): EITHER_COUNTER,
    ("src/channel/rendezvous.cpp", "if (!has_peers)", "false"): WITHOUT_THE_LOCK,
    ("src/channel/rendezvous.cpp", "arrivals_[", "memory_order_acq_rel"): THE_ATTEMPT_SHOWS_IT,
    ("src/channel/rendezvous.cpp", "arrivals_[", "memory_order_relaxed"): THE_ATTEMPT_SHOWS_IT,
    ("src/channel/select.cpp", "pass < 2", "1"): BOTH_PASSES_FOR_MIXED_SELECTS,
    ("src/channel/channel.cpp", "retire_(*this);\ndiscard_queued()", ""): NEEDLESS,
    (
        "src/channel/select.cpp",
        "if (status == Status::closed ||",
        "failed && token && chosen == waiter.index()",
    ): TOKENS_TELL_OF_THE_END,
    ("src/channel/select.cpp", "if (status == Status::closed ||", "token"): TOKENS_TELL_OF_THE_END,
    ("src/channel/select.cpp", "bool is_end_closed(", "memory_order_acquire"): THE_LOCK_ORDERS_BOTH,
    ("src/channel/select.cpp", "bool is_end_closed(", "memory_order_relaxed"): THE_LOCK_ORDERS_BOTH,
}


def matches(entry, mutant):
    """Whether a key of SURVIVORS names this mutant."""
    file, part, after = entry
    orders = f"{mutant.before} -> {mutant.after}".replace("memory_order_", "")
    code = f"{mutant.above}\n{mutant.code}" if "\n" in part else mutant.code
    return file == mutant.file and part in code and after in (mutant.after, orders)


def reason_for(mutant):
    """Why this mutant may survive, or None."""
    return next((reason for entry, reason in SURVIVORS.items() if matches(entry, mutant)), None)

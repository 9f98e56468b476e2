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
AN_OLD_HEAD_FAILS_TO_CLAIM = (
    "A receiver that reads an old head finds a turn there that is published, and its compare-and-swap fails; or one "
    "whose producer publishes it later, and then looks at the waiters. So it does not sleep because of the old head."
)
SEEN_BEFORE = (
    "The caller has read the same word just before, in has_attention, sequentially consistent: the second look "
    "cannot return an older value."
)
NEEDLESS = (
    "By the time the last pin goes, closers and publishers have discarded everything (NEEDLESS in "
    "test_channel_life.py). The call remains, because it costs nothing."
)
THE_SAME_TURN_BEFORE = (
    "The caller has read the same turn just before, sequentially consistent: the second look cannot return an older "
    "value."
)
NO_ACCESS_MAKES_LINES = (
    "Orders what the allocator does with the memory of the lines before their first use. In the models no access that "
    "the checker watches makes them."
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
UNDER_THE_LOCK = (
    "The deciding thread holds the lock of the lists, and the owner takes it in delist before its final look: the lock "
    "orders the decision's data. What is seen before that only ends the sleep."
)
THE_TAKER_GOES_ON = (
    "A thread that finds the watch taken leaves the rest to the thread that took it. That one nudges a sleeper, sweeps "
    "or gives up the watch, each of them after it took it, and by accesses that are sequentially consistent."
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
THE_ATTEMPT_READ_IT = (
    "The second attempt of try_any is refused because of numbers that it reads, sequentially consistent, and the look "
    "at the version that follows returns no older ones (coherence). A number that it has not read has not refused it: "
    "without bytes for a message, the bytes that have passed a claim do not matter. A first look that returns an old "
    "number starts over in vain, and in the checker, which runs the threads in one order, none returns a later one."
)
THE_COUNT_SHOWS_IT = (
    "The second attempt of try_any finds no peer in the list's count, or under the lock. A peer that came and left "
    "since the first attempt has changed the count twice, sequentially consistent: the attempt that reads the second "
    "change makes the arrival before it visible to the look at the version that follows. A first look that returns an "
    "old number starts over in vain."
)
NEVER_FULL = (
    "A push into a segmented ring is refused only by a close, which is permanent, or without memory; under a byte "
    "bound the version counts the bytes as well."
)
SERVED_BY_THE_OTHER = (
    "What refuses a notified sender is the success of another thread, or a reservation that it releases, and that "
    "thread wakes senders afterwards (Y5). Rule (d) helps while it is stopped in between; in the models every call "
    "returns."
)
WITHOUT_THE_LOCK = "Only saves a call without a peer from taking the lock; stopped_test.cpp is about that."
FOR_CALLERS = "A promise to callers that read the figure; the channel itself decides nothing by it."
ENDED_BY_THE_CALL = (
    "A call whose message was accepted ends its claim before it returns, and then wakes senders. Ending it here spares "
    "them the time in between."
)
SEEN_BEFORE_THE_NEXT_SLEEP = (
    "A call that was cancelled has taken the lock since, after its closer, and sees the flag. One that misses the flag "
    "here looks again before it sleeps, sequentially consistent."
)
CLAIMS_END_UNDER_THE_LOCK = (
    "A claim ends under the lock of the lists, and a sender that goes to sleep looks at it under that lock. One that "
    "reads an ended claim without the lock is refused, and looks again."
)
PASSES_ONCE_MORE = (
    "An old count admits a message once too often, which the bound on passing messages allows (see the members of "
    "ByteBound). No thread waits for the count to grow."
)
RELEASED_SHOWS_IT = (
    "Bytes are released after their reservation, and the load of what was released synchronizes with the release: the "
    "second look at what was reserved returns no value from before that reservation."
)
CLAIM_UNSEEN = (
    "A sender sleeps because of a claim only after it has seen it under the lock, and one that misses it passes once. "
    "A receiver that empties the channel usually has received from a sender that saw the claim, or has taken the lock "
    "since. Without either it could miss a claim that should lapse: claim_unseen looks for that, and has not found it."
)
AN_OLD_LINK_FAILS = (
    "The link of a segment changes once while it is linked: an old value fails the compare-and-swap, and a value other "
    "than the expected one is the new one."
)
THE_LINK_IS_OLD = (
    "If the segment is used again, the shared links have moved on, and a compare-and-swap that expects the old link "
    "fails. The look at `next` spares it."
)
ONLY_WAITS = (
    "The thread that linked the next segment moves the link itself; until then producers go round. So no call would be "
    "wrong, but one would wait for a stopped thread, which tests/cpp/channel/stopped_test.cpp is about."
)
COHERENCE = (
    "A thread that waits at the gate has read an identity other than its own, and stores its own only after it has "
    "passed. No later load returns an older one."
)
REFUSED = "A thread that the gate refuses touches nothing of the interpreter afterwards."
PHASE_ENDS_LIFETIMES = (
    "The locks of the list and of the loop order all plain accesses to a call. The phase orders the last accesses of "
    "the thread that is first before the end of the call, of the channel and of the loop, in the second one. The "
    "checker notices a use after the end in the order of its schedule, and here none is."
)
ONE_NODE = "A call has one node, and the first decision unlinks it: there is no second one."
UNLINKED_BY_THE_DECISION = (
    "The peer that decides a call has unlinked its node before, and accesses neither afterwards (W2). The call "
    "remains, so that all waiters obey W4."
)
MEMORY_IS_THERE = "Matters only if memory is exhausted, which does not happen in the models."
NEEDLESS_TOKEN = (
    "A call that is complete is in no list and keeps no value; abandoning it passes a token on, which causes a "
    "needless wake-up at worst."
)
# (file, part of the line, or the end of the line above, a line break and a part, what it becomes, where the line has
# several with what it was: "release -> relaxed"): reason
EITHER_SYNCHRONIZES = (
    "The fetch_add and the compare-and-swap of make_available both read from the release sequences of all earlier "
    "fetch_adds on the word, so the acquire of one of them is enough. The compare-and-swap publishes nothing: a thread "
    "that reads its zero takes no block."
)
COMPARES_AGAIN = "The compare-and-swap compares with the same value; the test before it only saves one that would fail."

DESTRUCTION_IS_NOT_CHECKED = (
    "The order keeps the last use of a lender before its destruction. The checker orders no plain access with a "
    "destructor: what a lender has besides its atomics is constant, or guarded by the lock of its owner."
)

A_FIELD_OF_16_BITS = (
    "The bound keeps the number of readers within its 16 bits, which the few threads of a model never fill."
)
IN_ORDER_ONLY = (
    "Decides the order in which calls are served, not whether they are. The order of calls that wait is asserted; that "
    "a new call does not pass them is tested in tests/python/state."
)
FOR_PROGRAMS = (
    "Sequentially consistent so that programs can order other memory by it; the object itself needs less. Waiting calls"
    " look again in admit()."
)
FAILED_AFTER_A_LOOK = (
    "A failure reads no older value than the sequentially consistent look before it, which found the lock or a unit "
    "free. If it reads that it is taken, the owner took it after that look, releases it later in the single order than "
    "the caller joined the queue, and so sees the caller when it looks at the waiters."
)
TOO_FEW_WAITERS = (
    "A batch that is full needs more waiters at once than a model has threads. tests/python/state wakes a hundred."
)
A_FULL_WORD_THAT_BECOMES_NULL = (
    "Looks again after the word had as many readers as it can count. The order matters if the word is null by then: "
    "that takes these readers, one more, and a writer, which are more threads than a model has."
)
A_CHANGE_OF_THE_NEWEST = (
    "A read-modify-write changes the newest value. The checker orders the changes of a word as they happen, so it can "
    "not order this one before the store that preceded the mark; (46) forbids that elsewhere."
)
FAILS_IF_OUT_OF_DATE = (
    "A value that is out of date makes the compare-and-swap fail, which then looks at the newest one. That the old one "
    "overflows and the new one does not takes more changes than the models make."
)
FAR_FROM_THE_MARGIN = "The check keeps the value below the margin, which the few additions of a model never reach."
ONLY_THE_SIZE_OF_A_TABLE = (
    "Decides when a table is replaced, or which free slot of a probe sequence an entry takes. Each choice keeps M1, as "
    "long as the table has a free slot; `fills` asserts that it has."
)
THE_SLOT_PUBLISHES = (
    "A receiver enters the slot with acquire, (31), and looks again as long as it does not find its message there: the "
    "tail only says that there is one. The sender itself moves the tail as well, before it looks at the waiters."
)
LAG_IS_CONFIRMED = (
    "skip() refuses a number that has moved, so a lag that was seen too early is looked at again. One that is reported "
    "in parts adds up as well; tests/python/state asserts that it is reported once."
)
THE_NUMBER_ONLY_COUNTS = (
    "The slot, (31), and the count of a message, (30), order its content; the number of a subscription publishes "
    "nothing. pending() reads it before the tail, whose sequentially consistent load is never older in the checker."
)
ONLY_SKIPS = "Skips numbers whose messages were replaced. Without it each is looked at, and found to be another one."
PUBLISHES_NOTHING = (
    "Announces the death of an owner once more. Another call cleared the bit, so what the owner wrote has been "
    "published by then."
)

SURVIVORS = {
    ("src/state/broadcast.cpp", "const std::uint64_t tail = channel_", "memory_order_relaxed"): THE_SLOT_PUBLISHES,
    ("src/state/broadcast.cpp", "compare_exchange_strong(expected", "memory_order_relaxed"): THE_SLOT_PUBLISHES,
    ("src/state/broadcast.cpp", "if (number != before || oldest <= before)", "false"): LAG_IS_CONFIRMED,
    ("src/state/broadcast.cpp", "out = std::max(oldest,", "number + 1"): LAG_IS_CONFIRMED,
    (
        "src/state/broadcast.cpp",
        "position_.next.compare_exchange_strong(",
        "acq_rel -> acquire",
    ): THE_NUMBER_ONLY_COUNTS,
    (
        "src/state/broadcast.cpp",
        "position_.next.compare_exchange_strong(",
        "acq_rel -> release",
    ): THE_NUMBER_ONLY_COUNTS,
    ("src/state/broadcast.cpp", "const std::uint64_t next = position_", "memory_order_acquire"): THE_NUMBER_ONLY_COUNTS,
    ("src/state/broadcast.cpp", "const std::uint64_t next = position_", "memory_order_relaxed"): THE_NUMBER_ONLY_COUNTS,
    ("src/state/broadcast.cpp", "return channel_.tail_.load", "memory_order_acquire"): THE_NUMBER_ONLY_COUNTS,
    ("src/state/broadcast.cpp", "return channel_.tail_.load", "memory_order_relaxed"): THE_NUMBER_ONLY_COUNTS,
    ("src/state/broadcast.cpp", "if (end - number > channel_.capacity_)", "false"): ONLY_SKIPS,
    ("src/state/map_shard.cpp", "if (!has_place) slot", "true"): ONLY_THE_SIZE_OF_A_TABLE,
    ("src/state/map_shard.cpp", "if ((used_ + 1) * 4", "(used_ + 1) <= slots"): ONLY_THE_SIZE_OF_A_TABLE,
    ("src/state/map_shard.cpp", "if (seen.marks() != tombstone) ++used_", "true"): ONLY_THE_SIZE_OF_A_TABLE,
    ("src/state/object.cpp", "references_.fetch_sub(1", "acq_rel -> acquire"): DESTRUCTION_IS_NOT_CHECKED,
    ("src/state/object.cpp", "references_.fetch_sub(1", "acq_rel -> release"): DESTRUCTION_IS_NOT_CHECKED,
    ("src/state/turnstile.cpp", "again = wakes.is_full()", "false"): TOO_FEW_WAITERS,
    ("src/state/lock.cpp", "compare_exchange_weak(word, next,", "memory_order_acquire"): FAILED_AFTER_A_LOOK,
    ("src/state/lock.cpp", "compare_exchange_weak(word, next,", "memory_order_relaxed"): FAILED_AFTER_A_LOOK,
    ("src/state/lock.cpp", "word_.fetch_or(died,", "memory_order_acq_rel"): PUBLISHES_NOTHING,
    ("src/state/lock.cpp", "word_.fetch_or(died,", "memory_order_relaxed"): PUBLISHES_NOTHING,
    ("src/state/semaphore.cpp", "value, value - 1,", "memory_order_acquire"): FAILED_AFTER_A_LOOK,
    ("src/state/semaphore.cpp", "value, value - 1,", "memory_order_relaxed"): FAILED_AFTER_A_LOOK,
    ("src/state/event.h", "std::uint64_t word = word_.load", "memory_order_acquire"): FOR_PROGRAMS,
    ("src/state/event.h", "std::uint64_t word = word_.load", "memory_order_relaxed"): FOR_PROGRAMS,
    ("src/state/event.h", "(word + once) | flag", "memory_order_acquire"): FOR_PROGRAMS,
    ("src/state/event.h", "(word + once) | flag", "memory_order_relaxed"): FOR_PROGRAMS,
    ("src/state/atomic_int.h", "const std::int64_t value = near_.load", "memory_order_acquire"): FOR_PROGRAMS,
    ("src/state/atomic_int.h", "far_.load(memory_order_seq_cst) : value", "memory_order_acquire"): FOR_PROGRAMS,
    ("src/state/atomic_int.h", "std::int64_t now = near_.load", "memory_order_acquire"): FOR_PROGRAMS,
    ("src/state/atomic_int.h", "std::int64_t now = near_.load", "memory_order_relaxed"): A_CHANGE_OF_THE_NEWEST,
    ("src/state/atomic_int.h", "compare_exchange_weak(now, value", "memory_order_acquire"): FOR_PROGRAMS,
    ("src/state/atomic_int.h", "compare_exchange_weak(now, value", "memory_order_relaxed"): FOR_PROGRAMS,
    ("src/state/atomic_int.h", "far_.exchange(value", "memory_order_acq_rel"): FOR_PROGRAMS,
    ("src/state/atomic_int.h", "far_.exchange(value", "memory_order_relaxed"): FOR_PROGRAMS,
    ("src/state/atomic_int.h", "compare_exchange_strong(now, value", "memory_order_acquire"): FOR_PROGRAMS,
    ("src/state/atomic_int.h", "compare_exchange_strong(now, value", "memory_order_relaxed"): FOR_PROGRAMS,
    ("src/state/atomic_int.h", "far_.compare_exchange_strong(expected", "memory_order_acquire"): FOR_PROGRAMS,
    ("src/state/atomic_int.h", "far_.compare_exchange_strong(expected", "memory_order_relaxed"): FOR_PROGRAMS,
    ("src/state/atomic_int.h", "if (is_near(near_.load(memory_order_relaxed))", "true"): FAR_FROM_THE_MARGIN,
    ("src/state/atomic_int.h", "near_.fetch_add(amount", "memory_order_acq_rel"): FOR_PROGRAMS,
    ("src/state/atomic_int.h", "std::int64_t old = near_.load", "memory_order_acquire"): FOR_PROGRAMS,
    ("src/state/atomic_int.h", "std::int64_t old = near_.load", "memory_order_relaxed"): FAILS_IF_OUT_OF_DATE,
    ("src/state/atomic_int.h", "near_.compare_exchange_weak(old, sum", "memory_order_acquire"): FOR_PROGRAMS,
    ("src/state/atomic_int.h", "near_.compare_exchange_weak(old, sum", "memory_order_relaxed"): FOR_PROGRAMS,
    ("src/state/atomic_int.h", "old = far_.load", "memory_order_acquire"): FOR_PROGRAMS,
    ("src/state/atomic_int.h", "old = far_.load", "memory_order_relaxed"): FAILS_IF_OUT_OF_DATE,
    ("src/state/atomic_int.h", "far_.compare_exchange_weak(old, sum", "memory_order_acquire"): FOR_PROGRAMS,
    ("src/state/atomic_int.h", "far_.compare_exchange_weak(old, sum", "memory_order_relaxed"): FOR_PROGRAMS,
    ("src/state/atomic_int.h", "compare_exchange_weak(value, moved", "memory_order_acq_rel"): FOR_PROGRAMS,
    ("src/state/snapshot.h", "if (readers >= most_readers)", "false"): A_FIELD_OF_16_BITS,
    (
        "src/state/snapshot.h",
        "cpu_relax();\nword = word_.load(memory_order_acquire);",
        "memory_order_relaxed",
    ): A_FULL_WORD_THAT_BECOMES_NULL,
    ("src/state/lock.h", "return has_waiters() ?", "false"): IN_ORDER_ONLY,
    ("src/state/semaphore.h", "return !has_waiters()", "true"): IN_ORDER_ONLY,
    ("src/state/event.h", "bool is_set()", "memory_order_acquire"): FOR_PROGRAMS,
    ("src/state/event.h", "void clear()", "memory_order_acq_rel"): FOR_PROGRAMS,
    ("src/state/event.h", "void clear()", "memory_order_relaxed"): FOR_PROGRAMS,
    ("src/state/event.h", "Request request()", "memory_order_acquire"): FOR_PROGRAMS,
    ("src/state/event.h", "Request request()", "memory_order_relaxed"): FOR_PROGRAMS,
    ("src/channel/select.cpp", "if (token && is_pending(status) &&", "false"): SERVED_BY_THE_OTHER,
    ("src/channel/select.cpp", "tried.channel->pass_token(tried.side)", ""): SERVED_BY_THE_OTHER,
    ("src/arena/lender.cpp", "holders_.fetch_sub(1", "acq_rel -> acquire"): DESTRUCTION_IS_NOT_CHECKED,
    ("src/arena/lender.cpp", "holders_.fetch_sub(1", "acq_rel -> release"): DESTRUCTION_IS_NOT_CHECKED,
    ("src/arena/slab.h", "return state == all &&", "memory_order_acquire"): EITHER_SYNCHRONIZES,
    ("src/arena/slab.h", "return state == all &&", "true"): COMPARES_AGAIN,
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
    ("src/ring/mpmc.h", "== place.lap + 2;", "memory_order_acquire"): THE_SAME_TURN_BEFORE,
    ("src/ring/mpmc.h", "lines = lines_.load(", "memory_order_relaxed"): NO_ACCESS_MAKES_LINES,
    ("src/ring/mpmc.h", "if (lines_.compare_exchange_strong(", "acq_rel -> acquire"): NO_ACCESS_MAKES_LINES,
    ("src/ring/mpmc.h", "if (lines_.compare_exchange_strong(", "acq_rel -> release"): NO_ACCESS_MAKES_LINES,
    ("src/ring/mpmc.h", "if (lines_.compare_exchange_strong(", "acquire -> relaxed"): NO_ACCESS_MAKES_LINES,
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
    ("src/ring/segmented.h", "head_.compare_exchange_weak(position, end,", "memory_order_acq_rel"): (
        AN_OLD_HEAD_FAILS_TO_CLAIM
    ),
    ("src/ring/segmented.h", "head_.compare_exchange_weak(position, end,", "memory_order_relaxed"): (
        AN_OLD_HEAD_FAILS_TO_CLAIM
    ),
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
    ("src/channel/channel.cpp", "Lane* seen = owner.load(", "memory_order_relaxed"): THE_SWAP_ACQUIRES,
    ("src/channel/channel.cpp", "owner.compare_exchange_strong(seen", "acq_rel -> acquire"): THE_SWAP_ACQUIRES,
    ("src/channel/channel.cpp", "owner.compare_exchange_strong(seen", "acquire -> relaxed"): THE_SWAP_ACQUIRES,
    ("src/channel/byte_bound.h", "return reserved_.load(", "memory_order_acquire"): THE_ATTEMPT_READ_IT,
    ("src/channel/byte_bound.h", "return reserved_.load(", "memory_order_relaxed"): THE_ATTEMPT_READ_IT,
    ("src/channel/byte_bound.h", ">> ticket_bits);", "memory_order_acquire"): THE_ATTEMPT_READ_IT,
    ("src/channel/byte_bound.h", ">> ticket_bits);", "memory_order_relaxed"): THE_ATTEMPT_READ_IT,
    ("src/ring/segmented.h", "pop_version()", "memory_order_acquire"): THE_ATTEMPT_READ_IT,
    ("src/ring/segmented.h", "pop_version()", "memory_order_relaxed"): THE_ATTEMPT_READ_IT,
    ("src/ring/segmented.h", "push_version()", "memory_order_acquire"): NEVER_FULL,
    ("src/ring/segmented.h", "push_version()", "memory_order_relaxed"): NEVER_FULL,
    ("src/api/async.cpp", "if (outcome == Outcome::notified && channel_", "false"): SERVED_BY_THE_OTHER,
    ("src/api/async.cpp", "if (outcome == Outcome::notified && channel_", ""): SERVED_BY_THE_OTHER,
    ("src/sync/return_gate.cpp", "Deadline::never());\nword = word_.load(", "memory_order_relaxed"): COHERENCE,
    ("src/sync/return_gate.cpp", "word_.fetch_or(closed | ended, ", "memory_order_relaxed"): REFUSED,
    ("src/ring/segmented.h", "next = last->next.load(", "memory_order_acquire"): AN_OLD_LINK_FAILS,
    ("src/ring/segmented.h", "last->next.compare_exchange_strong(", "memory_order_acquire"): AN_OLD_LINK_FAILS,
    ("src/ring/segmented.h", "if (fresh == nullptr)", "memory_order_acquire"): MEMORY_IS_THERE,
    ("src/ring/segmented.h", "if (fresh == nullptr)", "memory_order_relaxed"): MEMORY_IS_THERE,
    ("src/ring/segmented.h", "if (!is_unlinked(next)) move", "true"): THE_LINK_IS_OLD,
    ("src/ring/segmented.h", "if (is_unlinked(next)) return true", "false"): THE_LINK_IS_OLD,
    ("src/ring/segmented.h", "move(push_segment_, link, next, number);", "false"): ONLY_WAITS,
    ("src/channel/byte_bound.h", "holder_.store(", "memory_order_release"): CLAIM_UNSEEN,
    ("src/channel/byte_bound.h", "holder_.store(", "memory_order_relaxed"): CLAIM_UNSEEN,
    ("src/channel/byte_bound.h", "claimant() const", "memory_order_acquire"): CLAIM_UNSEEN,
    ("src/channel/byte_bound.h", "claimant() const", "memory_order_relaxed"): CLAIM_UNSEEN,
    ("src/channel/byte_bound.h", "passed_.fetch_add(", "memory_order_acq_rel"): PASSES_ONCE_MORE,
    ("src/channel/byte_bound.h", "passed_.fetch_add(", "memory_order_relaxed"): PASSES_ONCE_MORE,
    ("src/channel/byte_bound.h", "return passed_.load(", "memory_order_acquire"): PASSES_ONCE_MORE,
    ("src/channel/byte_bound.h", "return passed_.load(", "memory_order_relaxed"): PASSES_ONCE_MORE,
    ("src/channel/byte_bound.h", "holder_.fetch_and(", "memory_order_acq_rel"): CLAIMS_END_UNDER_THE_LOCK,
    ("src/channel/byte_bound.h", "holder_.fetch_and(", "memory_order_relaxed"): CLAIMS_END_UNDER_THE_LOCK,
    ("src/channel/byte_bound.h", "== reserved) return", "memory_order_acquire"): RELEASED_SHOWS_IT,
    ("src/channel/byte_bound.h", "== reserved) return", "memory_order_relaxed"): RELEASED_SHOWS_IT,
    ("src/channel/bounded_send.cpp", "if (bytes_.is_claimed_by(ticket)) (void)end_claim", ""): ENDED_BY_THE_CALL,
    ("src/channel/failure.h", "if (record == nullptr) {\nrelease(error)", ""): MEMORY_IS_THERE,
    ("src/channel/wait_closed.cpp", "if (end_closed.load(", "memory_order_acquire"): SEEN_BEFORE_THE_NEXT_SLEEP,
    ("src/channel/wait_closed.cpp", "if (end_closed.load(", "memory_order_relaxed"): SEEN_BEFORE_THE_NEXT_SLEEP,
    ("src/api/async.cpp", "phase_.exchange(", "memory_order_acquire"): PHASE_ENDS_LIFETIMES,
    ("src/api/async.cpp", "phase_.exchange(", "memory_order_release"): PHASE_ENDS_LIFETIMES,
    ("src/api/async.cpp", "decision_->decide(outcome, 0)", "(!decision_->decide(outcome, 0), false)"): ONE_NODE,
    ("src/api/async.cpp", "call->delist()", ""): UNLINKED_BY_THE_DECISION,
    ("src/api/async.cpp", "event->release()", ""): MEMORY_IS_THERE,
    ("src/api/async.cpp", "if (status == Status::closed ||", "status == Status::closed"): MEMORY_IS_THERE,
    ("src/api/async.cpp", "outcome(side_, status);\nend_claim()", ""): MEMORY_IS_THERE,
    ("src/api/async.cpp", "end_claim();\nis_complete = true", "false"): NEEDLESS_TOKEN,
    ("src/api/async.cpp", "if (is_complete ||", "false"): NEEDLESS_TOKEN,
    ("src/sync/idle_watch.h", "!watched_.exchange(true,", "memory_order_acq_rel"): THE_TAKER_GOES_ON,
    ("src/sync/idle_watch.h", "!watched_.exchange(true,", "memory_order_relaxed"): THE_TAKER_GOES_ON,
    ("src/channel/task_count.h", "std::uint64_t done = done_.load(", "memory_order_acquire"): ONLY_THE_SWAP_COUNTS,
    ("src/channel/task_count.h", "done_.compare_exchange_weak(", "memory_order_acquire"): ONLY_THE_SWAP_COUNTS,
    (
        "src/channel/channel.cpp",
        "claims_[static_cast<unsigned>(side)].compare_exchange_strong(",
        "acq_rel -> release",
    ): THE_SWAP_ACQUIRES,
    ("src/channel/channel.cpp", "if (flavor_ == Flavor::rendezvous) return arrivals_", "memory_order_acquire"): (
        THE_COUNT_SHOWS_IT
    ),
    ("src/channel/channel.cpp", "if (flavor_ == Flavor::rendezvous) return arrivals_", "memory_order_relaxed"): (
        THE_COUNT_SHOWS_IT
    ),
    ("src/channel/channel.cpp", "return ring_.pop_version();", "ring_.push_version()"): EITHER_COUNTER,
    ("src/channel/channel.cpp", "return ring_.push_version()", "ring_.pop_version()"): EITHER_COUNTER,
    ("src/channel/rendezvous.cpp", "if (!has_peers)", "false"): WITHOUT_THE_LOCK,
    ("src/channel/rendezvous.cpp", "arrivals_[", "memory_order_acq_rel"): THE_COUNT_SHOWS_IT,
    ("src/channel/rendezvous.cpp", "arrivals_[", "memory_order_relaxed"): THE_COUNT_SHOWS_IT,
    ("src/channel/select.cpp", "pass < 2", "1"): BOTH_PASSES_FOR_MIXED_SELECTS,
    ("src/channel/channel.cpp", "retire_(*this);\ndiscard_queued()", ""): NEEDLESS,
    (
        "src/channel/select.cpp",
        "if (status == Status::closed ||",
        "failed && token && chosen == waiter.index()",
    ): TOKENS_TELL_OF_THE_END,
    ("src/channel/select.cpp", "if (status == Status::closed ||", "token"): TOKENS_TELL_OF_THE_END,
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

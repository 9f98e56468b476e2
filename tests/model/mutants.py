"""The mutants of mutate.py: where the real code is changed, and into what."""

import itertools
import re
from typing import NamedTuple

# What each order is weakened to, by the kind of access. The second order of a compare-and-swap is that of a load.
WEAKER = {
    "load": {"seq_cst": ["acquire", "relaxed"], "acquire": ["relaxed"]},
    "store": {"seq_cst": ["release", "relaxed"], "release": ["relaxed"]},
    "rmw": {
        "seq_cst": ["acq_rel", "relaxed"],
        "acq_rel": ["acquire", "release"],
        "acquire": ["relaxed"],
        "release": ["relaxed"],
    },
}
ORDER = re.compile(r"\bmemory_order_(\w+)")
ACCESS = re.compile(r"\b(load|store|exchange|fetch_\w+|compare_exchange_\w+)\(")

# Calls that are left out, one at a time, in code but not in declarations: those that wake a thread or make room for it,
# and those that pass memory on or account for it.
CALL = re.compile(
    r"(?:(?<![\w.>):])|(?<=\(void\)))(?<!void )(?<!&& )"
    r"(?:(?:not_\w+|closing_|waiters\((?:other\(side\)|side)\)|(?:cases\[chosen\]|c|tried)\.channel|channel_?|node|"
    r"peers|wakes?|wakes_\[i\]|wait|call_?|loop_|(?:readiness->)?event_?|bytes_|ring_|cache|quota)(?:\.|->))?"
    r"(?:notify_(?:one|all|one_except|one_if)|nudge_(?:all|owner)|cancel_owner|perform|signal|retain|"
    r"serve_(?:receivers|senders)|wake_senders|futex_wake(?:_all)?|demand_attention|"
    r"discard_queued|close|unpin|decide_first|pass_token|"
    r"flush|note_taken|drop_empty|unload|discard|swap|subtract|(?:Budget::)?shed|Accounts::set|reclaim_credits|"
    r"changed|announce|admit_waiting|unreserve|end_claim|offer_claim|lapse_claim|withdraw|suspend|note_accepted|delist|abandon|clear|"
    r"release(?=\((?:cost|cell|error|oldest|std::exchange|XICHAN_PLAIN|\))))(?=\()"
)

# Expressions that are changed: the file, where they stand in it, what they are there, and what they become.
CONDITIONS = [
    ("src/ring/mpmc.h", "if (tail & mark_)", "tail & mark_", ["false"]),
    ("src/ring/mpmc.h", "if (!moved(tail_", "!moved(tail_, tail)", ["true"]),
    ("src/ring/mpmc.h", "if (!moved(head_", "!moved(head_, head)", ["true"]),
    ("src/ring/mpmc.h", "while (moved(counter, position))", "moved(counter, position)", ["false"]),
    ("src/ring/mpmc.h", "== (head | mark_)", "(head | mark_)",
     ["is_closed() ? tail_.load(memory_order_seq_cst) : mark_", "tail_.load(memory_order_seq_cst) + 1"]),
    ("src/ring/mpmc.h", "if (test(position))", "test(position)", ["false"]),
    ("src/ring/mpmc.h", "|| has_line(place_of(head))", "has_line(place_of(head))", ["false"]),
    ("src/ring/mpmc.h", "if (has_line(place))", "has_line(place)", ["false"]),
    ("src/ring/mpmc.h", "if (lines == nullptr && has_line(place_of(head)))", "has_line(place_of(head))", ["false"]),
    ("src/ring/mpmc.h", "if (lines != nullptr && has_line(place))", "has_line(place)", ["false"]),
    ("src/ring/mpmc.h", "(line == nullptr ? 1 : 2)", "line == nullptr ? 1 : 2", ["1", "2"]),
    ("src/page/slot_set.h", "return (seen & mask_of(index)) == 0", "(seen & mask_of(index)) == 0", ["true"]),
    ("src/page/slot_set.h", "void release", "~mask_of(index)", ["~std::uint64_t{0}"]),
    ("src/page/slot_owner.h", "bool try_take", "owner | writing", ["owner"]),
    ("src/page/slot_owner.h", "bool begin_write", "owner | writing", ["owner"]),
    ("src/page/slot_owner.h", "bool end_write", "owner | writing", ["owner"]),
    ("src/page/slot_owner.h", "void release_of", "(seen & writing) != 0", ["false"]),
    ("src/page/slot_owner.h", "void release_of", "half_of(interpreter)", ["seen >> 32"]),
    ("src/page/slot_owner.h", "void release_of", "seen | leaving", ["seen"]),
    ("src/page/slot_owner.h", "std::uint64_t get()", "(word & writing) != 0", ["false"]),
    ("src/channel/channel.h", "if (status == Status::full)", "status == Status::full", ["false"]),
    ("src/channel/lines.cpp", "if (status == Status::ok) after_send();", "status == Status::ok", ["false"]),
    ("src/channel/lines.cpp", "if (status == Status::ok) {", "status == Status::ok", ["false"]),
    ("src/channel/lines.cpp", "try_pop_many(cells, lines", "status == Status::ok", ["false"]),
    ("src/ring/mpmc.h", "!= place.lap + phase", "place.lap + phase", ["place.slot.turn.load(memory_order_relaxed)"]),
    ("src/ring/mpmc.h", "position = next(position)", "next(position)", ["position"]),
    ("src/ring/mpmc.h", "distance > UINT64_MAX / 2", "distance > UINT64_MAX / 2", ["false"]),
    ("src/ring/segmented.h", "return number * 2 + 1;", "number * 2 + 1", ["1"]),
    ("src/ring/segmented.h", "if (next == unlinked(number - 1)) {", "next == unlinked(number - 1)",
     ["is_unlinked(next)"]),
    ("src/ring/segmented.h", "if (next == unlinked(number - 1)) return false;", "next == unlinked(number - 1)",
     ["is_unlinked(next)"]),
    ("src/ring/segmented.h", "if (!is_unlinked(next)) move", "!is_unlinked(next)", ["true"]),
    ("src/ring/segmented.h", "if (is_unlinked(next)) return true;", "is_unlinked(next)", ["false"]),
    ("src/ring/segmented.h", "if (is_unlinked(next)) return true;", "move(push_segment_, link, next, number)",
     ["false"]),
    ("src/ring/segmented.h", "number -= behind - 1;", "behind - 1", ["0"]),
    ("src/ring/segmented.h", "if (end <= position) end", "end <= position", ["end == 0"]),
    ("src/ring/segmented.h", "if (is_unlinked(next)) break;", "is_unlinked(next)", ["false"]),
    ("src/ring/segmented.h", "put_idle(fresh);", "put_idle(fresh)", ["static_cast<void>(0)"]),
    ("src/ring/segmented.h", "link_to(rest, top + 1)", "top + 1", ["top"]),
    ("src/sync/wait_list.cpp", "if ((node.waiter->*decision)", "(node.waiter->*decision)(node, wakes.add())",
     ["(VALUE, true)"]),
    ("src/sync/thread_waiter.cpp", "if (is_decided())", "is_decided()", ["false"]),
    ("src/sync/return_gate.cpp", "if (word & ended)", "word & ended", ["false"]),
    ("src/sync/return_gate.cpp", "if (word & closed &&", "word & closed", ["false"]),
    ("src/sync/return_gate.cpp", "!= current_thread()", "current_thread()", ["nullptr"]),
    ("src/sync/return_gate.cpp", "== (closed | 1)", "(closed | 1)", ["UINT32_MAX"]),
    ("src/sync/return_gate.cpp", "while ((word & count) != 0", "(word & count) != 0", ["false"]),
    ("src/sync/return_gate.cpp", "fetch_or(closed | ended", "closed | ended", ["closed"]),
    ("src/api/async.cpp", "enlist(side_, node_) && withdraw()", "withdraw()", ["true", "false"]),
    ("src/api/async.cpp", "== Phase::starting) return true", "Phase::starting", ["Phase::waiting", "Phase::taken"]),
    ("src/api/async.cpp", "== Phase::waiting; }", "Phase::waiting", ["Phase::starting"]),
    ("src/api/async.cpp", "outcome == Outcome::transferred ? Status::ok", "outcome == Outcome::transferred", ["false"]),
    ("src/api/async.cpp", "if (outcome == Outcome::notified &&", "outcome == Outcome::notified", ["false"]),
    ("src/api/async.cpp", "if (status == Status::closed ||",
     "status == Status::closed || (status != Status::ok && outcome == Outcome::notified)",
     ["false", "status == Status::closed"]),
    ("src/api/async.cpp", "is_complete = true", "true", ["false"]),
    ("src/api/async.cpp", "|| loop_.remove(*this)", "loop_.remove(*this)", ["true", "(VALUE, true)"]),
    ("src/api/async.cpp", "if (is_complete || ", "is_complete", ["false"]),
    ("src/api/async.cpp", "if (decision_->outcome() == Outcome::transferred)",
     "decision_->outcome() == Outcome::transferred", ["false"]),
    ("src/api/async.cpp", "if (decision_->outcome() == Outcome::notified)",
     "decision_->outcome() == Outcome::notified", ["false"]),
    ("src/api/async.cpp", "if (!decision_->decide(outcome, 0))", "!decision_->decide(outcome, 0)", ["(VALUE, false)"]),
    ("src/api/async.cpp", "if (!call.listed)", "!call.listed", ["false"]),
    ("src/api/async.cpp", "if (size() != 0) signal", "size() != 0", ["false"]),
    ("src/api/async.cpp", "&& loop_->size() != 0", "loop_->size() != 0", ["false"]),
    ("src/api/async.cpp", "!call->take_over()", "!call->take_over()", ["(VALUE, false)"]),
    ("src/api/async.cpp", "call->complete() || !call->wait()", "!call->wait()", ["false", "(VALUE, true)"]),
    ("src/channel/channel.h", "ring_.can_pop() || ring_.is_closed()", "ring_.can_pop() || ring_.is_closed()",
     ["ring_.can_pop()", "ring_.is_closed()", "false"]),
    ("src/channel/channel.h", "&& can_send()) wake", "can_send()", ["false"]),
    ("src/channel/channel.cpp", "if (not_empty_.demands_attention())", "not_empty_.demands_attention()", ["false"]),
    ("src/channel/channel.cpp", "return ring_.can_pop() || (ring_.is_closed()", "ring_.can_pop()", ["false"]),
    ("src/channel/channel.cpp", "(ring_.is_closed() && ring_.size() == 0)", "(ring_.is_closed() && ring_.size() == 0)",
     ["false"]),
    ("src/channel/channel.cpp", "return ring_.is_closed() || ring_.can_push();", "ring_.is_closed()", ["false"]),
    ("src/channel/channel.cpp", "return ring_.is_closed() || ring_.can_push();", "ring_.can_push()", ["false"]),
    ("src/channel/bounded_send.cpp", "if (ring_.is_closed())", "ring_.is_closed()", ["false"]),
    ("src/channel/bounded_send.cpp", "return can_proceed(node) &&", "can_proceed(node)", ["false", "(VALUE, true)"]),
    ("src/channel/bounded_send.cpp", "|| !bytes_.may_lapse()", "!bytes_.may_lapse()", ["true"]),
    ("src/channel/byte_bound.h", "if (held + bytes > max_)", "held + bytes > max_", ["false"]),
    ("src/channel/byte_bound.h", "holder == ticket ||", "holder == ticket", ["false"]),
    ("src/channel/byte_bound.h", "|| is_own)", "is_own", ["false"]),
    ("src/channel/bounded_send.cpp", "bytes_.set_may_lapse(true)", "true", ["false"]),
    ("src/channel/byte_bound.h", "held + bytes + claimed_",
     "held + bytes + claimed_.load(memory_order_relaxed) <= max_",
     ["true"]),
    ("src/channel/byte_bound.h", "if (is_claimed() ||", "is_claimed()", ["false"]),
    ("src/channel/select.cpp", "if (token && is_pending(status) &&", "token", ["false"]),
    ("src/channel/failure.h", "expected == finished && replaces_finish", "expected == finished && replaces_finish",
     ["false", "expected == finished", "true"]),
    ("src/channel/overflow.cpp", "too_many_bytes ? 1", "too_many_bytes ? 1 : capacity_",
     ["capacity_", "too_many_bytes ? 0 : capacity_", "too_many_bytes ? 1 : capacity_ - 1"]),
    ("src/ring/segmented.h", "position <= keep", "keep", ["keep - 1"]),
    ("src/channel/wait_closed.cpp", "if (!channel.enlist_closing(node)", "!channel.enlist_closing(node)",
     ["(channel.enlist_closing(node), true)"]),
    ("src/channel/wait_closed.cpp", "&& !exit_began(limits)", "!exit_began(limits)", ["true"]),
    ("src/channel/rendezvous.cpp", "if (ring_.is_closed())", "ring_.is_closed()", ["false"]),
    ("src/channel/rendezvous.cpp", "if (peer->waiter != node.waiter && peer->waiter->can_transfer(*peer))",
     "peer->waiter != node.waiter && peer->waiter->can_transfer(*peer)",
     ["false", "peer->waiter->can_transfer(*peer)"]),
    ("src/channel/rendezvous.cpp", "if (node.waiter->can_transfer(node))", "node.waiter->can_transfer(node)",
     ["false"]),
    ("src/channel/channel.cpp", "while (seen != 0)", "seen != 0", ["true"]),
    ("src/directory/registry.cpp", "std::lock_guard guard(t.lock)", "t.lock", ["private_lock()"]),
    ("src/directory/registry.cpp", "table().lock.lock()", "table().lock.lock()", ["static_cast<void>(0)"]),
    ("src/directory/registry.cpp", "t.first_free = slot.next_free", "slot.next_free", ["index"]),
    ("src/directory/registry.cpp", "slot.generation + 1", "slot.generation + 1", ["slot.generation"]),
    ("src/directory/registry.cpp", "slot.channel = nullptr;", "nullptr", ["slot.channel"]),
    ("src/directory/registry.cpp", "slot.next_free = t.first_free;", "t.first_free", ["no_slot"]),
    ("src/directory/registry.cpp", "t.first_free = index;", "index", ["t.first_free"]),
    ("src/directory/registry.cpp", "slot.channel == nullptr ||", "slot.channel == nullptr", ["false"]),
    ("src/directory/registry.cpp", "slot.secret != id.secret", "slot.secret != id.secret", ["false"]),
    ("src/directory/registry.cpp", "slot.generation != id.place >> ChannelId::slot_bits",
     "slot.generation != id.place >> ChannelId::slot_bits", ["false"]),
    ("src/directory/registry.cpp", "slot.channel->try_add_endpoint(side)", "slot.channel->try_add_endpoint(side)",
     ["(VALUE, true)", "(slot.channel->add_endpoint(side), true)"]),
    ("src/directory/registry.cpp", "slots[place++]", "place++", ["place"]),
    ("src/directory/registry.cpp", "&& channel->try_pin()", "channel->try_pin()",
     ["(VALUE, true)", "(channel->pin(), true)"]),
    ("src/directory/registry.cpp", "channel->nudge()", "channel->nudge()", ["static_cast<void>(0)"]),
    ("src/channel/select.cpp", "if (c.channel->enlist(", "c.channel->enlist(c.side, c.node) || is_end_closed(c)",
     ["c.channel->enlist(c.side, c.node)", "is_end_closed(c)"]),
    ("src/channel/select.cpp", "changed |= versions[i] != version_of(cases[i])",
     "versions[i] != version_of(cases[i])", ["false"]),
    ("src/channel/select.cpp", "pass < 2", "2", ["1"]),
    ("src/channel/channel.cpp", "if (flavor_ == Flavor::rendezvous) return arrivals_", "other(side)", ["side"]),
    ("src/channel/channel.cpp", "if (side == Side::receiver) return ring_.pop_version()", "ring_.pop_version()",
     ["ring_.push_version()"]),
    ("src/channel/channel.cpp", "return ring_.push_version()", "ring_.push_version()", ["ring_.pop_version()"]),
    ("src/channel/bounded_send.cpp", "if (cost != 0 && !ring_.can_push())", "!ring_.can_push()", ["false"]),
    ("src/channel/rendezvous.cpp", "if (!has_peers)", "!has_peers", ["false"]),
    ("src/channel/select.cpp", "&& !exit_began(limits)", "!exit_began(limits)", ["true"]),
    ("src/channel/select.cpp", "if (is_pending(status)) status = try_any", "is_pending(status)", ["false"]),
    ("src/channel/select.cpp", "if (status == Status::closed ||",
     "status == Status::closed || (failed && token && chosen == waiter.index())",
     ["false", "status == Status::closed", "failed && token && chosen == waiter.index()", "token"]),
    ("src/state/atomic_int.h", "if (is_near(near_.load(memory_order_relaxed))",
     "is_near(near_.load(memory_order_relaxed))", ["true"]),
    ("src/state/atomic_int.h", "sum = value + amount;\n      if (!has_moved(value))", "!has_moved(value)", ["true"]),
    ("src/state/atomic_int.h", "if (!is_near(sum))", "!is_near(sum)", ["false"]),
    ("src/state/atomic_int.h", "guard(lock_)", "lock_", ["private_lock()"]),
    ("src/state/atomic_int.h", "while (!has_moved(value)) {\n      far_.store",
     "far_.store(value, memory_order_relaxed)", ["static_cast<void>(0)"]),
    ("src/state/snapshot.h", "if (object_of(word) == object && word >= one", "object_of(word) == object", ["true"]),
    ("src/state/snapshot.h", "if (object_of(word) == object && word >= one", "word >= one", ["true"]),
    ("src/state/snapshot.h", "== -amount;", "-amount", ["INT64_MIN"]),
    ("src/state/snapshot.h", "if (readers >= most_readers)", "readers >= most_readers", ["false"]),
    ("src/state/snapshot.h", "if ((word >> count_shift) + 1", "(word >> count_shift) + 1 >= fold_at", ["false"]),
    ("src/state/snapshot.h", "if (object != nullptr) hold(object);\n    const", "hold(object)",
     ["static_cast<void>(0)"]),
    ("src/state/snapshot.h", "while (object_of(word) == expected)", "object_of(word) == expected", ["true"]),
    ("src/state/snapshot.h", "unhold(object);\n    return", "unhold(object)", ["static_cast<void>(0)"]),
    ("src/state/snapshot.h", "object->add(readers - Snapshot::held)", "readers - Snapshot::held", ["-Snapshot::held"]),
    ("src/state/snapshot.h", "static_cast<void>(object->add(readers));", "readers", ["0"]),
    ("src/state/snapshot.h", "static_cast<void>(object->add(-readers));", "-readers", ["0"]),
    ("src/state/snapshot.h", "word & (one - 1), memory_order_relaxed", "word & (one - 1)", ["word"]),
    ("src/state/map_shard.cpp", "if (seen.marks() == tombstone) continue", "seen.marks() == tombstone", ["false"]),
    ("src/state/map_shard.cpp", "if (entry->has_key(key)) return", "entry->has_key(key)", ["true"]),
    ("src/state/map_shard.cpp", "if (era_.load(", "era_.load(memory_order_relaxed) == era", ["true"]),
    ("src/state/map_shard.cpp", "if (!has_place) slot = i", "!has_place", ["true"]),
    ("src/state/map_shard.cpp", "if (seen.marks() != tombstone) return nullptr", "seen.marks() != tombstone", ["true"]),
    ("src/state/map_shard.cpp", "if (seen.marks() == marks &&", "current_->slots()[i].peek()->has_key(key)",
     ["true", "false"]),
    ("src/state/map_shard.cpp", "if ((used_ + 1) * 4", "(used_ + 1) * 4 <= slots * 3", ["(used_ + 1) <= slots"]),
    ("src/state/map_shard.cpp", "while (fresh.slots()", "fresh.slots()[to].peek() != nullptr", ["false"]),
    ("src/state/map_shard.cpp", "store(entry, marks_of(entry->hash))", "marks_of(entry->hash)", ["2u"]),
    ("src/state/map_shard.cpp", "used_ = live_;", "live_", ["0"]),
    ("src/state/map_shard.cpp", "era_.fetch_add", "era_.fetch_add(1, memory_order_release)", ["0"]),
    ("src/state/map_shard.cpp", "static_cast<void>(old->slots()", "old->slots()[i].exchange(nullptr, 0, is_last)",
     ["nullptr"]),
    ("src/state/map_shard.cpp", "if (seen.marks() != tombstone) ++used_", "seen.marks() != tombstone",
     ["true", "false"]),
    ("src/state/map_shard.cpp", "if (is_last) freed.add(old);\n}\n\nvoid MapShard::remove", "is_last",
     ["true", "false"]),
    ("src/state/map_shard.cpp", "exchange(nullptr, tombstone", "tombstone", ["0"]),
    ("src/state/map_shard.cpp", "if (is_last) freed.add(old);\n}\n\nvoid MapShard::clear", "is_last",
     ["true", "false"]),
    ("src/state/broadcast.cpp", "if (slot(number).is_empty()) return false", "slot(number).is_empty()", ["true"]),
    ("src/state/broadcast.cpp", "while (position != nullptr &&",
     "position->next.load(memory_order_relaxed) + capacity_ > number", ["true", "false"]),
    ("src/state/broadcast.cpp", "guard(lock_);\n  const std::uint64_t number", "lock_", ["private_lock()"]),
    ("src/state/broadcast.cpp", "if (subscribers_ == 0)", "subscribers_ == 0", ["false"]),
    ("src/state/broadcast.cpp", "left.store(subscribers_", "subscribers_", ["subscribers_ + 1"]),
    ("src/state/broadcast.cpp", "if (is_last) unused = old", "is_last", ["false"]),
    ("src/state/broadcast.cpp", "guard(lock_);\n    sender_ = nullptr", "lock_", ["private_lock()"]),
    ("src/state/broadcast.cpp", "if (message->left", "message->left.fetch_sub(1, memory_order_relaxed) != 1",
     ["false"]),
    ("src/state/broadcast.cpp", "return is_closed() || tail_.load", "is_closed()", ["false"]),
    ("src/state/broadcast.cpp", "if (unused != message) admit_more()", "unused != message", ["false"]),
    ("src/state/broadcast.cpp", "guard(channel.lock_)", "channel.lock_", ["private_lock()"]),
    ("src/state/broadcast.cpp", "guard(channel_.lock_)", "channel_.lock_", ["private_lock()"]),
    ("src/state/broadcast.cpp", "if (end - number > channel_.capacity_)", "end - number > channel_.capacity_",
     ["false"]),
    ("src/state/broadcast.cpp", "== number) channel_.received(message)", "channel_.received(message)",
     ["static_cast<void>(0)"]),
    ("src/state/broadcast.cpp", "return closed ?", "closed", ["channel_.is_closed()"]),
    ("src/state/broadcast.cpp", "if (tail <= newest)", "tail <= newest", ["false"]),
    ("src/state/broadcast.cpp", "|| oldest <= before", "oldest <= before", ["false"]),
    ("src/state/broadcast.cpp", "out = std::max(oldest,", "std::max(oldest, tail - std::min(tail, channel_.capacity_))",
     ["number + 1"]),
    ("src/state/broadcast.cpp", "if (taken) channel_.received", "taken", ["true"]),
    ("src/state/object.cpp", "while (count != 0)", "count != 0", ["true"]),
    ("src/state/object.cpp", "!object->try_retain())", "!object->try_retain()", ["(object->retain(), false)"]),
    ("src/state/object.cpp", "return object->try_retain() ?", "object->try_retain()", ["(object->retain(), true)"]),
    ("src/state/turnstile.h", "if (queue_.has_attention()) admit", "queue_.has_attention()", ["false"]),
    ("src/state/turnstile.cpp", "if ((order_ != Order::each &&", "!admit(request)", ["true"]),
    ("src/state/turnstile.cpp", "queue_.first() != &node) || !admit", "queue_.first() != &node", ["false"]),
    ("src/state/turnstile.cpp", "guard(lock_);\n    if (request.ticket", "lock_", ["private_lock()"]),
    ("src/state/turnstile.cpp", "guard(lock_);\n      for", "lock_", ["private_lock()"]),
    ("src/state/turnstile.cpp", "if (!admit(request))", "!admit(request)", ["false"]),
    ("src/state/turnstile.cpp", "again = wakes.is_full()", "wakes.is_full()", ["false"]),
    ("src/state/turnstile.cpp", "queue_.remove(node);", "queue_.remove(node)", ["false"]),
    ("src/state/turnstile.cpp", "&& !exit_began(limits)", "!exit_began(limits)", ["true"]),
    ("src/state/turnstile.cpp", "if (waiter.was_transferred())", "waiter.was_transferred()", ["false"]),
    ("src/state/lock.h", "return has_waiters() ? Attempt::busy", "has_waiters()", ["false"]),
    ("src/state/lock.cpp", "if (holder(word) != free)", "holder(word) != free", ["false"]),
    ("src/state/lock.cpp", "word == free ? token.word : free", "word == free", ["true"]),
    ("src/state/lock.cpp", "if (word == died)", "word == died", ["false"]),
    ("src/state/lock.cpp", "XICHAN_PLAIN(depth_) = 1", "1", ["2"]),
    ("src/state/lock.cpp", "if (holder(word) == free)", "holder(word) == free", ["false"]),
    ("src/state/lock.cpp", "word, died, memory_order_seq_cst, memory_order_relaxed)) continue", "died", ["free"]),
    ("src/state/lock.cpp", "while (holder(word) == request.wanted)", "holder(word) == request.wanted", ["false"]),
    ("src/state/lock.cpp", "word & died, memory_order_seq_cst, memory_order_relaxed)) continue", "word & died",
     ["free"]),
    ("src/state/lock.cpp", "word_.fetch_or(died", "died", ["free"]),
    ("src/state/lock.cpp", "word_.fetch_and(died", "died", ["free"]),
    ("src/state/semaphore.h", "return !has_waiters() && take()", "!has_waiters()", ["true"]),
    ("src/state/semaphore.cpp", "if (value == 0)", "value == 0", ["false"]),
    ("src/state/event.h", "(word + once) | flag", "word + once", ["word"]),
    ("src/state/event.h", "|| word / once != request.wanted", "word / once != request.wanted", ["false"]),
    ("src/state/versioned_cell.cpp", "while (known < version)", "known < version", ["true"]),
    ("src/state/versioned_cell.cpp", "if (now <= request.wanted)", "now <= request.wanted", ["false"]),
    ("src/state/versioned_cell.cpp", "if (seen->version == version)", "seen->version == version", ["true"]),
    ("src/state/wait_record.h", "return request.record->outcome() != ", "request.record->outcome() != Outcome::waiting",
     ["true", "false"]),
    ("src/state/barrier.cpp", "if (arrived_ < parties_)", "arrived_ < parties_", ["arrived_ <= parties_"]),
    ("src/state/barrier.cpp", "arrived_ = 0;", "0", ["arrived_"]),
    ("src/state/barrier.cpp", "std::lock_guard guard(lock());\n    if (broken_)", "lock()", ["private_lock()"]),
    ("src/state/barrier.cpp", "std::lock_guard guard(lock());\n    if (record", "lock()", ["private_lock()"]),
    ("src/state/barrier.cpp", "if (record.outcome() != Outcome::waiting)", "record.outcome() != Outcome::waiting",
     ["false"]),
    ("src/state/condition.cpp", "std::lock_guard held(lock());\n    if", "lock()", ["private_lock()"]),
    ("src/state/condition.cpp", "std::lock_guard held(lock());\n    for", "lock()", ["private_lock()"]),
    ("src/state/condition.cpp", "|| returns) return", "returns", ["true", "false"]),
    ("src/state/condition.cpp", "notify(1);", "notify(1)", ["static_cast<void>(0)"]),
    ("src/arena/lender.cpp", "holders_.fetch_add(1", "1", ["0"]),
    ("src/arena/lender.cpp", "if (first == closed())", "first == closed()", ["false"]),
    ("src/arena/lender.cpp", "if (XICHAN_PLAIN(loan->group_) == nullptr) objects_",
     "XICHAN_PLAIN(loan->group_) == nullptr", ["true"]),
    ("src/arena/lender.cpp", "if (!objects_.has_only(", "!objects_.has_only(loan->object_, found.loans)", ["false"]),
    ("src/arena/lender.cpp", "if (is_last) loan->", "is_last", ["true", "false"]),
    ("src/arena/lender.cpp", "if (group != loan) destroy(loan)", "group != loan", ["true"]),
    ("src/arena/lender.cpp", "if (is_last) destroy(group)", "is_last", ["false"]),
    ("src/arena/slab.h", "if (available(state) == 0)", "available(state) == 0", ["false"]),
    ("src/arena/slab.h", "if (size_class_.load(memory_order_relaxed) != size_class)",
     "size_class_.load(memory_order_relaxed) != size_class", ["false"]),
    ("src/arena/slab.h", "state == all && state_", "state == all", ["true"]),
    ("src/arena/slab.h", "&& state_.compare_exchange_strong(all, 0, ",
     "state_.compare_exchange_strong(all, 0, memory_order_acq_rel, memory_order_relaxed)", ["(VALUE, true)"]),
    ("src/arena/slab.h", "return blocks << 32 | blocks", "blocks << 32 | blocks", ["std::uint64_t{2} << 32 | blocks"]),
    ("src/arena/budget.h", "while (credit >= bytes)", "credit >= bytes", ["true"]),
    ("src/arena/budget.h", "account->credit.compare_exchange_weak(credit, credit - bytes,",
     "account->credit.compare_exchange_weak(credit, credit - bytes, memory_order_relaxed, memory_order_relaxed)",
     ["(VALUE, true)"]),
    ("src/arena/budget.cpp", "if (bytes > limit ||", "bytes > limit", ["false"]),
    ("src/arena/budget.cpp", "held > limit - bytes", "held > limit - bytes", ["false", "held > limit"]),
    ("src/arena/budget.cpp", "reserve(bytes + batch)", "bytes + batch", ["bytes"]),
    ("src/arena/budget.cpp", "account->credit.fetch_add(batch, memory_order_relaxed)",
     "account->credit.fetch_add(batch, memory_order_relaxed)", ["bytes"]),
    ("src/arena/budget.cpp", "if (credit <= keep) return", "credit <= keep", ["false"]),
    ("src/sync/idle_watch.h", "if (sleepers_.nudge_one()) return", "sleepers_.nudge_one()", ["(VALUE, true)"]),
    ("src/sync/idle_watch.h", "if (all_.has_news()) all_.appoint()", "all_.has_news()", ["false"]),
    ("src/sync/idle_watch.h", "if (all_.has_news() && all_.take())", "all_.has_news()", ["false"]),
    ("src/sync/idle_watch.h", "!all_.sleepers_.remove(node_) && was_nudged", "was_nudged", ["false"]),
    ("src/sync/idle_watch.h", "if (all_.events() != seen_ &&", "all_.events() != seen_", ["false"]),
    ("src/arena/cache_quota.cpp", "if (time < next) return", "time < next", ["false"]),
    ("src/arena/cache_quota.cpp", "if (next_sweep.compare_exchange_strong(",
     "next_sweep.compare_exchange_strong(next, time + 500, memory_order_relaxed, memory_order_relaxed)",
     ["(VALUE, true)"]),
    ("src/arena/thread_cache.h", "store(count, ", "count", ["count + 1"]),
    ("src/arena/thread_cache.h", "bytes_ -= size", "bytes_ -= size", ["bytes_"]),
    ("src/arena/thread_cache.h", "bytes_ += size;", "bytes_ += size", ["bytes_"]),
    ("src/arena/thread_cache.h", "if (bytes_ + size > bound_", "bytes_ + size > bound_.load(memory_order_relaxed)",
     ["false"]),
    ("src/arena/thread_cache.h", "if (class_cache.loaded == nullptr ||", "class_cache.loaded == nullptr", ["false"]),
    ("src/arena/thread_cache.h", "count == rounds", "count == rounds", ["false"]),
    ("src/arena/thread_cache.cpp", "magazine->count = count", "magazine->count = count", ["count"]),
    ("src/arena/thread_cache.cpp", "if (!quota.add(bytes))", "quota.add(bytes)", ["(VALUE, true)"]),
    ("src/arena/thread_cache.cpp", "depots[size_class].rounds.fetch_add(count, ", "count", ["0"]),
    ("src/arena/thread_cache.cpp", "depots[size_class].rounds.fetch_sub(count, ", "count", ["0"]),
    ("src/arena/thread_cache.cpp", "if (depots[size_class].magazines.put(",
     "depots[size_class].magazines.put(as_word(magazine))", ["(VALUE, true)"]),
    ("src/arena/thread_cache.cpp", "if (departed) return", "departed", ["false"]),
    ("src/arena/thread_cache.cpp", "departed = true", "true", ["false"]),
    ("src/arena/accounts.cpp", "bits | (bits + 1), memory", "bits | (bits + 1)", ["bits"]),
    ("src/arena/accounts.cpp", "live_bits[entry / 64].fetch_sub(", "std::uint64_t{1} << entry % 64", ["0"]),
    ("src/arena/thread_cache.cpp", "std::exchange(current_, nullptr)", "nullptr", ["current_"]),
    ("src/arena/thread_cache.cpp", "class_cache.previous_count.load(memory_order_relaxed) == 0",
     "class_cache.previous_count.load(memory_order_relaxed) == 0", ["true", "false"]),
    ("src/arena/thread_cache.cpp", "bytes_ += full->count", "full->count", ["0 * full->count"]),
    ("src/arena/thread_cache.cpp", "if (class_cache.previous == nullptr || full != 0)", "full != 0", ["false"]),
    ("src/arena/thread_cache.cpp", "bytes_ -= std::uint64_t{full}", "std::uint64_t{full}", ["0 * std::uint64_t{full}"]),
    ("src/arena/thread_cache.cpp", "if (!put(class_cache.previous, size_class, full))",
     "put(class_cache.previous, size_class, full)", ["(VALUE, true)", "(VALUE, false)"]),
    ("src/arena/thread_cache.cpp", "class_cache.previous_count.store(0, ", "0", ["full"]),
    ("src/arena/thread_cache.cpp", "std::exchange(class_cache.loaded, nullptr)", "nullptr", ["class_cache.loaded"]),
    ("src/arena/thread_cache.cpp", "class_cache.loaded_count.store(0, ", "0", ["count"]),
    ("src/arena/thread_cache.cpp", "(count != 0 && put(", "count != 0", ["true"]),
    ("src/arena/thread_cache.cpp", "&& put(magazine, size_class, count)", "put(magazine, size_class, count)",
     ["(VALUE, true)", "(VALUE, false)"]),
    ("src/arena/thread_cache.cpp", "bytes_ = 0;", "0", ["bytes_"]),
]  # fmt: skip

# Changes that make sense only together: the file, a place before all of them, and (what it is there, what it becomes)
# in their order.
TOGETHER = [
    # R4: the first slot of a batch is handed over first.
    ("src/ring/mpmc.h", "for (std::uint64_t i = free - 1", [
        ("next(tail, i)", "next(tail, free - 1 - i)"), ("items[i]", "items[free - 1 - i]"),
        ("place_of(tail)", "place_of(next(tail, free - 1))"), ("items[0]", "items[free - 1]")]),
    ("src/ring/mpmc.h", "for (std::uint64_t i = filled - 1", [
        ("next(head, i)", "next(head, filled - 1 - i)"),
        ("copy_item(later, items, lines, i)", "copy_item(later, items, lines, filled - 1 - i)"),
        ("place_of(head)", "place_of(next(head, filled - 1))"),
        ("copy_item(first, items, lines, 0)", "copy_item(first, items, lines, filled - 1)")]),
]  # fmt: skip


class Mutant(NamedTuple):
    """One change: what stands from `start` to `end` becomes `after` if `key` is chosen, and with it all of `also`."""

    key: int
    file: str
    start: int
    end: int
    line: int
    code: str  # the line
    before: str
    after: str  # an expression; "" for a call that is left out
    above: str  # the line before, without comments
    also: tuple["Mutant", ...] = ()  # with the same key

    def __str__(self):
        change = f"{self.before} -> {self.after}" if self.after else f"without {self.before}"
        return f"{self.file}:{self.line}: {self.code[:90]}  [{change}]"


def without_comments(text):
    """The text with blanks for its comments, so that places stay what they are."""
    return re.sub(r"//[^\n]*", lambda match: " " * len(match.group()), text)


def closing(code, start):
    """The place after the bracket that closes the first one from `start` on."""
    depth = 0
    for place in range(code.index("(", start), len(code)):
        depth += {"(": 1, ")": -1}.get(code[place], 0)
        if depth == 0:
            return place + 1
    raise ValueError("brackets that do not match")


def orders(code):
    """Where an order is weakened: start, end, what it becomes."""
    for order in ORDER.finditer(code):
        accesses = list(ACCESS.finditer(code, max(0, order.start() - 200), order.start()))
        if not accesses:
            continue
        # Relacy finds no end of a compare-and-swap whose failure is seq_cst and whose success is less.
        if re.match(r",\s*memory_order_seq_cst", code[order.end() :]):
            continue
        second = ORDER.search(code, accesses[-1].end(), order.start())
        kind = "load" if second else accesses[-1].group(1)
        for weaker in WEAKER[kind if kind in WEAKER else "rmw"].get(order.group(1), []):
            yield order.start(), order.end(), f"memory_order_{weaker}"


def calls(code):
    """Where a call is left out."""
    for call in CALL.finditer(code):
        end = closing(code, call.end())
        if code[end : end + 1] == ";":
            yield call.start(), end, ""


def conditions(file, code):
    """Where an expression is changed."""
    for where, context, before, changed in CONDITIONS:
        if where != file:
            continue
        found = list(re.finditer(re.escape(context), code))
        if not found:
            raise ValueError(f"{file} no longer has: {context}")
        for place in found:
            start = code.index(before, place.start())
            for after in changed:
                yield start, start + len(before), after.replace("VALUE", before)


def together(file, code):
    """Groups of changes."""
    for where, context, changes in TOGETHER:
        if where == file:
            start = code.index(context)
            group = []
            for before, after in changes:
                start = code.index(before, start)
                group.append((start, start + len(before), after))
            yield group


def all_mutants(root, files):
    """The mutants of all files, numbered from 1."""
    keys = itertools.count(1)
    mutants = []
    for file in files:
        code = without_comments((root / file).read_text())
        single = sorted({*orders(code), *calls(code), *conditions(file, code)})
        for group in [*([change] for change in single), *together(file, code)]:
            key = next(keys)
            made = []
            for start, end, after in group:
                line = code.count("\n", 0, start)
                above, text = (each.strip() for each in code.splitlines()[line - 1 : line + 1])
                made.append(Mutant(key, file, start, end, line + 1, text, code[start:end], after, above))
            mutants.append(made[0]._replace(also=tuple(made[1:])))
    return mutants


def mutated(text, mutants):
    """A file with mutants in it, each of which changes it only if its key is chosen."""
    changes = [change for mutant in mutants for change in (mutant, *mutant.also)]
    changes.sort(key=lambda c: (-c.start, c.end))  # inner ones first
    grown: list[tuple[int, int]] = []  # where the text has become longer, and by how much
    for (start, end), group in itertools.groupby(changes, lambda c: (c.start, c.end)):
        end += sum(length for at, length in grown if at < end)
        before = text[start:end]
        is_order = before.startswith("memory_order_")
        chosen = before.replace("memory_order_", "mo_") if is_order else f"({before})"
        for mutant in group:
            if is_order:
                after = mutant.after.replace("memory_order_", "mo_")
            elif mutant.after:
                after = f"({mutant.after})"
            else:
                after, chosen = "static_cast<void>(0)", f"static_cast<void>{chosen}"
            chosen = f"xichan_mutant == {mutant.key} ? {after} : {chosen}"
        # The checker's macros for orders bring the place in the source with them.
        fresh = f"({chosen})" + (", $" if is_order else "")
        grown.append((start, len(fresh) - len(before)))
        text = text[:start] + fresh + text[end:]
    return text

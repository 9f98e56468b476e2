#include "channel/channel.h"

#include <algorithm>
#include <cstdio>
#include <new>

#include "base/deadline.h"
#include "trace/trace.h"

namespace xichan::internal {
namespace {

std::uint64_t effective_capacity(const ChannelOptions& options) noexcept {
  switch (flavor_info(options.flavor).rule) {
    case CapacityRule::always_zero: return 0;
    case CapacityRule::always_unbounded: return unbounded;
    default: return options.capacity;
  }
}

}  // namespace

Channel::Channel(const ChannelOptions& options, Retire retire, const ChannelNote& note) noexcept
    : ring_(options.overflow == Overflow::drop_oldest ? unbounded : effective_capacity(options)),
      plain_(ring_.is_mpmc() && options.max_bytes == 0 && options.overflow == Overflow::block),
      byte_bounded_(options.max_bytes != 0 && options.flavor != Flavor::rendezvous),
      flavor_(options.flavor),
      overflow_(options.overflow),
      generation_(process_generation()),
      not_empty_(waiters_lock_),
      not_full_(waiters_lock_),
      capacity_(effective_capacity(options)),
      bytes_(options.max_bytes),
      retire_(retire),
      pickles_(options.pickles),
      made_(note.made),
      part_of_(note.part_of),
      is_internal_(note.is_internal) {}

Status Channel::create(const ChannelOptions& options, Retire retire, Channel*& channel,
                       const ChannelNote& note) noexcept {
  channel = nullptr;
  if (!flavor_info(options.flavor).accepts(options.capacity)) return Status::too_large;
  const std::uint64_t capacity = effective_capacity(options);
  if (capacity != unbounded && capacity > max_capacity) return Status::too_large;
  if (capacity == 0 && options.overflow == Overflow::drop_oldest) return Status::invalid;  // nothing is queued
  Channel* fresh = new (std::nothrow) Channel(options, retire, note);
  if (fresh == nullptr) return Status::no_memory;
  const std::size_t text = options.name.size() + note.label.size();
  if (text != 0) fresh->text_.reset(new (std::nothrow) char[text]);
  if (!fresh->ring_.valid() || (text != 0 && fresh->text_ == nullptr)) {
    const Status status = fresh->ring_.valid() ? Status::no_memory : RingMemory::failure();
    delete fresh;
    return status;
  }
  if (text != 0) {
    fresh->name_length_ = options.name.copy(fresh->text_.get(), options.name.size());
    fresh->label_length_ = note.label.copy(fresh->text_.get() + fresh->name_length_, note.label.size());
  }
  channel = fresh;
  return Status::ok;
}

bool Channel::increment_unless_zero(atomic<std::uint64_t>& count) noexcept {
  std::uint64_t seen = count.load(memory_order_relaxed);
  while (seen != 0) {  // H1
    if (count.compare_exchange_weak(seen, seen + 1, memory_order_relaxed, memory_order_relaxed)) return true;
  }
  return false;
}

void Channel::drop_endpoint(Side side) noexcept {
  if (is_inherited()) return;  // H5
  // (6) acq_rel among all threads that drop an endpoint: what each did with it happens before the finish below.
  if (endpoints(side).fetch_sub(1, memory_order_acq_rel) != 1) return;
  ring_.close();
  if (side == Side::receiver) {
    not_empty_.demand_attention();  // before draining the ring: H3
    discard_queued();
  }
  waiters(other(side)).notify_all();
  closing_.notify_all();
  unpin();
}

void Channel::unpin() noexcept {
  if (is_inherited()) return;  // H5
  // (7) acq_rel among all threads that drop a pin: their last use of the channel happens before its destruction.
  if (pins_.fetch_sub(1, memory_order_acq_rel) != 1) return;
  retire_(*this);
  discard_queued();
  delete this;
}

void Channel::shutdown(bool immediate, const Cell& error) noexcept {
  retain(error);
  failure(Side::sender).fail(error, true);
  failure(Side::receiver).fail(error, true);
  shutdown(immediate);
}

void Channel::shutdown(bool immediate) noexcept {
  for (Failure& failure : failures_) failure.finish();
  shut_down_.store(true, memory_order_release);
  ring_.close();
  if (immediate) {
    not_empty_.demand_attention();
    discard_queued();
  }
  not_empty_.notify_all();
  not_full_.notify_all();
  closing_.notify_all();
}

void Channel::nudge() noexcept {
  not_empty_.nudge_all();
  not_full_.nudge_all();
  closing_.nudge_all();
}

void Channel::serve_receivers() noexcept {
  if (not_empty_.demands_attention()) discard_queued();
  not_empty_.notify_one();
}

void Channel::discard_queued() noexcept {
  Cell cell;
  Line line;
  while (ring_.try_pop(cell, line) == Status::ok) {
    discarded_.fetch_add(1, memory_order_relaxed);
    if (byte_bounded_) bytes_.release(cost_of(cell));
    release(cell);
  }
}

bool Channel::finished_for(Side side) const noexcept {
  if (is_shut_down()) return true;
  if (side == Side::sender) return endpoint_count(Side::receiver) == 0;
  return endpoint_count(Side::sender) == 0 && ring_.size() == 0;
}

std::uint64_t Channel::version(Side side) const noexcept {
  if (flavor_ == Flavor::rendezvous) return arrivals_[static_cast<unsigned>(other(side))].load(memory_order_seq_cst);
  if (side == Side::receiver) return ring_.pop_version();
  return ring_.push_version() + (byte_bounded_ ? bytes_.version() : 0);
}

bool Channel::can_send() const noexcept { return ring_.can_push(); }

bool Channel::enlist(Side side, WaitNode& node) noexcept {
  if (flavor_ == Flavor::rendezvous) return enlist_to_meet(side, node);
  if (byte_bounded_ && side == Side::sender) return enlist_bounded(node);
  waiters(side).add(node);
  if (side == Side::receiver) return ring_.can_pop() || (ring_.is_closed() && ring_.size() == 0);
  return ring_.is_closed() || ring_.can_push();
}

// Not on the path of a message that passes only through the bounded ring, except while a trace records.
template <bool is_recorded>
[[gnu::always_inline]] inline Status Channel::send_special(const Cell& cell, Lane& lane, std::uint64_t ticket,
                                                           std::uint64_t& at) noexcept {
  if (!is_recorded && plain_ && admit(Side::sender, lane)) return send_plain(cell);
  if (flavor_ == Flavor::rendezvous) {
    if (bytes_.max() != 0 && cost_of(cell) > bytes_.max()) return Status::too_large;
    Cell offered = cell;
    return meet(Side::sender, offered, at);
  }
  if (flavor_ == Flavor::spsc && !claim(Side::sender, lane)) return Status::claimed;
  if (byte_bounded_) return try_send_bounded(cell, lane, ticket, at);
  const Status status = ring_.push_at(cell, at);
  if (status == Status::ok) after_send();
  return status;
}

template <bool is_recorded>
[[gnu::always_inline]] inline Status Channel::recv_special(Cell& cell, Lane& lane, Line* line,
                                                           std::uint64_t& at) noexcept {
  if (!is_recorded && plain_ && admit(Side::receiver, lane)) return recv_plain(cell, line);
  if (flavor_ == Flavor::rendezvous) return meet(Side::receiver, cell, at);
  if (flavor_ == Flavor::spsc && !claim(Side::receiver, lane)) return Status::claimed;
  if (is_recorded && plain_) return recv_recorded(cell, line, at);
  const Status status = ring_.pop_at(cell, at);
  if (status == Status::ok) {
    if (byte_bounded_) bytes_.release(cost_of(cell));
    after_recv();
  } else if (byte_bounded_ && bytes_.is_claimed()) {
    lapse_claim();
  }
  return status;
}

Status Channel::try_send_special(const Cell& cell, Lane& lane, std::uint64_t ticket) noexcept {
  if (is_traced()) [[unlikely]]
    return send_recorded(cell, lane, ticket);
  std::uint64_t at;
  return send_special<false>(cell, lane, ticket, at);
}

Status Channel::try_recv_special(Cell& cell, Lane& lane, Line* line) noexcept {
  if (is_traced()) [[unlikely]]
    return recv_recorded(cell, lane, line);
  std::uint64_t at;
  return recv_special<false>(cell, lane, line, at);
}

[[gnu::noinline]] Status Channel::send_recorded(const Cell& cell, Lane& lane, std::uint64_t ticket) noexcept {
  std::uint64_t at = 0;
  const std::int64_t begin = Deadline::now();
  const Status status = send_special<true>(cell, lane, ticket, at);
  if (status == Status::ok) trace(TraceKind::send, begin, at);
  return status;
}

[[gnu::noinline]] Status Channel::recv_recorded(Cell& cell, Lane& lane, Line* line) noexcept {
  std::uint64_t at = 0;
  const std::int64_t begin = Deadline::now();
  const Status status = recv_special<true>(cell, lane, line, at);
  if (status == Status::ok) trace(TraceKind::receive, begin, at);
  return status;
}

namespace {

// Attempts one by one until one fails; returns the status of the first.
template <class Attempt>
Status one_by_one(std::uint64_t count, std::uint64_t& done, Attempt attempt) noexcept {
  const Status status = attempt(0);
  if (status == Status::ok) {
    for (done = 1; done < count && attempt(done) == Status::ok;) ++done;
  }
  return status;
}

}  // namespace

// One notification after a batch is enough: the waiter that it wakes passes the token on by rule (a).
Status Channel::try_send_many(const Cell* cells, std::uint64_t count, std::uint64_t& done, Lane& lane) noexcept {
  done = 0;
  const std::int64_t begin = is_traced() ? Deadline::now() : 0;
  if (!admit(Side::sender, lane)) {
    return one_by_one(count, done, [&](std::uint64_t i) noexcept { return try_send(cells[i], lane); });
  }
  std::uint64_t at;
  const Status status = ring_.mpmc().try_push_many(cells, count, done, &at);
  if (status == Status::ok) {
    after_send();
    if (begin != 0) [[unlikely]]
      trace(TraceKind::send, begin, at, done);
  }
  return status;
}

Status Channel::try_recv_many(Cell* cells, std::uint64_t count, std::uint64_t& done, Lane& lane, Line* lines) noexcept {
  done = 0;
  const std::int64_t begin = is_traced() ? Deadline::now() : 0;
  // Not on spsc, where the receiver has to claim its side first.
  const bool segmented = ring_.is_segmented() && !byte_bounded_ && flavor_ != Flavor::spsc;
  if (!segmented && !admit(Side::receiver, lane)) {
    return one_by_one(count, done, [&](std::uint64_t i) noexcept { return try_recv_special(cells[i], lane, nullptr); });
  }
  // The bounded ring looks at all slots again after each lost claim.
  std::uint64_t at;
  Status status = segmented ? ring_.segmented().try_pop_many(cells, count, done, &at)
                            : ring_.mpmc().try_pop_many(cells, std::min<std::uint64_t>(count, batch_size), done, &at);
  if (status == Status::full) {
    status = try_recv_lines(cells, count, done, lines, at);
  } else if (status == Status::ok) {
    after_recv();
  }
  if (begin != 0 && status == Status::ok) [[unlikely]]
    trace(TraceKind::receive, begin, at, done);
  return status;
}

bool Channel::claim(Side side, Lane& lane) noexcept {
  atomic<Lane*>& owner = claims_[static_cast<unsigned>(side)];
  // (14) acquire, with the release half of unclaim: what the previous owner of the side did happens before what the
  // next one does.
  Lane* seen = owner.load(memory_order_acquire);
  if (seen == nullptr && owner.compare_exchange_strong(seen, &lane, memory_order_acq_rel, memory_order_acquire)) {
    return true;
  }
  return seen == &lane;  // perhaps only just now: two threads may share this endpoint and both make a first call
}

// Returns true if a message of this lane passes only through the bounded ring.
bool Channel::admit(Side side, Lane& lane) noexcept {
  if (lane.passes.load(memory_order_relaxed)) return true;
  if (!plain_ || (flavor_ == Flavor::spsc && !claim(side, lane))) return false;
  if (lane.bound && !is_traced()) lane.passes.store(true, memory_order_relaxed);
  return true;
}

void Channel::unclaim(Side side, Lane& lane) noexcept {
  if (flavor() != Flavor::spsc || is_inherited()) return;
  lane.passes.store(false, memory_order_relaxed);
  Lane* claimed = &lane;
  claims_[static_cast<unsigned>(side)].compare_exchange_strong(claimed, nullptr, memory_order_acq_rel,
                                                               memory_order_relaxed);
}

ChannelStats Channel::stats() const noexcept {
  ChannelStats stats{};
  // The counters are read at different moments, while others send and receive. Values that leave are read before values
  // that enter, and a difference below zero counts as zero.
  const std::uint64_t discarded = discarded_.load(memory_order_relaxed);
  stats.dropped = dropped_.load(memory_order_relaxed);
  stats.depth = ring_.size();
  stats.bytes = bytes_.held();
  stats.sent = sent();
  stats.received = stats.sent - std::min(stats.sent, stats.depth + discarded + stats.dropped);
  stats.parks = parks_.load(memory_order_relaxed);
  stats.wakeups = wakeups_.load(memory_order_relaxed);
  stats.senders = static_cast<std::uint32_t>(std::min<std::uint64_t>(endpoint_count(Side::sender), UINT32_MAX));
  stats.receivers = static_cast<std::uint32_t>(std::min<std::uint64_t>(endpoint_count(Side::receiver), UINT32_MAX));
  stats.waiting_senders = waiting(Side::sender);
  stats.waiting_receivers = waiting(Side::receiver);
  stats.pickled = pickled_.load(memory_order_relaxed);
  return stats;
}

TraceSubject Channel::trace_subject() noexcept {
  const TraceSubject subject{.kind = is_internal_ ? TraceSubject::Kind::own_channel : TraceSubject::Kind::channel,
                             .words = {id_.place, id_.secret}};
  const std::uint32_t number = current_trace();
  if (number != 0 && text_ != nullptr && named_in_.load(memory_order_relaxed) != number) {
    named_in_.store(number, memory_order_relaxed);
    if (name_length_ != 0 || is_internal_) {
      Trace::name(subject, is_internal_ ? label() : name());
    } else {
      char text[96];
      const int length =
          std::snprintf(text, sizeof text, "%.*s #%llx", static_cast<int>(std::min<std::size_t>(label_length_, 64)),
                        label().data(), static_cast<unsigned long long>(id_.place));
      Trace::name(subject, {text, static_cast<std::size_t>(length)});
    }
  }
  return subject;
}

void Channel::trace(TraceKind kind, std::int64_t begin, std::uint64_t at, std::uint64_t count,
                    std::int64_t end) noexcept {
  Trace::record({.begin = begin,
                 .end = end,
                 .subject = trace_subject(),
                 .first = flavor_ == Flavor::rendezvous ? at : ring_.number_of(at),
                 .count = static_cast<std::uint32_t>(count),
                 .kind = kind});
}

namespace {

void drop_sender(void* channel) noexcept { static_cast<Channel*>(channel)->drop_endpoint(Side::sender); }
void drop_receiver(void* channel) noexcept { static_cast<Channel*>(channel)->drop_endpoint(Side::receiver); }

}  // namespace

constinit const ReferenceType sender_reference{ReferenceKind::sender, drop_sender};
constinit const ReferenceType receiver_reference{ReferenceKind::receiver, drop_receiver};

}  // namespace xichan::internal

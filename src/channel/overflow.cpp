// Sends to a channel that drops values instead of blocking its senders.
//
// drop_newest refuses a value that does not fit, and counts it as sent and dropped.
//
// drop_oldest pushes into an unbounded ring, then removes what exceeds the bounds. Between the two the ring holds at
// most one value too many for each send in progress. A value is removed only if enough newer ones have been claimed,
// and their number never decreases, so a send never removes the newest value. In a bounded ring, a receiver that is
// stopped while it takes a value would make the push fail. If several senders exceed the bytes together, the last one
// that adds its bytes sees what the others have published before it subtracts, and drops what exceeds the bound.
//
// Progress: no send waits for a receiver.
#include "base/deadline.h"
#include "channel/channel.h"

namespace xichan::internal {

Status Channel::try_send_dropping(const Cell& cell, Lane& lane) noexcept {
  if (overflow_ == Overflow::drop_newest) {
    const Status status = try_send_special(cell, lane);
    if (status != Status::full) return status;
    refused_.fetch_add(1, memory_order_relaxed);
    dropped_.fetch_add(1, memory_order_relaxed);
    release(cell);
    return Status::ok;
  }
  if (flavor_ == Flavor::spsc && !claim(Side::sender, lane)) return Status::claimed;
  const std::int64_t begin = is_traced() ? Deadline::now() : 0;
  const std::uint64_t cost = byte_bounded_ ? cost_of(cell) : 0;
  if (cost > bytes_.max()) return Status::too_large;
  bytes_.add(cost);
  std::uint64_t at;
  const Status status = ring_.push_at(cell, at);
  if (status != Status::ok) {
    bytes_.release(cost);
    return status;
  }
  drop_excess();
  after_send();
  if (begin != 0) [[unlikely]]
    trace(TraceKind::send, begin, at);
  return Status::ok;
}

void Channel::drop_excess() noexcept {
  for (;;) {
    const bool too_many_bytes = byte_bounded_ && bytes_.held() > bytes_.max();
    Cell oldest;
    if (!ring_.segmented().try_pop_excess(oldest, too_many_bytes ? 1 : capacity_)) return;
    dropped_.fetch_add(1, memory_order_relaxed);
    if (byte_bounded_) bytes_.release(cost_of(oldest));
    release(oldest);
  }
}

}  // namespace xichan::internal

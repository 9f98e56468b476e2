// Sends to a channel that drops values instead of blocking its senders.
//
// drop_newest refuses a value for which there is no room, and counts it as sent and dropped.
//
// drop_oldest pushes into an unbounded ring, then removes what exceeds the bounds. Between the two the ring holds at
// most one value too many for each send in progress. A value is removed only while enough newer ones have been claimed,
// and their number never decreases, so a send never removes the newest value. In a bounded ring, a receiver that is
// stopped while it takes a value would make the push fail. Of the senders that
// exceed the bytes together, the last one to add its own also sees what the others have published before they subtract.
// Progress: no send waits for a receiver.
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
  const std::uint64_t cost = max_bytes_ == 0 ? 0 : cost_of(cell);
  if (cost > max_bytes_) return Status::too_large;
  if (cost != 0) bytes_.fetch_add(cost, memory_order_seq_cst);
  const Status status = ring_.try_push(cell, lane);
  if (status != Status::ok) {
    if (cost != 0) bytes_.fetch_sub(cost, memory_order_seq_cst);
    return status;
  }
  drop_excess();
  after_send();
  return Status::ok;
}

void Channel::drop_excess() noexcept {
  for (;;) {
    const bool too_many_bytes = max_bytes_ != 0 && bytes_.load(memory_order_seq_cst) > max_bytes_;
    Cell oldest;
    if (!ring_.segmented().try_pop_excess(oldest, too_many_bytes ? 1 : capacity_)) return;
    dropped_.fetch_add(1, memory_order_relaxed);
    if (max_bytes_ != 0) bytes_.fetch_sub(cost_of(oldest), memory_order_seq_cst);
    release(oldest);
  }
}

}  // namespace xichan::internal

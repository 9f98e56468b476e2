#include "channel/channel.h"

#include <new>

#include "channel/registry.h"

namespace xichan {

Status Channel::create(std::uint64_t capacity, Channel*& channel) noexcept {
  channel = nullptr;
  if (capacity == 0 || capacity > max_capacity) return Status::too_large;
  Channel* fresh = new (std::nothrow) Channel(capacity);
  if (fresh == nullptr) return Status::no_memory;
  if (!fresh->ring_.valid() || !Registry::add(*fresh, fresh->id_)) {
    delete fresh;
    return Status::no_memory;
  }
  channel = fresh;
  return Status::ok;
}

bool Channel::try_add_end(Side side) noexcept {
  std::uint32_t count = ends(side).load(memory_order_relaxed);
  while (count != 0) {  // H1
    if (ends(side).compare_exchange_weak(count, count + 1, memory_order_relaxed, memory_order_relaxed)) return true;
  }
  return false;
}

void Channel::drop_end(Side side) noexcept {
  // (6) acq_rel among all who drop an end: what each did with it comes before the finish below.
  if (ends(side).fetch_sub(1, memory_order_acq_rel) != 1) return;
  ring_.close();
  if (side == Side::receiver) {
    not_empty_.demand_attention();  // before the ring is drained: H3
    discard_queued();
    not_full_.notify_all();
  } else {
    not_empty_.notify_all();
  }
  unpin();
}

void Channel::unpin() noexcept {
  // (7) acq_rel among all who drop a pin: their last use of the channel comes before its destruction.
  if (pins_.fetch_sub(1, memory_order_acq_rel) != 1) return;
  Registry::remove(id_);
  discard_queued();
  delete this;
}

void Channel::shutdown(bool immediate) noexcept {
  shut_down_.store(true, memory_order_release);
  ring_.close();
  if (immediate) {
    not_empty_.demand_attention();
    discard_queued();
  }
  not_empty_.notify_all();
  not_full_.notify_all();
}

void Channel::serve_receivers() noexcept {
  if (not_empty_.demands_attention()) discard_queued();
  not_empty_.notify_one();
}

void Channel::discard_queued() noexcept {
  Cell cell;
  while (ring_.try_pop(cell) == Status::ok) release(cell);
}

bool Channel::finished_for(Side side) const noexcept {
  if (is_shut_down()) return true;
  if (side == Side::sender) return end_count(Side::receiver) == 0;
  return end_count(Side::sender) == 0 && ring_.size() == 0;
}

namespace {

void drop_sender(void* channel) noexcept { static_cast<Channel*>(channel)->drop_end(Side::sender); }
void drop_receiver(void* channel) noexcept { static_cast<Channel*>(channel)->drop_end(Side::receiver); }

}  // namespace

constinit const ReferenceType sender_reference{ReferenceKind::sender, drop_sender};
constinit const ReferenceType receiver_reference{ReferenceKind::receiver, drop_receiver};

}  // namespace xichan

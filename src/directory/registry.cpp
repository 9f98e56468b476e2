#include "directory/registry.h"

#include <vector>

#include "base/immortal.h"
#include "base/random.h"
#include "base/slot_set.h"

namespace xichan::internal {
namespace {

constexpr std::uint64_t no_slot = UINT64_MAX;

struct Slot {
  Channel* channel = nullptr;  // null while the slot is free
  std::uint64_t generation = 0;
  std::uint64_t secret = 0;
  std::uint64_t next_free = no_slot;
};

struct Table {
  Mutex lock;
  std::vector<Slot> slots;
  std::uint64_t first_free = no_slot;
  SlotSet live;  // the slots in use, so that a walk skips the free ones
  plain<std::uint64_t> alive{0};
};

Table& table() noexcept { return immortal<Table>(); }

// Frees a slot. It is not used again once its generations are exhausted: an id would name a second channel.
void vacate(Table& t, std::uint64_t index) noexcept {
  Slot& slot = t.slots[index];
  slot.channel = nullptr;
  t.live.erase(index);
  if (slot.generation == ChannelId::last_generation) return;
  slot.next_free = t.first_free;
  t.first_free = index;
}

}  // namespace

bool Registry::add(Channel& channel) noexcept try {
  const std::uint64_t secret = random_bits();
  Table& t = table();
  std::lock_guard guard(t.lock);
  if (t.first_free == no_slot) {
    if (t.slots.size() >> ChannelId::slot_bits) return false;
    t.live.grow(t.slots.size() + 1);
    t.slots.emplace_back();
    t.first_free = t.slots.size() - 1;
  }
  const std::uint64_t index = t.first_free;
  Slot& slot = t.slots[index];
  t.first_free = slot.next_free;
  slot = {&channel, slot.generation + 1, secret};
  channel.set_id({slot.generation << ChannelId::slot_bits | index, secret});
  t.live.insert(index);
  ++XICHAN_PLAIN(t.alive);
  return true;
} catch (const std::bad_alloc&) {
  return false;
}

void Registry::remove(const ChannelId& id) noexcept {
  Table& t = table();
  std::lock_guard guard(t.lock);
  vacate(t, id.slot());
  --XICHAN_PLAIN(t.alive);
}

Channel* Registry::open(const ChannelId& id, Side side) noexcept {
  Table& t = table();
  std::lock_guard guard(t.lock);
  if (id.slot() >= t.slots.size()) return nullptr;
  const Slot& slot = t.slots[id.slot()];
  if (slot.channel == nullptr || slot.secret != id.secret || slot.generation != id.place >> ChannelId::slot_bits) {
    return nullptr;
  }
  // The lock keeps the channel alive: it leaves this table before it is destroyed.
  return slot.channel->try_add_endpoint(side) ? slot.channel : nullptr;
}

Channel* Registry::next(std::uint64_t& place) noexcept {
  Table& t = table();
  std::lock_guard guard(t.lock);
  while ((place = t.live.next(place)) != SlotSet::none) {
    Channel* channel = t.slots[place++].channel;
    if (channel != nullptr && channel->try_pin()) return channel;
  }
  return nullptr;
}

// Pins the channels one by one, because waking is a system call, which must not happen under the lock.
void Registry::nudge_all() noexcept {
  std::uint64_t place = 0;
  while (Channel* channel = next(place)) {
    channel->nudge();
    channel->unpin();
  }
}

void Registry::lock_for_fork() noexcept { table().lock.lock(); }

void Registry::unlock_after_fork(bool in_child) noexcept {
  Table& t = table();
  for (std::uint64_t i = 0; in_child && (i = t.live.next(i)) != SlotSet::none; ++i) vacate(t, i);
  if (in_child) XICHAN_PLAIN(t.alive) = 0;
  t.lock.unlock();
}

void Registry::set_generation(const ChannelId& id, std::uint64_t generation) noexcept {
  Table& t = table();
  std::lock_guard guard(t.lock);
  t.slots[id.slot()].generation = generation;
}

std::uint64_t Registry::size() noexcept {
  Table& t = table();
  std::lock_guard guard(t.lock);
  return XICHAN_PLAIN(t.alive);
}

}  // namespace xichan::internal

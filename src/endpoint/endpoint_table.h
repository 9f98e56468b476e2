// The open endpoints of one owner, as other threads see them.
//
// Algorithm: slots in chunks that are never moved, each guarded by a sequence number. Only the owner changes the table,
// under its own lock, so opening an endpoint takes no lock and no read-modify-write. A reader walks all slots.
//
// Progress: wait-free for the owner; a reader skips a slot that is being written.
#pragma once

#include <cstdint>
#include <new>

#include "channel/channel.h"
#include "page/places.h"
#include "page/sequenced.h"

namespace xichan::internal {

/// Where an endpoint was opened.
struct EndpointOrigin {
  const Place* place = nullptr;  // null: not known
  std::uint32_t thread = 0;      // native id
};

struct EndpointEntry {
  ChannelId id;
  Side side;
  EndpointOrigin origin;
};

/// Thread safety: `add` and `remove` under the owner's lock; `for_each` on any thread while the table exists.
class EndpointTable {
  static constexpr std::size_t words = 4;  // id, secret, side | generation | thread, place
  static constexpr std::size_t chunk_slots = 64;

 public:
  class Slot {
    friend class EndpointTable;

    SequencedWords<words> content_;
    Slot* next_free_ = nullptr;
  };

  EndpointTable() noexcept { first_.store(nullptr, memory_order_relaxed); }
  EndpointTable(const EndpointTable&) = delete;
  EndpointTable& operator=(const EndpointTable&) = delete;
  ~EndpointTable() {
    for (Chunk* chunk = first_.load(memory_order_relaxed); chunk != nullptr;) {
      Chunk* const next = chunk->next;
      delete chunk;
      chunk = next;
    }
  }

  /// Returns the slot of a new entry; null without memory: then the endpoint is not listed.
  Slot* add(const EndpointEntry& entry) noexcept {
    if (free_ == nullptr && !grow()) return nullptr;
    Slot& slot = *free_;
    free_ = slot.next_free_;
    slot.content_.begin_write();
    slot.content_.set(0, entry.id.place);
    slot.content_.set(1, entry.id.secret);
    slot.content_.set(2, pack(entry));
    slot.content_.set(3, reinterpret_cast<std::uintptr_t>(entry.origin.place));
    slot.content_.end_write();
    return &slot;
  }

  /// `slot` may be null.
  void remove(Slot* slot) noexcept {
    if (slot == nullptr) return;
    slot->content_.begin_write();
    slot->content_.set(2, unused);
    slot->content_.end_write();
    slot->next_free_ = free_;
    free_ = slot;
  }

  /// Calls `visit(entry)` for the endpoints that were opened in this process: not those inherited through a fork.
  template <class Visit>
  void for_each(Visit visit) const noexcept {
    // (61) acquire, with (62): a chunk is made before it is read.
    for (const Chunk* chunk = first_.load(memory_order_acquire); chunk != nullptr; chunk = chunk->next) {
      for (const Slot& slot : chunk->slots) {
        std::uint64_t content[words];
        if (!slot.content_.read(content) || (content[2] >> 32 & most_generation) != current_generation()) continue;
        visit(EndpointEntry{
            .id = {content[0], content[1]},
            .side = content[2] >> 63 ? Side::receiver : Side::sender,
            .origin = {reinterpret_cast<const Place*>(content[3]), static_cast<std::uint32_t>(content[2])}});
      }
    }
  }

 private:
  struct Chunk {
    Chunk* next = nullptr;
    Slot slots[chunk_slots];
  };

  // side | generation, counted from 1 | thread
  static constexpr std::uint64_t unused = 0;
  static constexpr std::uint64_t most_generation = 0x7fff'ffff;
  static std::uint64_t current_generation() noexcept { return process_generation() % most_generation + 1; }
  static std::uint64_t pack(const EndpointEntry& entry) noexcept {
    return std::uint64_t{entry.side == Side::receiver} << 63 | current_generation() << 32 | entry.origin.thread;
  }

  bool grow() noexcept {
    auto* const chunk = new (std::nothrow) Chunk;
    if (chunk == nullptr) return false;
    for (Slot& slot : chunk->slots) {
      slot.next_free_ = free_;
      free_ = &slot;
    }
    chunk->next = first_.load(memory_order_relaxed);
    first_.store(chunk, memory_order_release);  // (62)
    return true;
  }

  atomic<Chunk*> first_;
  Slot* free_ = nullptr;
};

}  // namespace xichan::internal

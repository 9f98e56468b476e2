// An entry of a Map: an immutable pair of key and value. A change replaces it.
#pragma once

#include <new>

#include "base/deadline.h"
#include "state/snapshot.h"
#include "value/content_key.h"
#include "value/message.h"

namespace xichan::internal {

/// A key as it is looked up: a cell, and the block that it is valid in. Not owned.
struct MapKey {
  BlockReader reader;
  const Cell* cell;
  std::uint64_t hash;

  /// Returns the key that an owned cell describes; `owned` must outlive it.
  static MapKey of(const Cell& owned, std::uint64_t hash) noexcept {
    if (!owned.owns_block()) return {{}, &owned, hash};
    const BlockReader reader(owned.as_block());
    return {reader, &reader.root(), hash};
  }
};

struct alignas(16) MapEntry : Snapshot {
  static constexpr std::int64_t never = INT64_MAX;

  MapEntry(const Cell& k, std::uint64_t h, const Cell& v, std::int64_t expiry, std::uint64_t size) noexcept
      : hash(h), key(k), value(v), expires(expiry), bytes(size) {
    used.store(0, memory_order_relaxed);
  }

  const std::uint64_t hash;
  const Cell key;
  const Cell value;
  const std::int64_t expires;    // on the monotonic clock, in ns; or `never`
  const std::uint64_t bytes;     // that it counts in `max_bytes`: of its block, and of all blocks that it keeps alive
  std::uint64_t generation = 0;  // of the map when it was stored: see Map::clear
  std::uint64_t version = 0;     // of its shard
  union {
    MapEntry* next = nullptr;  // links entries that are to be freed
  };
  atomic<std::uint32_t> used;  // it was read since the hand of the clock came by

  bool has_key(const MapKey& other) const noexcept {
    if (hash != other.hash) return false;
    if (!key.owns_block() && key.head == other.cell->head && key.word == other.cell->word) return true;
    const MapKey mine = MapKey::of(key, hash);
    return equal_content(mine.reader, *mine.cell, other.reader, *other.cell);
  }
  bool has_expired(std::int64_t now) const noexcept { return expires <= now; }

  /// Takes over both cells if the result is `ok`; else `arena_full | no_memory`.
  XICHAN_API static Status make(const Cell& key, std::uint64_t hash, const Cell& value, std::int64_t expires,
                                MapEntry*& out) noexcept;
  /// Releases the key, the value and the memory. Not under a lock.
  static void free(MapEntry* entry) noexcept {
    release(entry->key);
    release(entry->value);
    discard(entry);
  }
  /// Releases only the memory.
  static void discard(MapEntry* entry) noexcept { Arena::discard(block_of(entry)); }
  /// Ends the use of an entry that `enter` returned.
  static void leave(MapEntry* entry) noexcept {
    if (SnapshotPointer<MapEntry>::leave(entry)) free(entry);
  }
  /// Does the same for an entry that was entered by `slot`, see `leave_here`.
  static void leave(MapEntry* entry, SnapshotPointer<MapEntry>& slot) noexcept {
    if (slot.leave_here(entry)) free(entry);
  }

 private:
  static Block* block_of(MapEntry* entry) noexcept { return reinterpret_cast<Block*>(entry) - 1; }
};
static_assert(sizeof(MapEntry) % Block::alignment == 0);

/// Entries that are freed once no lock is held.
class FreedEntries {
 public:
  FreedEntries() noexcept = default;
  FreedEntries(const FreedEntries&) = delete;
  FreedEntries& operator=(const FreedEntries&) = delete;
  ~FreedEntries() {
    while (first_ != nullptr) {
      MapEntry* const entry = first_;
      first_ = entry->next;
      MapEntry::free(entry);
    }
  }
  void add(MapEntry* entry) noexcept {
    entry->next = first_;
    first_ = entry;
  }

 private:
  MapEntry* first_ = nullptr;
};

}  // namespace xichan::internal

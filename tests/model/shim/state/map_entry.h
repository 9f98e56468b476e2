// Stands in for src/state/map_entry.h in the model of maps: a key is its hash, and an entry comes from the checker's
// memory and is checked.
#pragma once

#include "state/snapshot.h"

namespace xichan::internal {

struct MapKey {
  std::uint64_t hash;
};

struct MapEntry : Snapshot {
  MapEntry(std::uint64_t h, int v) noexcept : hash(h), value(v) { memory($) = 1; }

  const std::uint64_t hash;
  const int value;
  const std::uint64_t bytes = 1;
  MapEntry* next = nullptr;
  rl::var<int> memory;  // read by each user, written when it is freed

  bool has_key(const MapKey& other) const noexcept {
    RL_ASSERT(memory($) == 1);
    return hash == other.hash;
  }
  static void free(MapEntry* entry) noexcept {
    entry->memory($) = 0;
    delete entry;
  }
  static void leave(MapEntry* entry) noexcept {
    RL_ASSERT(entry->memory($) == 1);
    if (SnapshotPointer<MapEntry>::leave(entry)) free(entry);
  }
  static void leave(MapEntry* entry, SnapshotPointer<MapEntry>& slot) noexcept {
    RL_ASSERT(entry->memory($) == 1);
    if (slot.leave_here(entry)) free(entry);
  }
};

class FreedEntries {
 public:
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

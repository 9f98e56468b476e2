// A part of a Map: an open hash table that many threads read while one writes.
//
// Algorithm: linear probing (Knuth, TAOCP vol. 3, 6.4). A slot is a SnapshotPointer to an immutable entry, with four
// bits of its hash as marks; or empty; or a tombstone, once its entry was removed. Writers exclude each other by a
// lock. Readers take none: they follow the probe sequence, and enter the entries whose marks match.
//
// A full table is replaced. The new one is filled first, then published, and the old one is emptied last, after `era_`
// was increased: a reader that has found nothing, and sees another era than at its start, may have read an emptied
// table and reads again. Tables are kept until the shard is destroyed, because a reader may still be in them: one that
// was replaced serves again when a table of its size is needed, so a shard keeps at most as much as twice its largest
// table twice.
//
// Linearization: a hit where the reader enters the entry: the slot pointed to it then. A miss: a key that stays in the
// map stays in its slot, or the era changes; so the key was absent at some moment between the start and the end of the
// read. A write at the change of the slot.
//
// Invariants (all under the lock)
//   M1  an entry that readers can find is in the current table, at one slot of its probe sequence, with no empty slot
//       before it.
//   M2  at most one entry of a table has a given key.
//   M3  a slot is empty only until it is first used, or in a table that is not current.
//   M4  `live_` and `used_` count the entries and the slots of the current table that are not empty; used_ <= 3/4.
//
// Progress: reads are lock-free: they read again only if a table was replaced meanwhile. Writes block each other for a
// few dozen instructions; replacing a table takes time proportional to its size.
#pragma once

#include "arena/ring_memory.h"
#include "state/map_entry.h"
#include "sync/mutex.h"
#include "xichan/export.h"

namespace xichan::internal {

class XICHAN_API MapShard {
 public:
  using Slot = SnapshotPointer<MapEntry>;

  MapShard() noexcept;
  MapShard(const MapShard&) = delete;
  MapShard& operator=(const MapShard&) = delete;
  ~MapShard();

  /// Returns the entry of a key, which the caller passes to MapEntry::leave, or null. `slot` becomes the one by which
  /// it was entered; it exists as long as the shard. Ignores when entries expire.
  MapEntry* enter(const MapKey& key, Slot*& slot) noexcept;

  // The caller holds the lock for all of these.
  Mutex& lock() noexcept { return lock_; }
  /// Returns the entry of a key, or null, and where it is or would be stored.
  MapEntry* find(const MapKey& key, std::uint64_t& slot) noexcept;
  /// Makes room for one more entry. `ok | arena_full | no_memory`. Call it before `find`.
  Status reserve() noexcept;
  /// Stores an entry where `find` found its key, or none. The previous one is added to `freed` if no reader has it.
  void store(std::uint64_t slot, MapEntry* entry, FreedEntries& freed) noexcept;
  /// Removes the entry at a slot that has one.
  void remove(std::uint64_t slot, FreedEntries& freed) noexcept;
  /// Removes all entries.
  void clear(FreedEntries& freed) noexcept;

  std::uint64_t live() const noexcept { return live_; }
  std::uint64_t cost() const noexcept { return cost_; }
  std::uint64_t slots() const noexcept { return current_ == nullptr ? 0 : current_->mask + 1; }
  /// Returns the entry at a slot, or null.
  MapEntry* at(std::uint64_t slot) noexcept { return current_->slots()[slot].peek(); }
  /// Returns the entry at a slot that has one, which the caller passes to MapEntry::leave.
  MapEntry* enter_at(std::uint64_t slot) noexcept { return current_->slots()[slot].enter(); }
  /// Returns the slot of the next entry of a pass over all of them. There must be one. Shrinks a table that has become
  /// sparse, so that n calls, whose entries are removed, pass O(n) slots.
  std::uint64_t next_entry() noexcept;
  std::uint64_t next_version() noexcept { return ++version_; }
  /// Returns the next slot of a pass over all of them. There must be a table.
  std::uint64_t next_swept() noexcept { return swept_ = (swept_ + 1) & current_->mask; }

 private:
  static constexpr unsigned tombstone = 1;
#ifdef XICHAN_RELACY
  static constexpr std::uint64_t smallest = 2;  // slots
#else
  static constexpr std::uint64_t smallest = 16;  // slots
#endif

  struct Table {
    std::uint64_t mask;  // number of slots - 1
    Table* next;         // of those that are kept

    Slot* slots() noexcept { return reinterpret_cast<Slot*>(this + 1); }
  };

  static unsigned marks_of(std::uint64_t hash) noexcept { return static_cast<unsigned>(hash >> 60); }
  static std::uint64_t bytes_of(std::uint64_t slots) noexcept { return sizeof(Table) + slots * sizeof(Slot); }
  Table* make_table(std::uint64_t slots) noexcept;
  void replace_table(Table& fresh) noexcept;
  void shrink() noexcept;

  alignas(cache_line) atomic<Table*> table_;  // the current one; null before the first entry
  atomic<std::uint32_t> era_;                 // how often a table was emptied
  alignas(cache_line) Mutex lock_;
  Table* current_ = nullptr;  // what table_ points to, for writers
  Table* kept_ = nullptr;     // those that were replaced
  std::uint64_t live_ = 0, used_ = 0, cost_ = 0, version_ = 0, swept_ = 0, passed_ = 0;
};

}  // namespace xichan::internal

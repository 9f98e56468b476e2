// A map that interpreters share: reads take no lock, writes lock a part of it.
//
// Algorithm: shards (map_shard.h), chosen by the hash. A map with a bound on its items or bytes has one shard, so that
// the bound is exact and eviction chooses among all entries. Eviction is CLOCK (F. Corbato 1968): a hand passes over
// the slots, spares each entry that was read since its last visit, and removes the first that was not. Entries that
// have expired count as absent; they are removed by writers, each of which looks at a few slots, by eviction, and by
// `size` and `stats`.
//
// Linearization: operations on one key as in map_shard.h; an entry that expires is removed at its time. `clear` takes
// effect when it increases the generation, under all locks: entries of earlier generations count as absent. `snapshot`
// and `size` hold all locks.
//
// Progress: reads are lock-free. Thread safety: any thread. No value is released, and no code of a caller runs, under a
// lock.
#pragma once

#include <memory>

#include "state/map_shard.h"
#include "state/turnstile.h"

namespace xichan::internal {

struct MapOptions {
  std::uint64_t max_items = UINT64_MAX;
  std::uint64_t max_bytes = UINT64_MAX;
  std::int64_t ttl = MapEntry::never;  // of entries that do not have their own, in ns
};

/// The reads of some threads. Counted without read-modify-writes: reads of two of these threads at the same moment may
/// count as one.
struct alignas(cache_line) ReadCounts {
  atomic<std::uint64_t> hits{0};
  atomic<std::uint64_t> misses{0};

  void add(bool hit) noexcept {
    atomic<std::uint64_t>& reads = hit ? hits : misses;
    reads.store(reads.load(memory_order_relaxed) + 1, memory_order_relaxed);
  }
};

struct MapStats {
  std::uint64_t items, bytes, hits, misses, evicted, expired;
};

/// The parts of a new entry. The map takes over the cells if a call returns `ok`.
struct NewEntry {
  Cell key;
  std::uint64_t hash;
  Cell value;
  std::int64_t ttl = 0;  // in ns; 0 for that of the map
};

class XICHAN_API SharedMap final : public Turnstile {
 public:
  /// `shards`: from `make_shards`.
  SharedMap(const MapOptions& options, std::unique_ptr<MapShard[]> shards) noexcept;
  ~SharedMap() override = default;
  /// Null without memory.
  static std::unique_ptr<MapShard[]> make_shards(const MapOptions& options) noexcept;
  const MapOptions& options() const noexcept { return options_; }

  /// Stores a cell that owns another reference to the value. Returns its version, or 0 if the key is absent.
  std::uint64_t get(const MapKey& key, Cell& value) noexcept;
  bool contains(const MapKey& key) noexcept;

  // `ok`, `too_large` for an entry that alone exceeds max_bytes, `arena_full | no_memory`.
  Status set(const NewEntry& entry) noexcept;
  /// Stores the entry unless the key is present. `value` owns the value that the key has then; `stored` says whose it
  /// is, and if it is false the entry is still the caller's.
  Status set_default(const NewEntry& entry, Cell& value, bool& stored) noexcept;
  /// Adds `amount`, an int or float, to the value of the key, 0 if it is absent; keeps the time at which it expires.
  /// Takes over only the key. `invalid` if the value is not a number; `too_large` with None in `sum` if an int would
  /// not fit in 64 bits, else as `set`.
  Status add(const NewEntry& entry, Cell& sum) noexcept;

  /// Returns the entry of a key, to replace it; or null. Pass it to `leave`.
  MapEntry* enter(const MapKey& key) noexcept;
  static void leave(MapEntry* entry) noexcept { MapEntry::leave(entry); }
  /// Stores an entry if the key still has the entry `seen`, which the caller has entered, or is absent if that is null.
  /// Takes over the entry only if `done`.
  Status replace(const NewEntry& entry, MapEntry* seen, bool& done) noexcept;

  /// Removes a key. Returns false if it is absent; else `value` owns its value.
  bool pop(const MapKey& key, Cell& value) noexcept;
  /// Removes a key if it still has the entry `seen`, which the caller has entered. Returns false otherwise.
  bool remove(const MapKey& key, const MapEntry* seen) noexcept;
  /// Returns some entry, another one each time, to remove it; null if the map is empty at some moment. Pass it to
  /// `leave`. Passes O(n) slots for n entries that are removed.
  MapEntry* enter_any() noexcept;
  void clear() noexcept;

  std::uint64_t size() noexcept;
  MapStats stats() noexcept;
  /// Returns the keys and values of all entries at one moment, each key before its value, and stores the number of
  /// entries. The caller owns the cells. Null without memory.
  std::unique_ptr<Cell[]> copy_cells(std::uint64_t& count) noexcept;
  /// Calls `visit(key, value)` with cells that own references, for all entries at one moment. No lock is held during a
  /// call. Returns false if memory is exhausted, and calls nothing.
  template <class Visit>
  bool snapshot(Visit visit) noexcept {
    std::uint64_t count;
    const std::unique_ptr<Cell[]> cells = copy_cells(count);
    if (cells == nullptr) return false;
    for (std::uint64_t i = 0; i < count; ++i) visit(cells[2 * i], cells[2 * i + 1]);
    return true;
  }

  /// Returns a number that changes whenever a key with this hash is stored.
  std::uint64_t changes(std::uint64_t hash) const noexcept { return change_count(hash).load(memory_order_seq_cst); }
  /// Returns a request by which a call waits until `changes(hash)` is no longer `seen`. Other keys may end the wait.
  static Request request_of(std::uint64_t hash, std::uint64_t seen) noexcept { return {.wanted = seen, .hash = hash}; }

 private:
  class AllLocks;
  static constexpr unsigned most_shards = 16;
  static constexpr unsigned watched_groups = 64;  // of keys, by their hash
  static constexpr unsigned read_groups = 16;     // of threads, so that readers share no line

  /// A bound must hold for all entries, so a Map with one has one shard.
  static unsigned count_shards(const MapOptions& options) noexcept {
    return options.max_items != UINT64_MAX || options.max_bytes != UINT64_MAX ? 1 : most_shards;
  }
  bool is_bounded() const noexcept { return shard_count_ == 1; }
  MapShard& shard_of(std::uint64_t hash) noexcept { return shards_[(hash >> 48) & (shard_count_ - 1)]; }
  /// Returns the time, or 0 if no entry expires.
  std::int64_t now() const noexcept { return expires_.load(memory_order_relaxed) ? Deadline::now() : 0; }
  bool is_present(const MapEntry& entry, std::int64_t time) const noexcept {
    return entry.generation == generation_.load(memory_order_acquire) && !entry.has_expired(time);
  }
  [[gnu::always_inline]] inline MapEntry* enter(const MapKey& key, MapShard::Slot*& slot) noexcept;
  std::int64_t expiry(std::int64_t ttl) noexcept;
  Status make(const NewEntry& entry, std::int64_t expires, MapEntry*& out) noexcept;
  template <class Decide>
  Status change(const NewEntry& entry, MapEntry* fresh, Decide decide, bool& stored) noexcept;
  void make_room(MapShard& shard, const MapEntry* spared, FreedEntries& freed) noexcept;
  void sweep(FreedEntries& freed) noexcept;
  MapEntry* enter_next(MapShard& shard, FreedEntries& freed) noexcept;
  std::uint64_t count_present(FreedEntries& freed) noexcept;
  const atomic<std::uint64_t>& change_count(std::uint64_t hash) const noexcept {
    return change_counts_[(hash >> 40) % watched_groups];
  }
  void announce(std::uint64_t hash) noexcept;
  bool admit(Request& request) noexcept override;

  const MapOptions options_;
  const std::unique_ptr<MapShard[]> shards_;
  const unsigned shard_count_;
  atomic<std::uint64_t> generation_;
  atomic<bool> expires_;                            // an entry may expire
  alignas(cache_line) atomic<std::uint64_t> hand_;  // readers read what is before it, writers write what follows
  atomic<std::uint64_t> evicted_, expired_;
  atomic<std::uint32_t> next_swept_;
  atomic<std::uint64_t> change_counts_[watched_groups];
  ReadCounts reads_[read_groups];
};

}  // namespace xichan::internal

#include "state/map.h"

#include <new>

#include "arena/thread_cache.h"

namespace xichan::internal {

// Holds the locks of all shards, always taken in the same order.
class SharedMap::AllLocks {
 public:
  explicit AllLocks(SharedMap& map) noexcept : map_(map) {
    for (unsigned i = 0; i < map_.shard_count_; ++i) map_.shards_[i].lock().lock();
  }
  AllLocks(const AllLocks&) = delete;
  AllLocks& operator=(const AllLocks&) = delete;
  ~AllLocks() {
    for (unsigned i = map_.shard_count_; i-- > 0;) map_.shards_[i].lock().unlock();
  }

 private:
  SharedMap& map_;
};

SharedMap::SharedMap(const MapOptions& options, std::unique_ptr<MapShard[]> shards) noexcept
    : Turnstile(StateKind::map, Order::each),
      options_(options),
      shards_(std::move(shards)),
      shard_count_(count_shards(options)) {
  generation_.store(0, memory_order_relaxed);
  expires_.store(false, memory_order_relaxed);
  hand_.store(0, memory_order_relaxed);
  evicted_.store(0, memory_order_relaxed);
  expired_.store(0, memory_order_relaxed);
  next_swept_.store(0, memory_order_relaxed);
  for (auto& count : change_counts_) count.store(0, memory_order_relaxed);
}

std::unique_ptr<MapShard[]> SharedMap::make_shards(const MapOptions& options) noexcept {
  return std::unique_ptr<MapShard[]>(new (std::nothrow) MapShard[count_shards(options)]);
}

// The time is read first. An entry that has expired by then was stored before, so the key was absent at that time.
// Read afterwards, an entry could expire only after it was replaced, by one that the key has now.
MapEntry* SharedMap::enter(const MapKey& key, MapShard::Slot*& slot) noexcept {
  MapShard& shard = shard_of(key.hash);
  const std::int64_t time = now();
  MapEntry* const entry = shard.enter(key, slot);
  if (entry == nullptr) return nullptr;
  if (!is_present(*entry, time)) {
    MapEntry::leave(entry, *slot);
    return nullptr;
  }
  if (is_bounded() && entry->used.load(memory_order_relaxed) == 0) entry->used.store(1, memory_order_relaxed);
  return entry;
}

MapEntry* SharedMap::enter(const MapKey& key) noexcept {
  MapShard::Slot* slot;
  return enter(key, slot);
}

std::uint64_t SharedMap::get(const MapKey& key, Cell& value) noexcept {
  MapShard::Slot* slot;
  MapEntry* const entry = enter(key, slot);
  reads_[ThreadCache::thread_number() % read_groups].add(entry != nullptr);
  if (entry == nullptr) return 0;
  const std::uint64_t version = entry->version;
  value = entry->value;
  internal::retain(value);
  MapEntry::leave(entry, *slot);
  return version;
}

bool SharedMap::contains(const MapKey& key) noexcept {
  MapShard::Slot* slot;
  MapEntry* const entry = enter(key, slot);
  if (entry != nullptr) MapEntry::leave(entry, *slot);
  return entry != nullptr;
}

std::int64_t SharedMap::expiry(std::int64_t ttl) noexcept {
  if (ttl == 0) ttl = options_.ttl;
  if (ttl == MapEntry::never) return ttl;
  expires_.store(true, memory_order_relaxed);
  return Deadline::after(ttl).nanoseconds();
}

Status SharedMap::make(const NewEntry& entry, std::int64_t expires, MapEntry*& out) noexcept {
  const Status status = MapEntry::make(entry.key, entry.hash, entry.value, expires, out);
  if (status != Status::ok || out->bytes <= options_.max_bytes) return status;
  MapEntry::discard(out);
  return Status::too_large;
}

// Lets `decide(entry)` look at the entry of the key, or null, and stores `fresh` if it returns true. Frees nothing of
// `fresh` if it is not stored.
template <class Decide>
Status SharedMap::change(const NewEntry& entry, MapEntry* fresh, Decide decide, bool& stored) noexcept {
  MapShard& shard = shard_of(entry.hash);
  FreedEntries freed;
  stored = false;
  {
    std::lock_guard guard(shard.lock());
    const Status status = shard.reserve();
    if (status != Status::ok) return status;
    std::uint64_t slot;
    MapEntry* const found = shard.find(MapKey::of(entry.key, entry.hash), slot);
    if (!decide(found != nullptr && is_present(*found, now()) ? found : nullptr)) return Status::ok;
    fresh->generation = generation_.load(memory_order_relaxed);
    fresh->version = shard.next_version();
    shard.store(slot, fresh, freed);
    stored = true;
    if (is_bounded()) make_room(shard, fresh, freed);
  }
  if (expires_.load(memory_order_relaxed)) sweep(freed);
  announce(entry.hash);
  return Status::ok;
}

Status SharedMap::set(const NewEntry& entry) noexcept {
  MapEntry* fresh;
  Status status = make(entry, expiry(entry.ttl), fresh);
  if (status != Status::ok) return status;
  bool stored;
  status = change(entry, fresh, [](MapEntry*) noexcept { return true; }, stored);
  if (!stored) MapEntry::discard(fresh);
  return status;
}

Status SharedMap::set_default(const NewEntry& entry, Cell& value, bool& stored) noexcept {
  MapEntry* fresh;
  Status status = make(entry, expiry(entry.ttl), fresh);
  if (status != Status::ok) return status;
  status = change(
      entry, fresh,
      [&](MapEntry* found) noexcept {
        value = found == nullptr ? entry.value : found->value;
        internal::retain(value);
        return found == nullptr;
      },
      stored);
  if (!stored) MapEntry::discard(fresh);
  return status;
}

Status SharedMap::replace(const NewEntry& entry, MapEntry* seen, bool& done) noexcept {
  MapEntry* fresh;
  done = false;
  Status status = make(entry, expiry(entry.ttl), fresh);
  if (status != Status::ok) return status;
  status = change(entry, fresh, [=](MapEntry* found) noexcept { return found == seen; }, done);
  if (!done) MapEntry::discard(fresh);
  return status;
}

namespace {

// Stores the sum of two numbers, or None: `invalid` if one is not a number, `too_large` if an int does not fit in 64
// bits.
Status add_numbers(const Cell& one, const Cell& other, Cell& sum) noexcept {
  const auto is_number = [](const Cell& cell) noexcept {
    return cell.tag() == Tag::integer || cell.tag() == Tag::real || cell.tag() == Tag::true_ ||
           cell.tag() == Tag::false_;
  };
  const auto integer = [](const Cell& cell) noexcept {
    return cell.tag() == Tag::integer ? cell.as_integer() : std::int64_t{cell.tag() == Tag::true_};
  };
  const auto real = [&](const Cell& cell) noexcept {
    return cell.tag() == Tag::real ? cell.as_real() : static_cast<double>(integer(cell));
  };
  sum = Cell::none();
  if (!is_number(one) || !is_number(other)) return Status::invalid;
  if (one.tag() == Tag::real || other.tag() == Tag::real) {
    sum = Cell::real(real(one) + real(other));
    return Status::ok;
  }
  std::int64_t total;
  if (__builtin_add_overflow(integer(one), integer(other), &total)) return Status::too_large;
  sum = Cell::integer(total);
  return Status::ok;
}

}  // namespace

Status SharedMap::add(const NewEntry& entry, Cell& sum) noexcept {
  const MapKey key = MapKey::of(entry.key, entry.hash);
  for (;;) {
    MapEntry* const seen = enter(key);
    Status status = add_numbers(seen == nullptr ? Cell::integer(0) : seen->value, entry.value, sum);
    bool done = false;
    if (status == Status::ok) {
      MapEntry* fresh;
      const NewEntry changed_entry{entry.key, entry.hash, sum, entry.ttl};
      status = make(changed_entry, seen == nullptr ? expiry(entry.ttl) : seen->expires, fresh);
      if (status == Status::ok) {
        status = change(changed_entry, fresh, [=](MapEntry* found) noexcept { return found == seen; }, done);
        if (!done) MapEntry::discard(fresh);
      }
    }
    if (seen != nullptr) leave(seen);
    if (status != Status::ok || done) return status;
  }
}

bool SharedMap::pop(const MapKey& key, Cell& value) noexcept {
  MapShard& shard = shard_of(key.hash);
  FreedEntries freed;
  std::lock_guard guard(shard.lock());
  std::uint64_t slot;
  MapEntry* const found = shard.find(key, slot);
  if (found == nullptr) return false;
  const bool present = is_present(*found, now());
  if (present) {
    value = found->value;
    internal::retain(value);
  }
  shard.remove(slot, freed);
  return present;
}

bool SharedMap::remove(const MapKey& key, const MapEntry* seen) noexcept {
  MapShard& shard = shard_of(key.hash);
  FreedEntries freed;
  std::lock_guard guard(shard.lock());
  std::uint64_t slot;
  if (shard.find(key, slot) != seen || !is_present(*seen, now())) return false;
  shard.remove(slot, freed);
  return true;
}

// Returns some entry of a shard, whose lock the caller holds. Removes the expired ones that it passes.
MapEntry* SharedMap::enter_next(MapShard& shard, FreedEntries& freed) noexcept {
  const std::int64_t time = now();
  while (shard.live() != 0) {
    const std::uint64_t slot = shard.next_entry();
    if (is_present(*shard.at(slot), time)) return shard.enter_at(slot);
    expired_.fetch_add(1, memory_order_relaxed);
    shard.remove(slot, freed);
  }
  return nullptr;
}

MapEntry* SharedMap::enter_any() noexcept {
  FreedEntries freed;
  MapEntry* found = nullptr;
  for (unsigned i = 0; i < shard_count_ && found == nullptr; ++i) {
    std::lock_guard guard(shards_[i].lock());
    found = enter_next(shards_[i], freed);
  }
  if (found != nullptr) return found;
  // An entry may have been stored where it was looked for already. With all locks, none is overlooked.
  const AllLocks locks(*this);
  for (unsigned i = 0; i < shard_count_ && found == nullptr; ++i) found = enter_next(shards_[i], freed);
  return found;
}

void SharedMap::clear() noexcept {
  FreedEntries freed;
  const AllLocks locks(*this);
  // Readers see all entries as absent from here on.
  generation_.fetch_add(1, memory_order_acq_rel);  // (40)
  for (unsigned i = 0; i < shard_count_; ++i) shards_[i].clear(freed);
}

// Evicts entries until the bounds hold. `spared` was just stored. After two turns of the hand, in which readers may
// have marked every entry again, marks no longer count.
void SharedMap::make_room(MapShard& shard, const MapEntry* spared, FreedEntries& freed) noexcept {
  std::uint64_t hand = hand_.load(memory_order_relaxed);
  std::uint64_t steps = 2 * shard.slots();
  const std::int64_t time = now();
  while (shard.live() > options_.max_items || shard.cost() > options_.max_bytes) {
    if (++hand >= shard.slots()) hand = 0;
    if (steps != 0) --steps;
    MapEntry* const entry = shard.at(hand);
    if (entry == nullptr || entry == spared) continue;
    const bool present = is_present(*entry, time);
    if (present && entry->used.exchange(0, memory_order_relaxed) != 0 && steps != 0) continue;
    atomic<std::uint64_t>& counter = present ? evicted_ : expired_;
    counter.fetch_add(1, memory_order_relaxed);
    shard.remove(hand, freed);
  }
  hand_.store(hand, memory_order_relaxed);
}

// Removes expired entries from the next few slots of the next shard. Called by writers, each of which adds at most one
// entry.
void SharedMap::sweep(FreedEntries& freed) noexcept {
  constexpr unsigned slots_per_write = 4;
  MapShard& shard = shards_[next_swept_.fetch_add(1, memory_order_relaxed) & (shard_count_ - 1)];
  if (!shard.lock().try_lock()) return;
  std::lock_guard guard(shard.lock(), std::adopt_lock);
  const std::int64_t time = now();
  for (unsigned i = 0; i < slots_per_write && shard.slots() != 0; ++i) {
    const std::uint64_t slot = shard.next_swept();
    MapEntry* const entry = shard.at(slot);
    if (entry == nullptr || !entry->has_expired(time)) continue;
    expired_.fetch_add(1, memory_order_relaxed);
    shard.remove(slot, freed);
  }
}

// Removes all expired entries, and counts the others. The caller holds all locks.
std::uint64_t SharedMap::count_present(FreedEntries& freed) noexcept {
  const std::int64_t time = now();
  const bool may_expire = expires_.load(memory_order_relaxed);
  std::uint64_t count = 0;
  for (unsigned i = 0; i < shard_count_; ++i) {
    MapShard& shard = shards_[i];
    for (std::uint64_t slot = 0; may_expire && slot < shard.slots(); ++slot) {
      const MapEntry* const entry = shard.at(slot);
      if (entry == nullptr || !entry->has_expired(time)) continue;
      expired_.fetch_add(1, memory_order_relaxed);
      shard.remove(slot, freed);
    }
    count += shard.live();
  }
  return count;
}

std::uint64_t SharedMap::size() noexcept {
  FreedEntries freed;
  const AllLocks locks(*this);
  return count_present(freed);
}

std::unique_ptr<Cell[]> SharedMap::copy_cells(std::uint64_t& count) noexcept {
  const AllLocks locks(*this);
  const std::int64_t time = now();  // one for all entries: this is one moment
  std::uint64_t room = 0;
  for (unsigned i = 0; i < shard_count_; ++i) room += shards_[i].live();
  std::unique_ptr<Cell[]> cells(new (std::nothrow) Cell[2 * room + 1]);
  count = 0;
  for (unsigned i = 0; i < shard_count_ && cells != nullptr; ++i) {
    MapShard& shard = shards_[i];
    for (std::uint64_t slot = 0; slot < shard.slots(); ++slot) {
      const MapEntry* const entry = shard.at(slot);
      if (entry == nullptr || !is_present(*entry, time)) continue;
      cells[2 * count] = entry->key;
      cells[2 * count + 1] = entry->value;
      internal::retain(entry->key);
      internal::retain(entry->value);
      ++count;
    }
  }
  return cells;
}

MapStats SharedMap::stats() noexcept {
  MapStats stats{};
  FreedEntries freed;
  const AllLocks locks(*this);
  stats.items = count_present(freed);
  for (unsigned i = 0; i < shard_count_; ++i) stats.bytes += shards_[i].cost();
  for (const ReadCounts& reads : reads_) {
    stats.hits += reads.hits.load(memory_order_relaxed);
    stats.misses += reads.misses.load(memory_order_relaxed);
  }
  stats.evicted = evicted_.load(memory_order_relaxed);
  stats.expired = expired_.load(memory_order_relaxed);
  return stats;
}

// Sequentially consistent, with `admit`: see Turnstile.
void SharedMap::announce(std::uint64_t hash) noexcept {
  change_counts_[(hash >> 40) % watched_groups].fetch_add(1, memory_order_seq_cst);
  changed();
}

bool SharedMap::admit(Request& request) noexcept { return changes(request.hash) != request.wanted; }

}  // namespace xichan::internal

#include "state/map_shard.h"

#include <algorithm>

namespace xichan::internal {

MapShard::MapShard() noexcept {
  table_.store(nullptr, memory_order_relaxed);
  era_.store(0, memory_order_relaxed);
}

MapShard::~MapShard() {
  {
    FreedEntries freed;
    clear(freed);
  }
  if (current_ != nullptr) {
    current_->next = kept_;
    kept_ = current_;
  }
  while (kept_ != nullptr) {
    Table* const table = kept_;
    kept_ = table->next;
    RingMemory::free(table, bytes_of(table->mask + 1));
  }
}

MapEntry* MapShard::enter(const MapKey& key, Slot*& slot) noexcept {
  const unsigned marks = marks_of(key.hash);
  for (;;) {
    const std::uint32_t era = era_.load(memory_order_acquire);  // (36) acquire, with (37)
    Table* const table = table_.load(memory_order_acquire);     // (38) acquire, with (39): it was filled before
    if (table == nullptr) return nullptr;
    std::uint64_t i = key.hash & table->mask;
    for (std::uint64_t passed = 0; passed <= table->mask; ++passed, i = (i + 1) & table->mask) {
      slot = &table->slots()[i];
      const auto seen = slot->look();
      if (seen.is_null()) {
        if (seen.marks() == tombstone) continue;
        break;
      }
      if (seen.marks() != marks) continue;
      MapEntry* const entry = slot->enter();
      if (entry == nullptr) continue;  // removed meanwhile
      if (entry->has_key(key)) return entry;
      MapEntry::leave(entry, *slot);
    }
    // relaxed: if a slot was emptied, the acquire load of its word comes after the era was increased.
    if (era_.load(memory_order_relaxed) == era) return nullptr;
  }
}

MapEntry* MapShard::find(const MapKey& key, std::uint64_t& slot) noexcept {
  if (current_ == nullptr) return nullptr;
  const unsigned marks = marks_of(key.hash);
  bool has_place = false;
  std::uint64_t i = key.hash & current_->mask;
  for (std::uint64_t passed = 0; passed <= current_->mask; ++passed, i = (i + 1) & current_->mask) {
    const auto seen = current_->slots()[i].look();
    if (seen.is_null()) {
      if (!has_place) slot = i;
      has_place = true;
      if (seen.marks() != tombstone) return nullptr;
    } else if (seen.marks() == marks && current_->slots()[i].peek()->has_key(key)) {
      slot = i;
      return current_->slots()[i].peek();
    }
  }
  return nullptr;
}

MapShard::Table* MapShard::make_table(std::uint64_t slots) noexcept {
  for (Table** at = &kept_; *at != nullptr; at = &(*at)->next) {
    if ((*at)->mask + 1 != slots) continue;
    Table* const table = *at;
    *at = table->next;
    return table;  // emptied when it was replaced
  }
  auto* const table = static_cast<Table*>(RingMemory::allocate(bytes_of(slots)));
  if (table != nullptr) table->mask = slots - 1;  // the slots are zero: empty
  return table;
}

Status MapShard::reserve() noexcept {
  const std::uint64_t slots = current_ == nullptr ? 0 : current_->mask + 1;
  if ((used_ + 1) * 4 <= slots * 3) return Status::ok;
  // Twice as large; or, if tombstones take the room, as large as before, or smaller.
  const std::uint64_t wanted = live_ * 2 >= slots ? slots * 2 : live_ * 8 < slots ? slots / 4 : slots;
  Table* const fresh = make_table(std::max(smallest, wanted));
  if (fresh == nullptr) return RingMemory::failure();
  replace_table(*fresh);
  return Status::ok;
}

void MapShard::replace_table(Table& fresh) noexcept {
  Table* const old = current_;
  const std::uint64_t slots = old == nullptr ? 0 : old->mask + 1;
  for (std::uint64_t i = 0; i < slots; ++i) {
    MapEntry* const entry = old->slots()[i].peek();
    if (entry == nullptr) continue;
    std::uint64_t to = entry->hash & fresh.mask;
    while (fresh.slots()[to].peek() != nullptr) to = (to + 1) & fresh.mask;
    fresh.slots()[to].store(entry, marks_of(entry->hash));
  }
  current_ = &fresh;
  table_.store(&fresh, memory_order_release);  // (39) release, with (38)
  used_ = live_;
  if (old == nullptr) return;
  era_.fetch_add(1, memory_order_release);  // (37) release; before the slots are emptied, each with release
  for (std::uint64_t i = 0; i < slots; ++i) {
    bool is_last;  // never: the new table has it
    static_cast<void>(old->slots()[i].exchange(nullptr, 0, is_last));
  }
  old->next = kept_;
  kept_ = old;
}

// A smaller table is paid for by the removals since this one was made, which had an entry per 4 slots or more. Without
// memory the table stays.
void MapShard::shrink() noexcept {
  if (live_ * 8 >= slots() || slots() <= smallest) return;
  if (Table* const fresh = make_table(std::max(smallest, slots() / 4))) replace_table(*fresh);
}

std::uint64_t MapShard::next_entry() noexcept {
  shrink();
  do {
    passed_ = (passed_ + 1) & current_->mask;
  } while (at(passed_) == nullptr);
  return passed_;
}

void MapShard::store(std::uint64_t slot, MapEntry* entry, FreedEntries& freed) noexcept {
  Slot& place = current_->slots()[slot];
  const unsigned marks = marks_of(entry->hash);
  const auto seen = place.look();
  if (seen.is_null()) {
    if (seen.marks() != tombstone) ++used_;
    ++live_;
    cost_ += entry->bytes;
    return place.store(entry, marks);
  }
  cost_ += entry->bytes - place.peek()->bytes;  // before the exchange, after which its last reader frees it
  bool is_last;
  MapEntry* const old = place.exchange(entry, marks, is_last);
  if (is_last) freed.add(old);
}

void MapShard::remove(std::uint64_t slot, FreedEntries& freed) noexcept {
  Slot& place = current_->slots()[slot];
  cost_ -= place.peek()->bytes;
  --live_;
  bool is_last;
  MapEntry* const old = place.exchange(nullptr, tombstone, is_last);  // there may be entries behind
  if (is_last) freed.add(old);
}

void MapShard::clear(FreedEntries& freed) noexcept {
  for (std::uint64_t i = 0; i < slots(); ++i) {
    if (at(i) != nullptr) remove(i, freed);
  }
}

}  // namespace xichan::internal

// How many slots a shard passes to find entries that are removed: counted, not timed.
#include "state/map_shard.h"

#include "support/support.h"

namespace xichan::internal {
namespace {

class MapShards : public test::ArenaTest {
 protected:
  void store(std::int64_t number) {
    const Cell key = Cell::integer(number);
    const MapKey wanted = MapKey::of(key, hash_of(key));
    MapEntry* entry;
    std::uint64_t slot;
    FreedEntries freed;
    ASSERT_EQ(shard.reserve(), Status::ok);
    ASSERT_EQ(shard.find(wanted, slot), nullptr);
    ASSERT_EQ(MapEntry::make(key, wanted.hash, Cell::none(), MapEntry::never, entry), Status::ok);
    shard.store(slot, entry, freed);
  }

  // Removes an entry, and counts the slots passed, and those of a table that was replaced.
  std::int64_t take() {
    const std::uint64_t slots = shard.slots();
    const std::uint64_t slot = shard.next_entry();
    const std::uint64_t mask = shard.slots() - 1;
    if (shard.slots() != slots) passed += slots;
    passed += ((slot - last - 1) & mask) + 1;
    last = slot;
    const std::int64_t number = shard.at(slot)->key.as_integer();
    FreedEntries freed;
    shard.remove(slot, freed);
    return number;
  }

  static std::uint64_t hash_of(const Cell& key) {
    std::uint64_t hash = 0;
    EXPECT_EQ(hash_content({}, key, hash), Status::ok);
    return hash;
  }

  MapShard shard;
  std::uint64_t passed = 0, last = 0;
  static constexpr std::int64_t count = 20'000;
};

TEST_F(MapShards, DrainingPassesAConstantNumberOfSlotsPerEntry) {
  for (std::int64_t i = 0; i < count; ++i) store(i);
  std::vector<bool> taken(count);
  while (shard.live() != 0) {
    const auto number = static_cast<std::size_t>(take());
    EXPECT_FALSE(taken[number]);
    taken[number] = true;
  }
  EXPECT_EQ(std::count(taken.begin(), taken.end(), true), count);
  EXPECT_LE(passed, 10u * count);
  EXPECT_EQ(shard.slots(), 16u);
}

TEST_F(MapShards, SparseTableShrinksWhenEntriesAreTaken) {
  for (std::int64_t i = 0; i < count; ++i) store(i);
  FreedEntries freed;
  for (std::int64_t i = 0; i < count; ++i) {
    const Cell key = Cell::integer(i);
    std::uint64_t slot;
    ASSERT_NE(shard.find(MapKey::of(key, hash_of(key)), slot), nullptr);
    shard.remove(slot, freed);
  }
  for (std::int64_t i = 0; i < count; ++i) {
    store(count + i);
    EXPECT_EQ(take(), count + i);
  }
  EXPECT_LE(passed, 20u * count);
}

TEST_F(MapShards, TakingWithoutMemoryForASmallerTableFindsEveryEntry) {
  for (std::int64_t i = 0; i < 1000; ++i) store(i);
  Arena::fail_after(0);
  std::int64_t sum = 0;
  while (shard.live() != 0) sum += take();
  Arena::fail_after(-1);
  EXPECT_EQ(sum, 1000 * 999 / 2);
}

}  // namespace
}  // namespace xichan::internal

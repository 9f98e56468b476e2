// Map and MapKey.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <stop_token>
#include <string>

#include "arena/arena.h"
#include "public/state_support.h"

namespace xichan {
namespace {

using namespace std::chrono_literals;

class PublicMap : public test::StateTest {
 protected:
  void SetUp() override {
    StateTest::SetUp();
    ASSERT_EQ(Map::make({}, map), Status::ok);
  }
  void TearDown() override {
    map.close();
    value = Value();
    StateTest::TearDown();
  }

  std::int64_t number(const MapKey& key) const {
    Value found;
    return map.get(key, found) == Status::ok ? found.view().as_integer() : -1;
  }

  Map map;
  Value value;
};

TEST_F(PublicMap, KeysOfEveryTypeCompareByContent) {
  const std::string text = "a key that is long enough for a block";
  ASSERT_EQ(map.set(1, Value::of(10)), Status::ok);
  for (const MapKey& key : {MapKey(1.0), MapKey(true), MapKey(1u), MapKey(std::uint64_t{1}), MapKey(1ull)}) {
    EXPECT_EQ(number(key), 10);
  }
  ASSERT_EQ(map.set(UINT64_MAX, Value::of(20)), Status::ok);
  EXPECT_EQ(number(18446744073709551616.0 / 1), -1);
  EXPECT_EQ(number(~0ul), 20);
  ASSERT_EQ(map.set(text, Value::of(30)), Status::ok);
  EXPECT_EQ(number(text.c_str()), 30);
  EXPECT_EQ(number(std::string_view(text)), 30);
  EXPECT_EQ(number("a key that is long enough for a block"), 30);
  const Value pair = tuple(text, 2);
  ASSERT_EQ(map.set(pair, Value::of(40)), Status::ok);
  EXPECT_EQ(number(tuple(text, 2.0)), 40);
  const Value outer = tuple(pair);
  EXPECT_EQ(number(outer.view()[0]), 40);
  EXPECT_EQ(number(Value()), -1);
  EXPECT_EQ(map.size(), 4u);
}

TEST_F(PublicMap, RefusedKeysReturnTheReason) {
  Value list;
  ASSERT_EQ(Value::list({}, list), Status::ok);
  const Value keys[] = {std::move(list), bytes("x")};
  bool done = false;
  MapKey bad = keys[0];
  EXPECT_EQ(bad.status(), Status::invalid);
  EXPECT_EQ(MapKey("\xff").status(), Status::invalid);
  EXPECT_EQ(MapKey(keys[1]).status(), Status::ok);
  std::vector<Value> many(1001);
  Value long_key;
  ASSERT_EQ(Value::tuple(many, long_key), Status::ok);
  EXPECT_EQ(MapKey(long_key).status(), Status::too_large);
  EXPECT_EQ(map.get(bad, value), Status::invalid);
  EXPECT_FALSE(map.contains(bad));
  EXPECT_EQ(map.set(bad, Value::of(1)), Status::invalid);
  EXPECT_EQ(map.setdefault(bad, Value::of(1), value), Status::invalid);
  EXPECT_EQ(map.add(bad, 1), Status::invalid);
  EXPECT_EQ(map.compare_and_set(bad, value.view(), Value::of(1), done), Status::invalid);
  EXPECT_EQ(map.update_with(bad, [](ValueView, Value&) { return Status::ok; }, value), Status::invalid);
  EXPECT_EQ(map.pop(bad), Status::invalid);
  EXPECT_EQ(map.wait(bad, value), Status::invalid);
  EXPECT_EQ(map.wait(bad, value, std::stop_token()), Status::invalid);
}

TEST_F(PublicMap, ValuesAreSharedAndTakenOver) {
  Value block = text("a value that needs a block");
  ASSERT_EQ(map.set("a", std::move(block)), Status::ok);
  EXPECT_EQ(block.view().kind(), ValueKind::none);
  Value one, two;
  ASSERT_EQ(map.get("a", one), Status::ok);
  ASSERT_EQ(map.get("a", two), Status::ok);
  EXPECT_EQ(one.view().as_ascii().data(), two.view().as_ascii().data()) << "no copy";
  ASSERT_EQ(map.set("a", Value::of(2)), Status::ok);
  EXPECT_EQ(one.view().size(), 26u) << "it stays after it was replaced";
  EXPECT_EQ(map.get("b", one), Status::not_found);
  EXPECT_EQ(one.view().size(), 26u) << "unchanged";
  EXPECT_TRUE(map.contains("a") && !map.contains("b"));
}

TEST_F(PublicMap, SetdefaultStoresOnlyAbsentKeys) {
  EXPECT_EQ(map.setdefault("a", Value::of(1), value), Status::ok);
  EXPECT_EQ(value.view().as_integer(), 1);
  Value kept = text("a value that is not taken over");
  EXPECT_EQ(map.setdefault("a", std::move(kept), value), Status::ok);
  EXPECT_EQ(value.view().as_integer(), 1);
  EXPECT_EQ(kept.view().size(), 30u);
}

TEST_F(PublicMap, CompareAndSetComparesContent) {
  bool done = true;
  EXPECT_EQ(map.compare_and_set("a", value.view(), Value::of(1), done), Status::ok);
  EXPECT_FALSE(done) << "the key is absent";
  ASSERT_EQ(map.set("a", tuple("x", 1)), Status::ok);
  const Value expected = tuple("x", 1.0), other = tuple("x", 2);
  Value next = text("the next value, in a block");
  EXPECT_EQ(map.compare_and_set("a", other.view(), std::move(next), done), Status::ok);
  EXPECT_FALSE(done);
  EXPECT_EQ(map.compare_and_set("a", expected.view(), std::move(next), done), Status::ok);
  EXPECT_TRUE(done);
  EXPECT_EQ(next.view().kind(), ValueKind::none);
  ASSERT_EQ(map.get("a", value), Status::ok);
  EXPECT_EQ(value.view().as_ascii(), "the next value, in a block");
}

TEST_F(PublicMap, AddSumsNumbers) {
  EXPECT_EQ(map.add("hits"), Status::ok);
  EXPECT_EQ(map.add("hits", 4, value), Status::ok);
  EXPECT_EQ(value.view().get_integer(), 5);
  EXPECT_EQ(map.add("hits", 0.5, value), Status::ok);
  EXPECT_EQ(value.view().get_real(), 5.5);
  EXPECT_EQ(map.add("big", INT64_MAX), Status::ok);
  EXPECT_EQ(map.add("big", 1), Status::too_large);
  EXPECT_EQ(number("big"), INT64_MAX);
  ASSERT_EQ(map.set("text", text("x")), Status::ok);
  EXPECT_EQ(map.add("text"), Status::invalid);
  EXPECT_EQ(map.add("hits", text("x"), value), Status::invalid);
  EXPECT_EQ(value.view().get_real(), 5.5) << "unchanged";
}

TEST_F(PublicMap, UpdateWithLosesNoChange) {
  const int rounds = test::rounds(2'000);
  const Value zero = Value::of(0);
  const auto count = [](ValueView before, Value& after) {
    after = Value::of(before.as_integer() + 1);
    return Status::ok;
  };
  EXPECT_EQ(map.update_with("n", count), Status::not_found);
  test::together(4, [&](unsigned) {
    for (int i = 0; i < rounds; ++i) EXPECT_EQ(map.update_with("n", count, zero), Status::ok);
  });
  EXPECT_EQ(number("n"), 4 * rounds);
  EXPECT_EQ(map.update_with("n", [](ValueView, Value&) { return Status::empty; }), Status::empty);
  const auto raise = [](ValueView, Value&) -> Status { throw 5; };
  EXPECT_THROW((void)map.update_with("n", raise), int);
  EXPECT_THROW((void)map.update_with("new", raise, zero), int);
  EXPECT_EQ(number("n"), 4 * rounds);
  EXPECT_FALSE(map.contains("new"));
}

TEST_F(PublicMap, ManyKeysAreReadAndStored) {
  ValueEntry entries[] = {{text("a"), Value::of(1)}, {Value::of(2), text("a value that needs a block")}};
  std::size_t stored = 9;
  EXPECT_EQ(map.set_many(entries, stored), Status::ok);
  EXPECT_EQ(stored, 2u);
  EXPECT_EQ(entries[1].value.view().kind(), ValueKind::none);
  const MapKey keys[] = {"a", "b", 2};
  std::optional<Value> values[3];
  values[1] = Value::of(3);
  EXPECT_EQ(map.get_many(keys, values), Status::ok);
  EXPECT_EQ(values[0]->view().as_integer(), 1);
  EXPECT_FALSE(values[1].has_value());
  EXPECT_EQ(values[2]->view().size(), 26u);
  EXPECT_EQ(map.get_many(keys, {}), Status::invalid);
  Value list;
  ASSERT_EQ(Value::list({}, list), Status::ok);
  ValueEntry more[] = {{text("c"), Value::of(1)}, {std::move(list), Value::of(2)}, {text("d"), Value::of(3)}};
  EXPECT_EQ(map.set_many(more, stored), Status::invalid);
  EXPECT_EQ(stored, 1u);
  EXPECT_TRUE(map.contains("c") && !map.contains("d"));
}

TEST_F(PublicMap, EntriesAreRemoved) {
  for (int i = 0; i < 10; ++i) ASSERT_EQ(map.set(i, text("value number " + std::to_string(i))), Status::ok);
  EXPECT_EQ(map.pop(3, value), Status::ok);
  EXPECT_EQ(value.view().as_ascii(), "value number 3");
  EXPECT_EQ(map.pop(3, value), Status::not_found);
  EXPECT_EQ(map.pop(4), Status::ok);
  Value key;
  for (int left = 8; left > 5; --left) {
    ASSERT_EQ(map.popitem(key, value), Status::ok);
    EXPECT_EQ(value.view().as_ascii(), "value number " + std::to_string(key.view().as_integer()));
  }
  EXPECT_EQ(map.size(), 5u);
  map.clear();
  EXPECT_EQ(map.size(), 0u);
  EXPECT_EQ(map.popitem(key, value), Status::not_found);
}

TEST_F(PublicMap, ThreadsPopEachEntryOnce) {
  const int count = test::rounds(5'000);
  for (int i = 0; i < count; ++i) ASSERT_EQ(map.set(i, Value::of(i)), Status::ok);
  std::vector<std::atomic<int>> popped(static_cast<std::size_t>(count));
  test::together(4, [&](unsigned) {
    Value key, taken;
    while (map.popitem(key, taken) == Status::ok) {
      EXPECT_TRUE(key == taken);
      ++popped[static_cast<std::size_t>(key.view().as_integer())];
    }
  });
  EXPECT_TRUE(std::ranges::all_of(popped, [](const auto& times) { return times == 1; }));
}

TEST_F(PublicMap, PopitemRemovesExpiredEntries) {
  for (int i = 0; i < 100; ++i) ASSERT_EQ(map.set(i, Value::of(i), i == 50 ? Map::Ttl() : Map::Ttl(1ns)), Status::ok);
  Value key;
  EXPECT_EQ(map.popitem(key, value), Status::ok);
  EXPECT_EQ(key.view().as_integer(), 50);
  EXPECT_EQ(map.popitem(key, value), Status::not_found);
  EXPECT_EQ(map.stats().expired, 99u);
}

TEST_F(PublicMap, SnapshotHoldsAllEntriesOfOneMoment) {
  for (int i = 0; i < 100; ++i) ASSERT_EQ(map.set(i, Value::of(2 * i)), Status::ok);
  MapSnapshot snapshot;
  ASSERT_EQ(map.snapshot(snapshot), Status::ok);
  map.clear();
  EXPECT_EQ(snapshot.size(), 100u);
  std::int64_t keys = 0, values = 0;
  for (const ValueEntry& entry : snapshot) {
    keys += entry.key.view().as_integer();
    values += entry.value.view().as_integer();
  }
  EXPECT_EQ(keys, 4950);
  EXPECT_EQ(values, 9900);
  ASSERT_EQ(map.snapshot(snapshot), Status::ok);
  EXPECT_TRUE(snapshot.begin() == snapshot.end());
}

TEST_F(PublicMap, BoundsEvictAndAreReported) {
  Map bounded;
  ASSERT_EQ(Map::make({.max_items = 10, .max_bytes = 100'000, .ttl = 1h}, bounded), Status::ok);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(bounded.set(i, Value::of(i)), Status::ok);
  EXPECT_TRUE(bounded.contains(99));
  EXPECT_EQ(bounded.get(99, value), Status::ok);
  EXPECT_EQ(bounded.get(100, value), Status::not_found);
  const MapStats stats = bounded.stats();
  EXPECT_EQ(stats.items, 10u);
  EXPECT_EQ(stats.evicted, 90u);
  EXPECT_EQ(stats.max_items, 10u);
  EXPECT_EQ(stats.max_bytes, 100'000u);
  EXPECT_EQ(stats.ttl, 1h);
  EXPECT_EQ(stats.hits, 1u);
  EXPECT_EQ(stats.misses, 1u);
  EXPECT_GT(stats.bytes, 0u);
  Value large = bytes(std::string(200'000, 'x'));
  EXPECT_EQ(bounded.set("large", std::move(large)), Status::too_large);
  EXPECT_EQ(large.view().size(), 200'000u) << "not taken over";
  EXPECT_EQ(map.stats().ttl, forever);
  EXPECT_EQ(map.stats().max_items, 0u);
}

TEST_F(PublicMap, EntriesExpireAtTheirTtl) {
  Map other;
  EXPECT_EQ(Map::make({.ttl = 0s}, other), Status::invalid);
  ASSERT_EQ(Map::make({.ttl = 1ns}, other), Status::ok);
  ASSERT_EQ(other.set("short", Value::of(1)), Status::ok);
  ASSERT_EQ(other.set("long", Value::of(1), 1h), Status::ok);
  ASSERT_EQ(other.set("endless", Value::of(1), forever), Status::ok);
  EXPECT_EQ(other.set("never", Value::of(1), 0s), Status::invalid);
  EXPECT_EQ(other.setdefault("set", Value::of(1), value, 1h), Status::ok);
  EXPECT_EQ(other.add("added", 1, value, 1h), Status::ok);
  const auto keep = [](ValueView before, Value& after) { return before.to_value(after); };
  EXPECT_EQ(other.update_with("updated", keep, value, 1h), Status::ok);
  const Value one = Value::of(1);
  bool done = false;
  ASSERT_EQ(other.set("compared", Value::of(1), 1h), Status::ok);
  EXPECT_EQ(other.compare_and_set("compared", one.view(), Value::of(2), done, 2h), Status::ok);
  EXPECT_TRUE(done);
  std::size_t stored;
  ValueEntry entries[] = {{text("many"), Value::of(1)}};
  EXPECT_EQ(other.set_many(entries, stored, 1h), Status::ok);
  EXPECT_FALSE(other.contains("short"));
  for (const char* key : {"long", "endless", "set", "added", "updated", "compared", "many"}) {
    EXPECT_TRUE(other.contains(key)) << key;
  }
  EXPECT_EQ(other.size(), 7u);
  EXPECT_EQ(other.stats().expired, 1u);
}

TEST_F(PublicMap, WaitReturnsTheValueOncePresent) {
  EXPECT_EQ(map.wait("a", value, 1ms), Status::timeout);
  EXPECT_EQ(map.wait("a", value, 0s), Status::timeout);
  const auto set = [&] { EXPECT_EQ(map.set("a", Value::of(5)), Status::ok); };
  EXPECT_EQ(waited(map, [&] { return map.wait("a", value); }, set), Status::ok);
  EXPECT_EQ(value.view().as_integer(), 5);
  std::stop_source source;
  const auto stop = [&] { source.request_stop(); };
  EXPECT_EQ(waited(map, [&] { return map.wait("b", value, source.get_token()); }, stop), Status::cancelled);
  EXPECT_EQ(map.wait("a", value, 0s), Status::ok);
}

TEST_F(PublicMap, FailedAllocationsChangeNothing) {
  const Value block = text("a value that needs a block");
  Value nested = tuple(block, tuple(block));
  int failures = 0;
  for (Status status = Status::no_memory; status != Status::ok; ++failures) {
    internal::Arena::fail_after(failures);
    status = map.set("a key that is long enough for a block", std::move(nested));
    internal::Arena::fail_after(-1);
    ASSERT_TRUE(status == Status::ok || status == Status::no_memory);
    EXPECT_EQ(map.size(), status == Status::ok ? 1u : 0u);
    EXPECT_EQ(nested.view().size(), status == Status::ok ? 0u : 2u);
  }
  EXPECT_GE(failures - 1, 4) << "the key, the blocks that count, the entry and the table";
}

TEST_F(PublicMap, MemoryLimitRefusesEntriesAndChangesNothing) {
  Value kept = Value::of(5);
  const Value zero = Value::of(0);
  set_memory_limit(memory_stats().bytes);
  const Status statuses[] = {
      map.set(1, std::move(kept)), map.setdefault(1, std::move(kept), value), map.add(1, 1, value),
      map.update_with(1, [](ValueView before, Value& after) { return before.to_value(after); }, zero)};
  set_memory_limit(UINT64_MAX);
  for (const Status status : statuses) EXPECT_EQ(status, Status::arena_full);
  EXPECT_EQ(kept.view().as_integer(), 5);
  EXPECT_EQ(map.size(), 0u);
}

}  // namespace
}  // namespace xichan

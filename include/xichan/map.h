// A map that all interpreters and threads of the process read and change together.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "xichan/state_object.h"

namespace xichan {

/// The options of a map. The defaults are those of `xichan.Map()` in Python.
struct MapOptions {
  /// The most entries; 0 for no bound. Over a bound, entries that were not read lately are evicted.
  std::uint64_t max_items = 0;
  /// The most bytes of keys, values and entries; 0 for no bound.
  std::uint64_t max_bytes = 0;
  /// How long after it was set an entry expires.
  TimeLimit ttl = forever;
  /// Name under which the whole process finds the map while it lives, in UTF-8; empty for none.
  std::string_view name = {};
};

/// The options and counters of a map. Reads at the same moment may count as one.
struct MapStats {
  std::uint64_t items;      ///< entries that have not expired
  std::uint64_t bytes;      ///< bytes of keys, values and entries
  std::uint64_t max_items;  ///< as in MapOptions
  std::uint64_t max_bytes;  ///< likewise
  Timeout ttl;              ///< likewise
  std::uint64_t hits;       ///< reads that found their key
  std::uint64_t misses;     ///< reads that did not
  std::uint64_t evicted;    ///< entries removed because of a bound
  std::uint64_t expired;    ///< entries removed because they had expired
};

/// A key of a map: a bool, a number, text (UTF-8, anything convertible to std::string_view), a Value or a view.
/// Converts from each of these. Keys compare by their content, as in Python: 1, 1.0 and true are the same key.
///
/// Make one in advance to use it many times: its hash is computed once. Thread safety: immutable. Progress: nothing
/// blocks, apart from the allocator.
class XICHAN_API MapKey {
 public:
  template <class Key>
    requires requires(const Key& key) { Value::of(key); }
  MapKey(const Key& key) noexcept : value_(Value::of(key)) {
    prepare();
  }
  template <std::unsigned_integral Key>
    requires(sizeof(Key) == 8)
  MapKey(Key key) noexcept : status_(Value::unsigned_integer(key, value_)) {
    prepare();
  }
  template <class Text>
    requires std::convertible_to<const Text&, std::string_view>
  MapKey(const Text& utf8) noexcept : status_(Value::text(utf8, value_)) {
    prepare();
  }
  MapKey(const Value& key) noexcept : value_(key.clone()) { prepare(); }
  MapKey(ValueView key) noexcept : status_(key.to_value(value_)) { prepare(); }

  /// Returns what functions return that get this key: `ok`; `invalid` for a value that cannot be a key, because it is
  /// mutable in Python, an endpoint or a shared object, or malformed text; `too_large` for one with more than 1000
  /// parts; `no_memory` or `arena_full`.
  Status status() const noexcept { return status_; }

 private:
  friend struct internal::StateAccess;
  void prepare() noexcept;

  Value value_;
  std::uint64_t hash_ = 0;
  Status status_ = Status::ok;
};

/// The entries of a map at one moment, in no particular order. Thread safety: that of Value.
class MapSnapshot {
 public:
  std::size_t size() const noexcept { return size_; }
  const ValueEntry* begin() const noexcept { return entries_.get(); }
  const ValueEntry* end() const noexcept { return entries_.get() + size_; }

 private:
  friend class Map;
  std::unique_ptr<ValueEntry[]> entries_;
  std::size_t size_ = 0;
};

/// A handle of a map: a cache, a table of sessions, counters, rate limits. The class Map in Python.
///
/// A function with a key returns the status of that key if it is not `ok`. Every operation on one key takes effect in
/// one step. A `ttl` is the time until the entry expires, `forever` for never; without one, the ttl of the map counts,
/// and zero is `invalid`. Values that are read share their content: nothing is copied, and they stay valid when the
/// entry is replaced.
///
/// Thread safety: that of StateBase. Progress: `get`, `contains` and `get_many` are lock-free; writes take a short lock
/// of one of 16 parts of the map, or of the whole map if it is bounded; `snapshot`, `size`, `clear` and `stats` take
/// all of these. Only `wait` blocks otherwise. No value is freed, and no function of the caller runs, under a lock.
class XICHAN_API Map : public StateOf<Map, StateKind::map> {
 public:
  using Ttl = std::optional<TimeLimit>;

  /// Makes an empty handle.
  Map() noexcept = default;
  /// Makes a map. `ok | no_memory`, `name_taken`, `invalid` for a name that is not UTF-8 or a ttl of zero; `out` is
  /// unchanged unless `ok`.
  static Status make(const MapOptions& options, Map& out) noexcept;

  /// Stores the value of a key. `ok | not_found`; `value` is unchanged unless `ok`.
  Status get(const MapKey& key, Value& value) const noexcept;
  bool contains(const MapKey& key) const noexcept;
  /// Stores the value of each key, or std::nullopt. `ok`, `invalid` if the numbers of keys and values differ, or the
  /// status of the first key that is not `ok`. Another thread may change the map between two keys.
  Status get_many(std::span<const MapKey> keys, std::span<std::optional<Value>> values) const noexcept;

  // Functions that store an entry also return `no_memory | arena_full`, and `too_large` for an entry that alone exceeds
  // `max_bytes`. They change nothing unless `ok`, and take over `value` only if it was stored.

  Status set(const MapKey& key, Value&& value, Ttl ttl = {}) noexcept;
  /// Stores the entries in order. Returns `ok` once all are stored, else the status of the first that was not. `stored`
  /// receives the number of entries stored; their values are none now. Another thread may see a part of them.
  Status set_many(std::span<ValueEntry> entries, std::size_t& stored, Ttl ttl = {}) noexcept;
  /// Stores the value unless the key is present. `present` receives the value that the key has then.
  Status setdefault(const MapKey& key, Value&& value, Value& present, Ttl ttl = {}) noexcept;
  /// Replaces the value of a key if it equals `expected` by its content; `done` receives whether it did.
  Status compare_and_set(const MapKey& key, ValueView expected, Value&& value, bool& done, Ttl ttl = {}) noexcept;

  /// Adds a number to the value of a key, 0 if it is absent, and stores the sum: an integer, or a real if one of them
  /// is. Keeps the time at which the entry expires; `ttl` is that of a new entry. `invalid` if the value or `n` is not
  /// a number, and `too_large` if an integer sum does not fit in 64 bits.
  Status add(const MapKey& key, const Value& n, Value& sum, Ttl ttl = {}) noexcept;
  template <class Number>
    requires requires(Number n) { Value::of(n); }
  Status add(const MapKey& key, Number n, Value& sum, Ttl ttl = {}) noexcept {
    return add(key, Value::of(n), sum, ttl);
  }
  /// Likewise, without the sum.
  Status add(const MapKey& key, std::int64_t n = 1) noexcept {
    Value sum;
    return add(key, Value::of(n), sum);
  }

  /// Replaces the value of a key by the one that `function(ValueView before, Value& after)` stores; `not_found` if the
  /// key is absent. If the function returns a Status other than `ok`, or throws, nothing changes, and so does this one.
  /// It runs without a lock, and again if another thread has changed the entry meanwhile, so it should have no side
  /// effects.
  template <class Function>
  Status update_with(const MapKey& key, Function&& function, Ttl ttl = {}) {
    auto call = [&function](ValueView before, Value& after) -> Status { return function(before, after); };
    return update_by(key, nullptr, invoke<decltype(call)>, &call, ttl);
  }
  /// Likewise; `before` is a view of `initial` if the key is absent.
  template <class Function>
  Status update_with(const MapKey& key, Function&& function, const Value& initial, Ttl ttl = {}) {
    auto call = [&function](ValueView before, Value& after) -> Status { return function(before, after); };
    return update_by(key, &initial, invoke<decltype(call)>, &call, ttl);
  }

  /// Removes a key and stores its value. `ok | not_found`.
  Status pop(const MapKey& key, Value& value) noexcept;
  /// Likewise, without the value.
  Status pop(const MapKey& key) noexcept {
    Value value;
    return pop(key, value);
  }
  /// Removes some entry and stores it. `ok`, or `not_found` if the map is empty.
  Status popitem(Value& key, Value& value) noexcept;
  void clear() noexcept;

  /// Returns the number of entries.
  std::uint64_t size() const noexcept;
  /// Stores all entries at one moment. `ok | no_memory`; `out` is unchanged unless `ok`.
  Status snapshot(MapSnapshot& out) const noexcept;
  MapStats stats() const noexcept;

  /// Blocks until the key is present, and stores its value. `ok | timeout`; `value` is unchanged unless `ok`.
  Status wait(const MapKey& key, Value& value, TimeLimit limit = forever) const noexcept;
  /// Likewise; returns `cancelled` once a stop is requested.
  Status wait(const MapKey& key, Value& value, StopRef stop, TimeLimit limit = forever) const noexcept;

 private:
  using Invoke = Status (*)(void* call, ValueView before, Value& after);

  template <class Call>
  static Status invoke(void* call, ValueView before, Value& after) {
    return (*static_cast<Call*>(call))(before, after);
  }
  Status update_by(const MapKey& key, const Value* initial, Invoke function, void* call, Ttl ttl);
};

}  // namespace xichan

// The class Map: reading, waiting, and what needs no value. map_updates.cpp has the functions that store values.
#include "xichan/map.h"

#include <new>

#include "api/state_access.h"
#include "state/map.h"

namespace xichan {

using internal::SharedMap, internal::StateAccess, internal::ValueAccess;

namespace {

SharedMap* map_of(const Map& handle) noexcept { return StateAccess::usable<SharedMap>(handle); }

std::uint64_t bound_of(std::uint64_t value) noexcept { return value == 0 ? UINT64_MAX : value; }
std::uint64_t value_of(std::uint64_t bound) noexcept { return bound == UINT64_MAX ? 0 : bound; }

Status wait_by(SharedMap& map, const internal::MapKey& key, Value& value, internal::Deadline deadline,
               const internal::Stop* stop) noexcept {
  for (std::uint64_t ticket = 0;;) {
    internal::Request request = SharedMap::request_of(key.hash, map.changes(key.hash));  // before the look-up
    request.ticket = ticket;
    internal::Cell found;
    if (map.get(key, found) != 0) {
      ValueAccess::adopt(value, found);
      return Status::ok;
    }
    const Status status = internal::wait_admitted(map, request, deadline, stop);
    if (status != Status::ok) return status;
    ticket = request.ticket;
  }
}

}  // namespace

void MapKey::prepare() noexcept {
  if (status_ != Status::ok) return;
  const internal::MapKey key = internal::MapKey::of(ValueAccess::cell(value_), 0);
  status_ = internal::hash_content(key.reader, *key.cell, hash_);
}

Status Map::make(const MapOptions& options, Map& out) noexcept {
  static_assert(forever.count() == internal::MapEntry::never);
  if (options.ttl.timeout() == Timeout::zero()) return Status::invalid;
  const internal::MapOptions core{.max_items = bound_of(options.max_items),
                                  .max_bytes = bound_of(options.max_bytes),
                                  .ttl = options.ttl.timeout().count()};
  auto shards = SharedMap::make_shards(core);
  SharedMap* map = shards == nullptr ? nullptr : new (std::nothrow) SharedMap(core, std::move(shards));
  return StateAccess::introduce(map, options.name, out);
}

Status Map::get(const MapKey& key, Value& value) const noexcept {
  SharedMap* const map = map_of(*this);
  if (map == nullptr) return Status::end_closed;
  if (key.status() != Status::ok) return key.status();
  internal::Cell found;
  if (map->get(StateAccess::key(key), found) == 0) return Status::not_found;
  ValueAccess::adopt(value, found);
  return Status::ok;
}

bool Map::contains(const MapKey& key) const noexcept {
  SharedMap* const map = map_of(*this);
  return map != nullptr && key.status() == Status::ok && map->contains(StateAccess::key(key));
}

Status Map::get_many(std::span<const MapKey> keys, std::span<std::optional<Value>> values) const noexcept {
  if (map_of(*this) == nullptr) return Status::end_closed;
  if (keys.size() != values.size()) return Status::invalid;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    Value value;
    const Status status = get(keys[i], value);
    if (status != Status::ok && status != Status::not_found) return status;
    values[i].reset();
    if (status == Status::ok) values[i] = std::move(value);
  }
  return Status::ok;
}

Status Map::pop(const MapKey& key, Value& value) noexcept {
  SharedMap* const map = map_of(*this);
  if (map == nullptr) return Status::end_closed;
  if (key.status() != Status::ok) return key.status();
  internal::Cell found;
  if (!map->pop(StateAccess::key(key), found)) return Status::not_found;
  ValueAccess::adopt(value, found);
  return Status::ok;
}

Status Map::popitem(Value& key, Value& value) noexcept {
  SharedMap* const map = map_of(*this);
  if (map == nullptr) return Status::end_closed;
  for (;;) {
    internal::MapEntry* const seen = map->enter_any();
    if (seen == nullptr) return Status::not_found;
    const bool removed = map->remove(internal::MapKey::of(seen->key, seen->hash), seen);
    if (removed) {
      internal::share_cell(seen->key, key);
      internal::share_cell(seen->value, value);
    }
    SharedMap::leave(seen);
    if (removed) return Status::ok;
  }
}

void Map::clear() noexcept {
  if (SharedMap* const map = map_of(*this)) map->clear();
}

std::uint64_t Map::size() const noexcept {
  SharedMap* const map = map_of(*this);
  return map == nullptr ? 0 : map->size();
}

Status Map::snapshot(MapSnapshot& out) const noexcept {
  SharedMap* const map = map_of(*this);
  if (map == nullptr) return Status::end_closed;
  std::uint64_t count;
  const std::unique_ptr<internal::Cell[]> cells = map->copy_cells(count);
  if (cells == nullptr) return Status::no_memory;
  std::unique_ptr<ValueEntry[]> entries(new (std::nothrow) ValueEntry[count]);
  for (std::uint64_t i = 0; i < 2 * count; ++i) {
    if (entries == nullptr) {
      internal::release(cells[i]);
    } else {
      ValueAccess::adopt(i % 2 == 0 ? entries[i / 2].key : entries[i / 2].value, cells[i]);
    }
  }
  if (entries == nullptr) return Status::no_memory;
  out.entries_ = std::move(entries);
  out.size_ = count;
  return Status::ok;
}

MapStats Map::stats() const noexcept {
  SharedMap* const map = map_of(*this);
  if (map == nullptr) return {};
  const internal::MapStats s = map->stats();
  const internal::MapOptions& o = map->options();
  return {.items = s.items,
          .bytes = s.bytes,
          .max_items = value_of(o.max_items),
          .max_bytes = value_of(o.max_bytes),
          .ttl = Timeout(o.ttl),
          .hits = s.hits,
          .misses = s.misses,
          .evicted = s.evicted,
          .expired = s.expired};
}

Status Map::wait(const MapKey& key, Value& value, TimeLimit limit) const noexcept {
  SharedMap* const map = map_of(*this);
  if (map == nullptr) return Status::end_closed;
  if (key.status() != Status::ok) return key.status();
  return wait_by(*map, StateAccess::key(key), value, internal::deadline_of(limit), nullptr);
}

Status Map::wait(const MapKey& key, Value& value, StopRef stop, TimeLimit limit) const noexcept {
  SharedMap* const map = map_of(*this);
  if (map == nullptr) return Status::end_closed;
  if (key.status() != Status::ok) return key.status();
  return internal::run_stoppable_at(*map, stop, limit,
                                    [&](internal::Deadline deadline, const internal::Stop* by) noexcept {
                                      return wait_by(*map, StateAccess::key(key), value, deadline, by);
                                    });
}

}  // namespace xichan

// The class Map: the functions that store values.
#include <new>

#include "api/state_access.h"
#include "state/map.h"
#include "xichan/map.h"

namespace xichan {

using internal::cell_of, internal::NewEntry, internal::SharedMap, internal::StateAccess, internal::ValueAccess;

namespace {

SharedMap* map_of(const Map& handle) noexcept { return StateAccess::usable<SharedMap>(handle); }

// A new entry for one call: its key owns a reference, which the map takes over or this releases.
class Offer {
 public:
  // `status` is `ok` if the key and the ttl are valid.
  Offer(const MapKey& key, Map::Ttl ttl, Status& status) noexcept {
    status = key.status();
    if (status != Status::ok) return;
    if (ttl.has_value() && ttl->timeout() == Timeout::zero()) status = Status::invalid;
    const internal::MapKey core = StateAccess::key(key);
    entry_ = {.key = StateAccess::cell(key), .hash = core.hash, .ttl = ttl.has_value() ? ttl->timeout().count() : 0};
    internal::retain(entry_.key);
  }
  Offer(const Offer&) = delete;
  Offer& operator=(const Offer&) = delete;
  ~Offer() { internal::release(entry_.key); }

  internal::MapKey key() const noexcept { return internal::MapKey::of(entry_.key, entry_.hash); }
  /// Returns the entry with a value that is not owned.
  const NewEntry& with(const Value& value) noexcept {
    entry_.value = ValueAccess::cell(value);
    return entry_;
  }
  void taken_key() noexcept { entry_.key = internal::Cell::none(); }
  /// The map has taken over the key and the value.
  void taken(Value& value) noexcept {
    taken_key();
    cell_of(value) = internal::Cell::none();
  }

 private:
  NewEntry entry_{.key = internal::Cell::none()};
};

// An entry that is being read, or none.
class Seen {
 public:
  explicit Seen(internal::MapEntry* entry) noexcept : entry_(entry) {}
  Seen(const Seen&) = delete;
  Seen& operator=(const Seen&) = delete;
  ~Seen() {
    if (entry_ != nullptr) SharedMap::leave(entry_);
  }
  internal::MapEntry* entry() const noexcept { return entry_; }
  Value value() const noexcept {
    Value value;
    internal::share_cell(entry_->value, value);
    return value;
  }

 private:
  internal::MapEntry* const entry_;
};

}  // namespace

Status Map::set(const MapKey& key, Value&& value, Ttl ttl) noexcept {
  SharedMap* const map = map_of(*this);
  if (map == nullptr) return Status::end_closed;
  Status status;
  Offer offer(key, ttl, status);
  if (status == Status::ok) status = map->set(offer.with(value));
  if (status == Status::ok) offer.taken(value);
  return status;
}

Status Map::set_many(std::span<ValueEntry> entries, std::size_t& stored, Ttl ttl) noexcept {
  stored = 0;
  if (map_of(*this) == nullptr) return Status::end_closed;
  for (ValueEntry& entry : entries) {
    const Status status = set(entry.key, std::move(entry.value), ttl);
    if (status != Status::ok) return status;
    ++stored;
  }
  return Status::ok;
}

Status Map::setdefault(const MapKey& key, Value&& value, Value& present, Ttl ttl) noexcept {
  SharedMap* const map = map_of(*this);
  if (map == nullptr) return Status::end_closed;
  Status status;
  Offer offer(key, ttl, status);
  internal::Cell found;
  bool stored = false;
  if (status == Status::ok) status = map->set_default(offer.with(value), found, stored);
  if (stored) offer.taken(value);
  if (status == Status::ok) ValueAccess::adopt(present, found);
  return status;
}

Status Map::compare_and_set(const MapKey& key, ValueView expected, Value&& value, bool& done, Ttl ttl) noexcept {
  SharedMap* const map = map_of(*this);
  if (map == nullptr) return Status::end_closed;
  Status status;
  Offer offer(key, ttl, status);
  done = false;
  while (status == Status::ok && !done) {
    const Seen seen(map->enter(offer.key()));
    if (seen.entry() == nullptr) break;
    const internal::MapKey current = internal::MapKey::of(seen.entry()->value, 0);
    bool equal = false;
    status = internal::equal_values(current.reader, *current.cell, ValueAccess::reader(expected),
                                    ValueAccess::cell(expected), equal);
    if (!equal) break;
    status = map->replace(offer.with(value), seen.entry(), done);  // not done: it was replaced, maybe by an equal value
  }
  if (done) offer.taken(value);
  return status;
}

Status Map::add(const MapKey& key, const Value& n, Value& sum, Ttl ttl) noexcept {
  SharedMap* const map = map_of(*this);
  if (map == nullptr) return Status::end_closed;
  Status status;
  Offer offer(key, ttl, status);
  internal::Cell result;
  if (status == Status::ok) status = map->add(offer.with(n), result);
  if (status != Status::ok) return status;
  offer.taken_key();
  ValueAccess::adopt(sum, result);
  return status;
}

// Not noexcept: the function may throw. Then nothing has changed.
Status Map::update_by(const MapKey& key, const Value* initial, Invoke function, void* call, Ttl ttl) {
  SharedMap* const map = map_of(*this);
  if (map == nullptr) return Status::end_closed;
  Status status;
  Offer offer(key, ttl, status);
  for (bool done = false; status == Status::ok && !done;) {
    const Seen seen(map->enter(offer.key()));
    if (seen.entry() == nullptr && initial == nullptr) return Status::not_found;
    const Value before = seen.entry() == nullptr ? initial->clone() : seen.value();
    Value after;
    status = function(call, before.view(), after);
    if (status == Status::ok) status = map->replace(offer.with(after), seen.entry(), done);
    if (done) offer.taken(after);
  }
  return status;
}

}  // namespace xichan

#include "state/map_methods.h"

#include "base/ref.h"
#include "ends/async.h"
#include "ends/stats.h"
#include "state/waiting.h"
#include "values/encode.h"

namespace xichan::python {

bool parse_ttl(PyObject* value, std::int64_t& ttl) noexcept {
  if (value == nullptr || value == Py_None) return true;
  const double seconds = PyFloat_Check(value) || PyLong_Check(value) ? PyFloat_AsDouble(value) : -1;
  if (PyErr_Occurred()) PyErr_Clear();
  if (!PyFloat_Check(value) && !PyLong_Check(value)) {
    PyErr_Format(PyExc_TypeError, "ttl must be an int, a float or None, got %T", value);
    return false;
  }
  if (!(seconds > 0)) {
    PyErr_Format(PyExc_ValueError, "ttl must be more than 0 seconds, got %R", value);
    return false;
  }
  const double nanoseconds = seconds * 1e9;
  ttl = nanoseconds < 9e18 ? std::max<std::int64_t>(1, static_cast<std::int64_t>(nanoseconds)) : MapEntry::never;
  return true;
}

PyObject* raise_map(const ModuleState& state, Status status) noexcept {
  return raise(state, status, status == Status::too_large ? "the entry is larger than the Map's max_bytes" : nullptr);
}

int store_item(PyObject* self, PyObject* key_object, PyObject* value_object, std::int64_t ttl) noexcept {
  ModuleState& state = *as_state_handle(self)->state;
  MapKeyArgument key;
  Cell value;
  if (!key.read_to_store(state, key_object) || !encode(state, value_object, value)) return -1;
  auto* object = usable<SharedMap>(self);
  const Status status = object == nullptr ? Status::invalid : object->set({key.owned(), key.hash(), value, ttl});
  if (status == Status::ok) {
    key.disown();
    return 0;
  }
  internal::release(value);
  if (object != nullptr) raise_map(state, status);
  return -1;
}

PyObject* map_get_many(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"keys", "copy"};
  static constexpr Signature signature{"get_many", names, 1, 1};
  PyObject* values[2];
  bool copy = true;
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_flag(values[1], copy)) return nullptr;
  ModuleState& state = *as_state_handle(self)->state;
  const Ref keys(PyObject_GetIter(values[0]));
  Ref found(keys ? PyDict_New() : nullptr);
  if (!found) return nullptr;
  for (;;) {
    const Ref key_object(PyIter_Next(keys.get()));
    if (!key_object) return PyErr_Occurred() ? nullptr : found.release();
    MapKeyArgument key;
    if (!key.read(state, key_object.get())) return nullptr;
    auto* object = usable<SharedMap>(self);
    if (object == nullptr) return nullptr;
    Cell value;
    if (object->get(key.key(), value) == 0) continue;
    const Ref decoded(decode_owned(state, value, copy));
    if (!decoded || PyDict_SetItem(found.get(), key_object.get(), decoded.get()) < 0) return nullptr;
  }
}

PyObject* map_set_many(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"entries", "ttl"};
  static constexpr Signature signature{"set_many", names, 1, 1};
  PyObject* values[2];
  std::int64_t ttl = 0;
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_ttl(values[1], ttl)) return nullptr;
  // A copy, which no Python code that runs meanwhile can change.
  const Ref entries(PyDict_New());
  if (!entries) return nullptr;
  if (PyMapping_Check(values[0]) && PyObject_HasAttrString(values[0], "keys")) {
    if (PyDict_Update(entries.get(), values[0]) < 0) return nullptr;
  } else if (PyDict_MergeFromSeq2(entries.get(), values[0], 1) < 0) {
    return nullptr;
  }
  Py_ssize_t position = 0;
  PyObject *key, *value;
  while (PyDict_Next(entries.get(), &position, &key, &value)) {
    if (store_item(self, key, value, ttl) < 0) return nullptr;
  }
  Py_RETURN_NONE;
}

namespace {

enum class Wanted : std::uint8_t { keys, values, both };

// Calls `use(key, value)` for all entries at one moment: objects, or null for what is not `wanted`. False with an
// exception set.
template <class Use>
bool for_each_entry(PyObject* self, Wanted wanted, Use use) noexcept {
  ModuleState& state = *as_state_handle(self)->state;
  auto* object = usable<SharedMap>(self);
  if (object == nullptr) return false;
  bool ok = true;
  const bool in_memory = object->snapshot([&](const Cell& key, const Cell& value) noexcept {
    const Ref key_object(ok && wanted != Wanted::values ? decode(state, key) : nullptr);
    ok = ok && (key_object || wanted == Wanted::values);
    const Ref value_object(ok && wanted != Wanted::keys ? decode(state, value) : nullptr);
    ok = ok && (value_object || wanted == Wanted::keys) && use(key_object.get(), value_object.get());
    internal::release(key);
    internal::release(value);
  });
  if (!in_memory) PyErr_NoMemory();
  return in_memory && ok;
}

PyObject* list_of(PyObject* self, Wanted wanted) noexcept {
  Ref list(PyList_New(0));
  const bool ok = list && for_each_entry(self, wanted, [&](PyObject* key, PyObject* value) noexcept {
                    if (wanted != Wanted::both) return PyList_Append(list.get(), key == nullptr ? value : key) == 0;
                    const Ref pair(PyTuple_Pack(2, key, value));
                    return pair && PyList_Append(list.get(), pair.get()) == 0;
                  });
  return ok ? list.release() : nullptr;
}

}  // namespace

PyObject* map_snapshot(PyObject* self, PyObject*) noexcept {
  Ref copied(PyDict_New());
  const bool ok = copied && for_each_entry(self, Wanted::both, [&](PyObject* key, PyObject* value) noexcept {
                    return PyDict_SetItem(copied.get(), key, value) == 0;
                  });
  return ok ? copied.release() : nullptr;
}

PyObject* map_list_keys(PyObject* self, PyObject*) noexcept { return list_of(self, Wanted::keys); }
PyObject* map_list_values(PyObject* self, PyObject*) noexcept { return list_of(self, Wanted::values); }
PyObject* map_list_items(PyObject* self, PyObject*) noexcept { return list_of(self, Wanted::both); }

PyObject* map_wait(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"key", "timeout", "copy"};
  static constexpr Signature signature{"wait", names, 1, 2};
  PyObject* values[3];
  Timeout timeout;
  bool copy = true;
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_timeout(values[1], timeout) ||
      !parse_flag(values[2], copy)) {
    return nullptr;
  }
  ModuleState& state = *as_state_handle(self)->state;
  MapKeyArgument key;
  if (!key.read(state, values[0])) return nullptr;
  auto* object = usable<SharedMap>(self);
  if (object == nullptr) return nullptr;
  std::uint64_t ticket = 0;
  for (;;) {
    Request request = SharedMap::request_of(key.hash(), object->changes(key.hash()));  // before the look-up
    request.ticket = ticket;
    Cell value;
    if (object->get(key.key(), value) != 0) return decode_owned(state, value, copy);
    Status status = Status::timeout;
    if (!timeout.now && !wait_admitted(state, *object, request, timeout, status)) return nullptr;
    if (status == Status::timeout) return raise(state, status, "the key is not in the Map");
    if (status != Status::ok) return raise(state, status);
    ticket = request.ticket;
  }
}

// _get(key, copy) -> (changes, version, value). `changes` is for _join(); without an entry, `version` is 0.
PyObject* map_get_with_version(PyObject* self, PyObject* args) noexcept {
  PyObject* key_object;
  int copy;
  if (!PyArg_ParseTuple(args, "Op:_get", &key_object, &copy)) return nullptr;
  ModuleState& state = *as_state_handle(self)->state;
  MapKeyArgument key;
  if (!key.read(state, key_object)) return nullptr;
  auto* object = usable<SharedMap>(self);
  if (object == nullptr) return nullptr;
  using Count = unsigned long long;
  const std::uint64_t changes = object->changes(key.hash());  // before the look-up
  Cell value;
  const std::uint64_t version = object->get(key.key(), value);
  if (version == 0) return Py_BuildValue("KKO", Count{changes}, Count{0}, Py_None);
  Ref decoded(decode_owned(state, value, copy != 0));
  return decoded ? Py_BuildValue("KKN", Count{changes}, Count{version}, decoded.release()) : nullptr;
}

// _join(notifier, key, ticket, key of the map, changes).
PyObject* map_join(PyObject* self, PyObject* args) noexcept {
  PyObject *notifier, *key_object;
  unsigned long long key, ticket, changes;
  if (!PyArg_ParseTuple(args, "OKKOK:_join", &notifier, &key, &ticket, &key_object, &changes)) return nullptr;
  ModuleState& state = *as_state_handle(self)->state;
  MapKeyArgument wanted;
  if (!wanted.read(state, key_object)) return nullptr;
  auto* object = usable<SharedMap>(self);
  if (object == nullptr) return nullptr;
  Request request = SharedMap::request_of(wanted.hash(), changes);
  request.ticket = ticket;
  return join_queue(state, *object, request, notifier, key);
}

PyObject* map_watch(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  return delegate("xichan._state", "watch_key", self, args, count, keywords);
}

PyObject* map_stats(PyObject* self, PyObject*) noexcept {
  auto* object = usable<SharedMap>(self);
  if (object == nullptr) return nullptr;
  const MapStats s = object->stats();
  const MapOptions& o = object->options();
  using Count = unsigned long long;
  PyObject* ttl = o.ttl == MapEntry::never ? Py_NewRef(Py_None) : PyFloat_FromDouble(static_cast<double>(o.ttl) * 1e-9);
  return make_record(
      *as_state_handle(self)->state, RecordType::map,
      Py_BuildValue("{sKsKsNsNsNsKsKsKsK}", "items", Count{s.items}, "bytes", Count{s.bytes}, "max_items",
                    bounded(o.max_items), "max_bytes", bounded(o.max_bytes), "ttl", ttl, "hits", Count{s.hits},
                    "misses", Count{s.misses}, "evicted", Count{s.evicted}, "expired", Count{s.expired}));
}

}  // namespace xichan::python

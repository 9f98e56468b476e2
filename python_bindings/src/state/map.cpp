// The class Map.
#include "state/map.h"

#include "base/ref.h"
#include "ends/async.h"
#include "state/map_methods.h"
#include "state/waiting.h"
#include "values/encode.h"

namespace xichan::python {
namespace {

PyObject* map_new(PyTypeObject* type, PyObject* args, PyObject* keywords) noexcept {
  static const char* names[] = {"max_items", "max_bytes", "ttl", "name", nullptr};
  PyObject *items = nullptr, *bytes = nullptr, *ttl = nullptr, *named = nullptr;
  MapOptions options;
  std::string_view name;
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "|OO$OO:Map", const_cast<char**>(names), &items, &bytes, &ttl,
                                   &named) ||
      !parse_optional_int("max_items", items, 1, INT64_MAX, options.max_items) ||
      !parse_optional_int("max_bytes", bytes, 1, INT64_MAX, options.max_bytes) || !parse_ttl(ttl, options.ttl) ||
      !parse_channel_name(named, name)) {
    return nullptr;
  }
  auto shards = SharedMap::make_shards(options);
  SharedMap* object = shards == nullptr ? nullptr : new (std::nothrow) SharedMap(options, std::move(shards));
  return new_object(state_of_type(type), object, name, named);
}

// Looks a key up. Null with an exception set, or without one if it is absent.
PyObject* look_up_key(PyObject* self, PyObject* key_object, bool copy) noexcept {
  ModuleState& state = *as_state_handle(self)->state;
  MapKeyArgument key;
  if (!key.read(state, key_object)) return nullptr;
  auto* object = usable<SharedMap>(self);
  if (object == nullptr) return nullptr;
  Cell value;
  return object->get(key.key(), value) == 0 ? nullptr : decode_owned(state, value, copy);
}

PyObject* get(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"key", "default", "copy"};
  static constexpr Signature signature{"get", names, 1, 2};
  PyObject* values[3] = {count > 0 ? args[0] : nullptr, count > 1 ? args[1] : nullptr, nullptr};
  bool copy = true;
  if ((keywords != nullptr || count < 1 || count > 2) &&
      (!parse_arguments(signature, args, count, keywords, values) || !parse_flag(values[2], copy))) {
    return nullptr;
  }
  PyObject* found = look_up_key(self, values[0], copy);
  if (found != nullptr || PyErr_Occurred()) return found;
  return Py_NewRef(values[1] == nullptr ? Py_None : values[1]);
}

void raise_key(PyObject* key) noexcept {
  const Ref args(PyTuple_Pack(1, key));
  if (args) PyErr_SetObject(PyExc_KeyError, args.get());
}

PyObject* subscript(PyObject* self, PyObject* key) noexcept {
  PyObject* found = look_up_key(self, key, true);
  if (found == nullptr && !PyErr_Occurred()) raise_key(key);
  return found;
}

// Removes a key. Returns its value; null with an exception set, or without one if it is absent. The value is made
// first: if that fails, the entry stays.
PyObject* pop_key(PyObject* self, PyObject* key_object) noexcept {
  ModuleState& state = *as_state_handle(self)->state;
  MapKeyArgument key;
  if (!key.read(state, key_object)) return nullptr;
  for (;;) {
    auto* object = usable<SharedMap>(self);
    MapEntry* const seen = object == nullptr ? nullptr : object->enter(key.key());
    if (seen == nullptr) return nullptr;
    Ref value(decode(state, seen->value));
    object = value ? usable<SharedMap>(self) : nullptr;  // decoding may have run Python code
    const bool removed = object != nullptr && object->remove(key.key(), seen);
    SharedMap::leave(seen);
    if (object == nullptr) return nullptr;
    if (removed) return value.release();
    if (PyErr_CheckSignals() < 0) return nullptr;
  }
}

int assign(PyObject* self, PyObject* key_object, PyObject* value) noexcept {
  if (value != nullptr) return store_item(self, key_object, value, 0);
  MapKeyArgument key;
  if (!key.read(*as_state_handle(self)->state, key_object)) return -1;
  auto* object = usable<SharedMap>(self);
  if (object == nullptr) return -1;
  Cell removed;
  if (object->pop(key.key(), removed)) {
    internal::release(removed);
    return 0;
  }
  raise_key(key_object);
  return -1;
}

PyObject* set(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"key", "value", "ttl"};
  static constexpr Signature signature{"set", names, 2, 2};
  PyObject* values[3];
  std::int64_t ttl = 0;
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_ttl(values[2], ttl) ||
      store_item(self, values[0], values[1], ttl) < 0) {
    return nullptr;
  }
  Py_RETURN_NONE;
}

PyObject* set_default(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"key", "default", "ttl"};
  static constexpr Signature signature{"setdefault", names, 1, 2};
  PyObject* values[3];
  std::int64_t ttl = 0;
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_ttl(values[2], ttl)) return nullptr;
  ModuleState& state = *as_state_handle(self)->state;
  MapKeyArgument key;
  Cell fresh, value;
  if (!key.read_to_store(state, values[0]) || !encode(state, values[1] == nullptr ? Py_None : values[1], fresh)) {
    return nullptr;
  }
  bool stored = false;
  auto* object = usable<SharedMap>(self);
  const Status status =
      object == nullptr ? Status::invalid : object->set_default({key.owned(), key.hash(), fresh, ttl}, value, stored);
  stored ? key.disown() : internal::release(fresh);
  if (status == Status::ok) return decode_owned(state, value);
  return object == nullptr ? nullptr : raise_map(state, status);
}

PyObject* pop(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"key", "default"};
  static constexpr Signature signature{"pop", names, 1, 2};
  PyObject* values[2];
  if (!parse_arguments(signature, args, count, keywords, values)) return nullptr;
  PyObject* found = pop_key(self, values[0]);
  if (found != nullptr || PyErr_Occurred()) return found;
  if (values[1] != nullptr) return Py_NewRef(values[1]);
  raise_key(values[0]);
  return nullptr;
}

PyObject* pop_item(PyObject* self, PyObject*) noexcept {
  ModuleState& state = *as_state_handle(self)->state;
  for (;;) {
    auto* object = usable<SharedMap>(self);
    if (object == nullptr) return nullptr;
    MapEntry* const seen = object->enter_any();
    if (seen == nullptr) {
      PyErr_SetString(PyExc_KeyError, "popitem(): the Map is empty");
      return nullptr;
    }
    const Ref key(decode(state, seen->key));
    const Ref value(key ? decode(state, seen->value) : nullptr);
    Ref pair(value ? PyTuple_Pack(2, key.get(), value.get()) : nullptr);
    object = pair ? usable<SharedMap>(self) : nullptr;  // decoding may have run Python code
    const bool removed = object != nullptr && object->remove(MapKey::of(seen->key, seen->hash), seen);
    SharedMap::leave(seen);
    if (object == nullptr) return nullptr;
    if (removed) return pair.release();
    if (PyErr_CheckSignals() < 0) return nullptr;
  }
}

PyObject* clear(PyObject* self, PyObject*) noexcept {
  auto* object = usable<SharedMap>(self);
  if (object == nullptr) return nullptr;
  object->clear();
  Py_RETURN_NONE;
}

PyObject* add(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"key", "n", "ttl"};
  static constexpr Signature signature{"add", names, 1, 2};
  PyObject* values[3];
  std::int64_t ttl = 0;
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_ttl(values[2], ttl)) return nullptr;
  ModuleState& state = *as_state_handle(self)->state;
  Cell amount = Cell::integer(1), sum;
  if (values[1] != nullptr &&
      (!(PyLong_Check(values[1]) || PyFloat_Check(values[1])) || !encode_short(values[1], &amount))) {
    return PyErr_Format(PyLong_Check(values[1]) ? PyExc_OverflowError : PyExc_TypeError,
                        "n must be a float, or an int from -2**63 to 2**63 - 1, got %R", values[1]);
  }
  MapKeyArgument key;
  if (!key.read_to_store(state, values[0])) return nullptr;
  auto* object = usable<SharedMap>(self);
  if (object == nullptr) return nullptr;
  const Status status = object->add({key.owned(), key.hash(), amount, ttl}, sum);
  if (status == Status::ok) {
    key.disown();
    return decode(state, sum);
  }
  if (status == Status::invalid) {
    return PyErr_Format(PyExc_TypeError, "add() requires a value that is an int or float; that of %R is not",
                        values[0]);
  }
  if (status == Status::too_large && sum.tag() == Tag::none) {
    PyErr_SetString(PyExc_OverflowError, "the sum must be from -2**63 to 2**63 - 1; the value is unchanged");
    return nullptr;
  }
  return raise_map(state, status);
}

// Replaces the entry `seen`, which it leaves. False with an exception set.
bool replace(PyObject* self, const MapKeyArgument& key, MapEntry* seen, PyObject* value, std::int64_t ttl,
             bool& done) noexcept {
  ModuleState& state = *as_state_handle(self)->state;
  done = false;
  Cell fresh;
  Status status = Status::invalid;
  const bool encoded = encode(state, value, fresh);
  auto* object = encoded ? usable<SharedMap>(self) : nullptr;
  if (object != nullptr) {
    internal::retain(key.owned());
    status = object->replace({key.owned(), key.hash(), fresh, ttl}, seen, done);
    if (!done) internal::release(key.owned());
  }
  if (seen != nullptr) SharedMap::leave(seen);
  if (encoded && !done) internal::release(fresh);
  if (object != nullptr && status != Status::ok) raise_map(state, status);
  return status == Status::ok;
}

PyObject* compare_and_set(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"key", "expected", "new", "ttl"};
  static constexpr Signature signature{"compare_and_set", names, 3, 3};
  PyObject* values[4];
  std::int64_t ttl = 0;
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_ttl(values[3], ttl)) return nullptr;
  ModuleState& state = *as_state_handle(self)->state;
  MapKeyArgument key;
  Cell expected;
  if (!key.read_to_store(state, values[0]) || !encode(state, values[1], expected)) return nullptr;
  const MapKey wanted = MapKey::of(expected, 0);
  bool done = false, ok = true;
  while (ok && !done) {
    auto* object = usable<SharedMap>(self);
    MapEntry* const seen = object == nullptr ? nullptr : object->enter(key.key());
    ok = object != nullptr;
    if (seen == nullptr) break;
    const MapKey current = MapKey::of(seen->value, 0);
    bool equal = false;
    const Status status = equal_values(current.reader, *current.cell, wanted.reader, *wanted.cell, equal);
    if (!equal) {
      SharedMap::leave(seen);
      ok = status == Status::ok;
      if (!ok) raise(state, status);
      break;
    }
    ok =
        replace(self, key, seen, values[2], ttl, done);  // not done: it was replaced meanwhile, maybe by an equal value
  }
  internal::release(expected);
  return ok ? PyBool_FromLong(done) : nullptr;
}

PyObject* update_with(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"key", "function", "default", "ttl"};
  static constexpr Signature signature{"update_with", names, 2, 3};
  PyObject* values[4];
  std::int64_t ttl = 0;
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_ttl(values[3], ttl)) return nullptr;
  ModuleState& state = *as_state_handle(self)->state;
  MapKeyArgument key;
  if (!key.read_to_store(state, values[0])) return nullptr;
  for (;;) {
    auto* object = usable<SharedMap>(self);
    if (object == nullptr) return nullptr;
    MapEntry* const seen = object->enter(key.key());
    if (seen == nullptr && values[2] == nullptr) {
      raise_key(values[0]);
      return nullptr;
    }
    const Ref before(seen == nullptr ? Py_NewRef(values[2]) : decode(state, seen->value));
    Ref after(before ? PyObject_CallOneArg(values[1], before.get()) : nullptr);
    bool done;
    if (!after) {
      if (seen != nullptr) SharedMap::leave(seen);
      return nullptr;
    }
    if (!replace(self, key, seen, after.get(), ttl, done)) return nullptr;
    if (done) return after.release();
    if (PyErr_CheckSignals() < 0) return nullptr;
  }
}

PyObject* keys(PyObject* self, PyObject*) noexcept {
  return delegate("xichan._map_views", "keys", self, nullptr, 0, nullptr);
}
PyObject* values(PyObject* self, PyObject*) noexcept {
  return delegate("xichan._map_views", "values", self, nullptr, 0, nullptr);
}
PyObject* items(PyObject* self, PyObject*) noexcept {
  return delegate("xichan._map_views", "items", self, nullptr, 0, nullptr);
}

PyObject* iterate(PyObject* self) noexcept {
  const Ref list(map_list_keys(self, nullptr));
  return list ? PyObject_GetIter(list.get()) : nullptr;
}

PyObject* update(PyObject* self, PyObject* args, PyObject* keywords) noexcept {
  const Ref entries(PyDict_New());
  const Ref method(entries ? PyObject_GetAttrString(entries.get(), "update") : nullptr);
  if (!method || !Ref(PyObject_Call(method.get(), args, keywords))) return nullptr;
  PyObject* const many[] = {entries.get()};
  return map_set_many(self, many, 1, nullptr);
}

Py_ssize_t length(PyObject* self) noexcept {
  auto* object = usable<SharedMap>(self);
  return object == nullptr ? -1 : static_cast<Py_ssize_t>(object->size());
}

int contains(PyObject* self, PyObject* key_object) noexcept {
  MapKeyArgument key;
  if (!key.read(*as_state_handle(self)->state, key_object)) return -1;
  auto* object = usable<SharedMap>(self);
  return object == nullptr ? -1 : object->contains(key.key());
}

PyObject* map_repr(PyObject* self) noexcept {
  auto* object = static_cast<SharedMap*>(as_state_handle(self)->reference->object());
  if (object == nullptr || object->is_inherited()) return repr_of(self, "");
  return repr_of(self, " items %llu", static_cast<unsigned long long>(object->size()));
}

PyDoc_STRVAR(map_doc,
"Map(max_items=None, max_bytes=None, *, ttl=None, name=None)\n--\n\n"
"A mapping that all interpreters read and change together: a cache, a table of sessions, counters, rate limits.\n\n"
"Keys are hashable values of at most 1000 parts, compared by their content. Values are any shareable values, immutable inside: reading\n"
"returns a copy, or a view. A collections.abc.MutableMapping.\n\n"
"max_items: int, the most entries, at least 1; None for no bound.\n"
"max_bytes: int, the most bytes of memory, of keys, values and entries; None for no bound. Memory that views and\n"
"  Shareds in them keep alive counts for each entry. Over a bound, entries that were not read lately are evicted.\n"
"ttl: seconds (int or float, more than 0) after which an entry that was set expires; None for never. Its memory is\n"
"  released by later writes, len() or stats().\n"
"name: str, under which Map.lookup() finds it in every interpreter; None for no name.\n\n"
"Raises Error if the name is in use. Reads take no lock. Every operation on one key, snapshot(), clear() and len() are\n"
"atomic. Only wait() and watch() block. Thread-safe.");

PyDoc_STRVAR(get_doc,
"get($self, /, key, default=None, *, copy=True)\n--\n\n"
"Return the value of a key, or `default` if it is absent.\n\n"
"copy: bool; False returns a view of a large str, bytes, tuple, ..., which costs the same for any size.\n\n"
"Raises TypeError if the key is not hashable, and DecodeError if the value cannot be made here. Never blocks.");

PyDoc_STRVAR(set_doc,
"set($self, /, key, value, *, ttl=None)\n--\n\n"
"Store a value, like map[key] = value.\n\n"
"ttl: seconds after which the entry expires; None for the ttl of the Map, math.inf for never.\n\n"
"Raises TypeError if the key is not hashable, ValueError if it has more than 1000 parts, each counted as often as it\n"
"occurs, or if the entry alone exceeds max_bytes, NotShareableError, MemoryLimitExceeded and MemoryError; then nothing has changed. Never blocks.");

PyDoc_STRVAR(setdefault_doc,
"setdefault($self, /, key, default=None, *, ttl=None)\n--\n\n"
"Return the value of a key. If it is absent, store `default`, and return that. Raises as set() does.");

PyDoc_STRVAR(pop_doc,
"pop($self, /, key, default=...)\n--\n\n"
"Remove a key and return its value; `default` if it is absent.\n\n"
"Raises KeyError if it is absent without a default, and DecodeError if the value cannot be made here; then it stays.");

PyDoc_STRVAR(popitem_doc,
"popitem($self, /)\n--\n\n"
"Remove some entry and return it as (key, value).\n\n"
"Raises KeyError if the Map is empty, and DecodeError if the key or value cannot be made here; then the entry stays.");

PyDoc_STRVAR(clear_doc,
"clear($self, /)\n--\n\n"
"Remove all entries, in one step.");

PyDoc_STRVAR(add_doc,
"add($self, /, key, n=1, *, ttl=None)\n--\n\n"
"Add n to the value of a key, 0 if it is absent, and return the sum.\n\n"
"n: int or float.\n"
"ttl: seconds after which a new entry expires, as for set(). An entry that is present keeps its time.\n\n"
"Raises TypeError if the value is not a number, and OverflowError if an int exceeds 64 bits; then nothing has changed.\n"
"No addition is lost. Never blocks. MemoryError may be raised after the addition, for want of memory for the result.");

PyDoc_STRVAR(compare_and_set_doc,
"compare_and_set($self, /, key, expected, new, *, ttl=None)\n--\n\n"
"Store `new` if the value of the key equals `expected`, by content. Return True if it did, False also if it is absent.\n\n"
"Numbers, also inside containers, compare as in Python. If another thread stores an equal value meanwhile, the call\n"
"compares and tries again. Raises as set() does. Never blocks.");

PyDoc_STRVAR(update_with_doc,
"update_with($self, /, key, function, default=..., *, ttl=None)\n--\n\n"
"Replace the value of a key by function(value), and return the new value.\n\n"
"default: what the function gets if the key is absent; without it, KeyError is raised then.\n\n"
"If another thread changes the entry meanwhile, the function is called again, as often as that happens, so it should\n"
"have no side effects. It is called without a lock. Raises what the function raises, and as set() does.");

PyDoc_STRVAR(get_many_doc,
"get_many($self, keys, /, *, copy=True)\n--\n\n"
"Return a dict of those of the keys that are present, and their values. Each key is read by itself.");

PyDoc_STRVAR(set_many_doc,
"set_many($self, entries, /, *, ttl=None)\n--\n\n"
"Store the entries of a mapping, or of an iterable of pairs. Each is stored by itself: an exception leaves those before\n"
"it stored. Raises as set() does.");

PyDoc_STRVAR(update_doc,
"update($self, other=(), /, **entries)\n--\n\n"
"Store the entries of a mapping, or of an iterable of pairs, and the keyword arguments, as set_many() does.");

PyDoc_STRVAR(keys_doc,
"keys($self, /)\n--\n\n"
"Return a collections.abc.KeysView, which shows the Map as it is when the view is used. Each iteration over it takes\n"
"the keys of one moment.");

PyDoc_STRVAR(values_doc,
"values($self, /)\n--\n\n"
"Return a collections.abc.ValuesView, which shows the Map as it is when the view is used. Each iteration over it takes\n"
"copies of the values of one moment.");

PyDoc_STRVAR(items_doc,
"items($self, /)\n--\n\n"
"Return a collections.abc.ItemsView, which shows the Map as it is when the view is used. Each iteration over it takes\n"
"the pairs of key and value of one moment.");

PyDoc_STRVAR(snapshot_doc,
"snapshot($self, /)\n--\n\n"
"Return a dict with copies of all entries, as they were at one moment.\n\n"
"Keys that differ by their content but are equal in Python, such as Decimal('1') and Decimal('1.0'), become one key of\n"
"the dict; iteration, keys(), values() and items(), which take a moment each time, list every entry.\n\n"
"O(entries); writes wait meanwhile, reads do not.");

PyDoc_STRVAR(wait_doc,
"wait($self, /, key, timeout=None, *, copy=True)\n--\n\n"
"Block until a key is present, and return its value.\n\n"
"timeout: seconds (int or float, not negative); None blocks indefinitely.\n\n"
"Raises ChannelTimeout if the timeout expires, and ChannelClosed while the interpreter shuts down.");

PyDoc_STRVAR(watch_doc,
"watch($self, /, key, *, copy=True)\n--\n\n"
"Return an asynchronous iterator over the value of a key, once it is present, and all later values.\n\n"
"A loop that is slower than the writers gets the newest value each time, and no value twice.");

PyDoc_STRVAR(stats_doc,
"stats($self, /)\n--\n\n"
"Return the statistics of the Map, as a MapStats.");

PyMethodDef methods[] = {
    {"get", as_method(get), METH_FASTCALL | METH_KEYWORDS, get_doc},
    {"set", as_method(set), METH_FASTCALL | METH_KEYWORDS, set_doc},
    {"setdefault", as_method(set_default), METH_FASTCALL | METH_KEYWORDS, setdefault_doc},
    {"pop", as_method(pop), METH_FASTCALL | METH_KEYWORDS, pop_doc},
    {"popitem", pop_item, METH_NOARGS, popitem_doc},
    {"clear", clear, METH_NOARGS, clear_doc},
    {"add", as_method(add), METH_FASTCALL | METH_KEYWORDS, add_doc},
    {"compare_and_set", as_method(compare_and_set), METH_FASTCALL | METH_KEYWORDS, compare_and_set_doc},
    {"update_with", as_method(update_with), METH_FASTCALL | METH_KEYWORDS, update_with_doc},
    {"get_many", as_method(map_get_many), METH_FASTCALL | METH_KEYWORDS, get_many_doc},
    {"set_many", as_method(map_set_many), METH_FASTCALL | METH_KEYWORDS, set_many_doc},
    {"update", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(update)), METH_VARARGS | METH_KEYWORDS,
     update_doc},
    {"snapshot", map_snapshot, METH_NOARGS, snapshot_doc},
    {"keys", keys, METH_NOARGS, keys_doc},
    {"values", values, METH_NOARGS, values_doc},
    {"items", items, METH_NOARGS, items_doc},
    {"wait", as_method(map_wait), METH_FASTCALL | METH_KEYWORDS, wait_doc},
    {"watch", as_method(map_watch), METH_FASTCALL | METH_KEYWORDS, watch_doc},
    {"stats", map_stats, METH_NOARGS, stats_doc},
    {"_list_keys", map_list_keys, METH_NOARGS, nullptr},
    {"_list_values", map_list_values, METH_NOARGS, nullptr},
    {"_list_items", map_list_items, METH_NOARGS, nullptr},
    {"_get", map_get_with_version, METH_VARARGS, nullptr},
    {"_join", map_join, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>(map_doc)},
    {Py_tp_new, reinterpret_cast<void*>(map_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(state_handle_dealloc)},
    {Py_tp_repr, reinterpret_cast<void*>(map_repr)},
    {Py_tp_iter, reinterpret_cast<void*>(iterate)},
    {Py_tp_methods, methods},
    {Py_sq_contains, reinterpret_cast<void*>(contains)},
    {Py_mp_length, reinterpret_cast<void*>(length)},
    {Py_mp_subscript, reinterpret_cast<void*>(subscript)},
    {Py_mp_ass_subscript, reinterpret_cast<void*>(assign)},
    {0, nullptr},
};

}  // namespace

PyType_Spec map_spec = {"xichan.Map", sizeof(StateHandle), 0,
                        Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_MAPPING, slots};

}  // namespace xichan::python

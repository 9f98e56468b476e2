// The class Cell. Named VersionedCell in the core, where a Cell is a part of a value.
#include "base/ref.h"
#include "ends/async.h"
#include "state/state_type.h"
#include "state/versioned_cell.h"
#include "state/waiting.h"
#include "value/message.h"
#include "values/decode.h"
#include "values/encode.h"

namespace xichan::python {
namespace {

// Decodes a value that the caller owns, and releases it.
PyObject* decode_owned(ModuleState& state, const Cell& value, bool copy = true) noexcept {
  PyObject* object = decode(state, value, copy);
  release(value);
  return object;
}

PyObject* cell_new(PyTypeObject* type, PyObject* args, PyObject* keywords) noexcept {
  static const char* names[] = {"value", "name", nullptr};
  PyObject *initial, *named = nullptr;
  std::string_view name;
  Cell value;
  ModuleState& state = state_of_type(type);
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "O|$O:Cell", const_cast<char**>(names), &initial, &named) ||
      !parse_channel_name(named, name) || !encode(state, initial, value)) {
    return nullptr;
  }
  HeldValue* held;
  const Status status = HeldValue::make(value, held);
  if (status != Status::ok) {
    release(value);
    return raise(state, status);
  }
  auto* object = new (std::nothrow) VersionedCell(held);
  if (object == nullptr) HeldValue::free(held);
  return new_object(state, object, name, named);
}

PyObject* get(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"copy"};
  static constexpr Signature signature{"get", names, 0, 1};
  PyObject* copy_flag = nullptr;
  bool copy = true;
  if ((count != 0 || keywords != nullptr) &&
      (!parse_arguments(signature, args, count, keywords, &copy_flag) || !parse_flag(copy_flag, copy))) {
    return nullptr;
  }
  auto* object = usable<VersionedCell>(self);
  if (object == nullptr) return nullptr;
  Cell value;
  object->get(value);
  return decode_owned(*as_state_handle(self)->state, value, copy);
}

// Encodes a value, and calls `use(object, cell)`, which takes the cell over if it returns `ok`. False with an exception
// set. Encoding may run Python code, so it comes first.
template <class Use>
bool with_encoded(PyObject* self, PyObject* value, Use use) noexcept {
  ModuleState& state = *as_state_handle(self)->state;
  Cell cell;
  if (!encode(state, value, cell)) return false;
  auto* object = usable<VersionedCell>(self);
  const Status status = object == nullptr ? Status::invalid : use(*object, cell);
  if (status == Status::ok) return true;
  release(cell);
  if (object != nullptr) raise(state, status);
  return false;
}

PyObject* set(PyObject* self, PyObject* value) noexcept {
  const bool done =
      with_encoded(self, value, [](VersionedCell& object, const Cell& cell) noexcept { return object.set(cell); });
  if (!done) return nullptr;
  Py_RETURN_NONE;
}

// The previous value is made first: if that fails, nothing has changed.
PyObject* swap(PyObject* self, PyObject* value) noexcept {
  ModuleState& state = *as_state_handle(self)->state;
  Cell fresh;
  if (!encode(state, value, fresh)) return nullptr;
  for (;;) {
    auto* object = usable<VersionedCell>(self);
    Cell previous;
    const std::uint64_t version = object == nullptr ? 0 : object->get(previous);
    Ref result(object == nullptr ? nullptr : decode_owned(state, previous));
    object = result ? usable<VersionedCell>(self) : nullptr;  // decoding may have run Python code
    bool done = false;
    const Status status = object == nullptr ? Status::ok : object->compare_and_set(version, fresh, done);
    if (status != Status::ok) raise(state, status);
    if (done) return result.release();
    if (object == nullptr || status != Status::ok || PyErr_CheckSignals() < 0) {
      release(fresh);
      return nullptr;
    }
  }
}

PyObject* get_version(PyObject* self, void*) noexcept {
  auto* object = usable<VersionedCell>(self);
  return object == nullptr ? nullptr : PyLong_FromUnsignedLongLong(object->version());
}

PyObject* compare_and_set(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"version", "value"};
  static constexpr Signature signature{"compare_and_set", names, 2, 2};
  PyObject* values[2];
  std::uint64_t version;
  if (!parse_arguments(signature, args, count, keywords, values) ||
      !parse_int("version", values[0], 0, INT64_MAX, version)) {
    return nullptr;
  }
  bool done = false;
  const bool ok = with_encoded(self, values[1], [&](VersionedCell& object, const Cell& cell) noexcept {
    const Status status = object.compare_and_set(version, cell, done);
    if (status == Status::ok && !done) release(cell);
    return status;
  });
  return ok ? PyBool_FromLong(done) : nullptr;
}

PyObject* update(PyObject* self, PyObject* function) noexcept {
  ModuleState& state = *as_state_handle(self)->state;
  for (;;) {
    auto* object = usable<VersionedCell>(self);
    if (object == nullptr) return nullptr;
    Cell value;
    const std::uint64_t version = object->get(value);
    const Ref before(decode_owned(state, value));
    if (!before) return nullptr;
    Ref after(PyObject_CallOneArg(function, before.get()));
    if (!after) return nullptr;
    bool done = false;
    const bool ok = with_encoded(self, after.get(), [&](VersionedCell& cell, const Cell& fresh) noexcept {
      const Status status = cell.compare_and_set(version, fresh, done);
      if (status == Status::ok && !done) release(fresh);
      return status;
    });
    if (!ok) return nullptr;
    if (done) return after.release();
    if (PyErr_CheckSignals() < 0) return nullptr;
  }
}

PyObject* wait(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"version", "timeout"};
  static constexpr Signature signature{"wait", names, 1, 2};
  PyObject* values[2];
  Request request;
  Timeout timeout;
  if (!parse_arguments(signature, args, count, keywords, values) ||
      !parse_int("version", values[0], 0, INT64_MAX, request.wanted) || !parse_timeout(values[1], timeout)) {
    return nullptr;
  }
  auto* object = usable<VersionedCell>(self);
  if (object == nullptr) return nullptr;
  ModuleState& state = *as_state_handle(self)->state;
  request.answer = object->version();
  Status status = request.answer == request.wanted ? Status::timeout : Status::ok;
  if (status != Status::ok && !timeout.now && !wait_admitted(state, *object, request, timeout, status)) return nullptr;
  if (status != Status::ok)
    return raise(state, status, status == Status::timeout ? "the value has not changed" : nullptr);
  return PyLong_FromUnsignedLongLong(request.answer);
}

// _get(copy) -> (version, value).
PyObject* get_with_version(PyObject* self, PyObject* copy) noexcept {
  auto* object = usable<VersionedCell>(self);
  if (object == nullptr) return nullptr;
  Cell value;
  const std::uint64_t version = object->get(value);
  Ref decoded(decode_owned(*as_state_handle(self)->state, value, copy == Py_True));
  return decoded ? Py_BuildValue("KN", static_cast<unsigned long long>(version), decoded.release()) : nullptr;
}

// _join(notifier, key, ticket, version).
PyObject* join(PyObject* self, PyObject* args) noexcept {
  PyObject* notifier;
  unsigned long long key, ticket, version;
  if (!PyArg_ParseTuple(args, "OKKK:_join", &notifier, &key, &ticket, &version)) return nullptr;
  auto* object = usable<VersionedCell>(self);
  if (object == nullptr) return nullptr;
  return join_queue(*as_state_handle(self)->state, *object, {.wanted = version, .ticket = ticket}, notifier, key);
}

PyObject* watch(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  return delegate("xichan._state", "watch_cell", self, args, count, keywords);
}

PyObject* cell_repr(PyObject* self) noexcept {
  const StateObject* object = as_state_handle(self)->reference->object();
  if (object == nullptr || object->is_inherited()) return repr_of(self, "");
  const auto version = static_cast<VersionedCell*>(as_state_handle(self)->reference->object())->version();
  return repr_of(self, " version %llu", static_cast<unsigned long long>(version));
}

PyDoc_STRVAR(cell_doc,
"Cell(value, *, name=None)\n--\n\n"
"A value that all interpreters read and replace: configuration, the latest result, state that is updated.\n\n"
"value: any shareable value. It is immutable inside: get() returns a copy or a view, and set() replaces it as a whole.\n"
"name: str, under which Cell.lookup() finds it in every interpreter; None for no name.\n\n"
"Raises NotShareableError as send() does, MemoryLimitExceeded, MemoryError, and Error if the name is in use. Reading\n"
"never waits for writers. Only wait() and watch() block. Thread-safe.");

PyDoc_STRVAR(get_doc,
"get($self, /, copy=True)\n--\n\n"
"Return the value.\n\n"
"copy: bool; False returns a view of a large str, bytes, tuple, ..., which costs the same for any size.\n\n"
"Raises DecodeError if the value cannot be made here. Never blocks.");

PyDoc_STRVAR(set_doc,
"set($self, value, /)\n--\n\n"
"Replace the value, and add 1 to the version.\n\n"
"Raises NotShareableError, MemoryLimitExceeded and MemoryError, and then changes nothing. Never blocks.");

PyDoc_STRVAR(swap_doc,
"swap($self, value, /)\n--\n\n"
"Replace the value, and return the previous one.\n\n"
"Raises as set() does, and DecodeError if the previous value cannot be made here; then nothing has changed.");

PyDoc_STRVAR(compare_and_set_doc,
"compare_and_set($self, /, version, value)\n--\n\n"
"Replace the value if the version is still `version`. Return True if it was.\n\n"
"Raises as set() does. Never blocks.");

PyDoc_STRVAR(update_doc,
"update($self, function, /)\n--\n\n"
"Replace the value by function(value), and return the new value.\n\n"
"If another thread replaces the value meanwhile, the function is called again with that value, so it should have no\n"
"side effects. It is called without a lock. Raises what the function raises, and as set() does.");

PyDoc_STRVAR(wait_doc,
"wait($self, /, version, timeout=None)\n--\n\n"
"Block until the version is no longer `version`, and return the new one.\n\n"
"timeout: seconds (int or float, not negative); None blocks indefinitely.\n\n"
"Raises ChannelTimeout if the timeout expires, and ChannelClosed while the interpreter shuts down.");

PyDoc_STRVAR(watch_doc,
"watch($self, /, *, copy=True)\n--\n\n"
"Return an asynchronous iterator over the value now and all later values.\n\n"
"A loop that is slower than the writers gets the newest value each time, and no value twice.");

PyMethodDef methods[] = {
    {"get", as_method(get), METH_FASTCALL | METH_KEYWORDS, get_doc},
    {"set", set, METH_O, set_doc},
    {"swap", swap, METH_O, swap_doc},
    {"compare_and_set", as_method(compare_and_set), METH_FASTCALL | METH_KEYWORDS, compare_and_set_doc},
    {"update", update, METH_O, update_doc},
    {"wait", as_method(wait), METH_FASTCALL | METH_KEYWORDS, wait_doc},
    {"_get", get_with_version, METH_O, nullptr},
    {"_join", join, METH_VARARGS, nullptr},
    {"watch", as_method(watch), METH_FASTCALL | METH_KEYWORDS, watch_doc},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef properties[] = {
    {"version", get_version, nullptr, "int: how often the value was set, from 1 on.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>(cell_doc)},
    {Py_tp_new, reinterpret_cast<void*>(cell_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(state_handle_dealloc)},
    {Py_tp_repr, reinterpret_cast<void*>(cell_repr)},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {0, nullptr},
};

}  // namespace

PyType_Spec cell_spec = {"xichan.Cell", sizeof(StateHandle), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, slots};

}  // namespace xichan::python

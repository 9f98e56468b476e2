#include "state/state_type.h"

#include <array>
#include <cstdarg>
#include <cstring>

#include "base/arguments.h"
#include "base/ref.h"
#include "directory/process.h"
#include "directory/tickets.h"
#include "ends/transport.h"
#include "state/condition.h"
#include "state/lock.h"
#include "value/message.h"
#include "values/decode.h"
#include "values/encode.h"

namespace xichan::python {
namespace {

struct Kind {
  StateKind kind;
  PyType_Spec* spec;
};
// In the order of their documentation.
constexpr Kind kinds[] = {
    {StateKind::atomic_int, &atomic_int_spec},
    {StateKind::cell, &cell_spec},
    {StateKind::map, &map_spec},
    {StateKind::lock, &lock_spec},
    {StateKind::rlock, &rlock_spec},
    {StateKind::semaphore, &semaphore_spec},
    {StateKind::event, &event_spec},
    {StateKind::barrier, &barrier_spec},
    {StateKind::condition, &condition_spec},
    {StateKind::broadcast, &broadcast_spec},
    {StateKind::broadcast_sender, &broadcast_sender_spec},
    {StateKind::broadcast_receiver, &broadcast_receiver_spec},
};

PyObject* state_new(PyTypeObject* type, PyObject*, PyObject*) noexcept {
  PyErr_Format(PyExc_TypeError, "cannot create '%s' instances", type->tp_name);
  return nullptr;
}

const char* class_name(PyObject* self) noexcept {
  const char* name = Py_TYPE(self)->tp_name;
  const char* dot = std::strrchr(name, '.');
  return dot == nullptr ? name : dot + 1;
}

PyObject* state_name(PyObject* self, void*) noexcept {
  const StateObject* object = usable_object(self);
  if (object == nullptr) return nullptr;
  if (object->name().empty()) Py_RETURN_NONE;
  return PyUnicode_FromStringAndSize(object->name().data(), static_cast<Py_ssize_t>(object->name().size()));
}

PyObject* state_repr(PyObject* self) noexcept { return repr_of(self, ""); }

Py_hash_t state_hash(PyObject* self) noexcept {
  return static_cast<Py_hash_t>(as_state_handle(self)->reference->number());
}

PyObject* state_compare(PyObject* self, PyObject* other, int op) noexcept {
  if ((op != Py_EQ && op != Py_NE) || !is_state_handle(other)) Py_RETURN_NOTIMPLEMENTED;
  const bool same = as_state_handle(self)->reference->number() == as_state_handle(other)->reference->number();
  return PyBool_FromLong(same == (op == Py_EQ));
}

// lookup(name, timeout=0): a class method, whose class chooses the kind.
template <StateKind kind>
PyObject* open_kind(ModuleState& state, const Names::Found& found) noexcept {
  if (found.kind != NameKind::state || found.object->kind() != kind) return nullptr;
  found.object->retain();
  return new_state_handle(state, found.object);
}

template <std::size_t... number>
constexpr auto make_openers(std::index_sequence<number...>) noexcept {
  return std::array{&open_kind<static_cast<StateKind>(number)>...};
}
constexpr auto openers = make_openers(std::make_index_sequence<state_kind_count>());

PyObject* state_lookup(PyObject* type, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  const ModuleState& state = state_of_type(reinterpret_cast<PyTypeObject*>(type));
  for (std::size_t i = 0; i < openers.size(); ++i) {
    if (state.state_types[i] != reinterpret_cast<PyTypeObject*>(type)) continue;
    return look_up_class(type, {reinterpret_cast<PyTypeObject*>(type)->tp_name, openers[i]}, args, count, keywords);
  }
  return PyErr_Format(PyExc_TypeError, "call lookup() on one of its subclasses, not %N", type);
}

// A pickle holds a ticket, which the first load claims. Later loads find the object as long as it exists: by number.
PyObject* state_reduce(PyObject* self, PyObject*) noexcept {
  const StateHandle* handle = as_state_handle(self);
  const StateObject* object = usable_object(self);
  if (object == nullptr) return nullptr;
  Cell value;
  if (!encode(*handle->state, self, value)) return nullptr;
  const std::uint64_t ticket = Tickets::issue(value, nullptr, &handle->state->endpoints->owner);
  if (ticket == 0) {
    release(value);
    return PyErr_NoMemory();
  }
  return Py_BuildValue("O(KKK)", handle->state->unpickle_state, static_cast<unsigned long long>(Process::nonce()),
                       static_cast<unsigned long long>(ticket), static_cast<unsigned long long>(object->number()));
}

PyObject* unpickle_state(PyObject* module, PyObject* args) noexcept {
  ModuleState& state = *state_of(module);
  unsigned long long nonce, ticket, number;
  if (!PyArg_ParseTuple(args, "KKK:_unpickle_state", &nonce, &ticket, &number)) return nullptr;
  if (nonce != Process::nonce()) return raise(state, Status::not_found, "the object was pickled in another process");
  Cell value;
  if (Tickets::claim(ticket, value)) {
    PyObject* object = decode(state, value);
    release(value);
    return object;
  }
  StateObject* const object = StateObjects::find(number);
  if (object != nullptr) return new_state_handle(state, object);
  return raise(state, Status::not_found, "the pickled object no longer exists");
}

PyObject* objects(PyObject* module, PyObject*) noexcept {
  ModuleState& state = *state_of(module);
  Ref list(PyList_New(0));
  if (!list) return nullptr;
  StateObjects::for_each([&](StateObject& object) noexcept {
    if (PyErr_Occurred() || state.type_of(object.kind()) == nullptr) return;
    object.retain();
    const Ref handle(new_state_handle(state, &object));
    if (handle) PyList_Append(list.get(), handle.get());
  });
  return PyErr_Occurred() ? nullptr : list.release();
}

// For the tests: the number of calls that wait for an object.
PyObject* count_waiting(PyObject*, PyObject* object) noexcept {
  if (!is_state_handle(object)) return PyErr_Format(PyExc_TypeError, "expected a state object, got %T", object);
  const StateObject* const state = usable_object(object);
  return state == nullptr ? nullptr : PyLong_FromUnsignedLong(state->waiting());
}

// _lock_holder(lock or condition) -> None if it is free, else (interpreter or -1, native id of the thread or 0).
PyObject* lock_holder(PyObject*, PyObject* object) noexcept {
  if (!is_state_handle(object)) return PyErr_Format(PyExc_TypeError, "expected a state object, got %T", object);
  StateObject* const state = usable_object(object);
  if (state == nullptr) return nullptr;
  const SharedLock* lock = nullptr;
  if (state->kind() == StateKind::condition) lock = &static_cast<SharedCondition*>(state)->guard();
  if (state->kind() == StateKind::lock || state->kind() == StateKind::rlock) lock = static_cast<SharedLock*>(state);
  const Token token = lock == nullptr ? Token{} : lock->token();
  if (token.word == 0) Py_RETURN_NONE;
  std::int64_t interpreter = -1;
  EndpointOwner::for_each([&](const EndpointOwner& owner) noexcept {
    if (owner.number == token.owner()) interpreter = owner.interpreter.load(memory_order_relaxed);
  });
  return Py_BuildValue("(LI)", static_cast<long long>(interpreter), EndpointOwner::thread_of_unit(token.unit()));
}

// _object_number(object) -> its number, which waits show.
PyObject* object_number(PyObject*, PyObject* object) noexcept {
  if (!is_state_handle(object)) return PyErr_Format(PyExc_TypeError, "expected a state object, got %T", object);
  return PyLong_FromUnsignedLongLong(as_state_handle(object)->reference->number());
}

PyDoc_STRVAR(state_doc, "The common base class of the objects that interpreters share.");

PyDoc_STRVAR(lookup_doc,
"lookup($type, /, name, timeout=0)\n--\n\n"
"Return the object of this class that was created with a name.\n\n"
"timeout: seconds (int or float, not negative) to wait for the name; None blocks indefinitely, 0 does not block.\n\n"
"Raises NotFound if no object of the class has the name. A name does not keep its object alive. Thread-safe.");

PyDoc_STRVAR(reduce_doc,
"__reduce__($self, /)\n--\n\n"
"Support pickle and copy within this process: the copy is the same object.");

PyDoc_STRVAR(objects_doc,
"objects($module, /)\n--\n\n"
"Return the objects of all classes that interpreters share, such as Cell and Lock, as a list, oldest first.\n\n"
"Never blocks.");

PyMethodDef methods[] = {
    {"lookup", as_method(state_lookup), METH_FASTCALL | METH_KEYWORDS | METH_CLASS, lookup_doc},
    {"__reduce__", state_reduce, METH_NOARGS, reduce_doc},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef properties[] = {
    {"name", state_name, nullptr, "str or None: the name under which lookup() finds the object.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyMemberDef members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(StateHandle, weak_references), Py_READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>(state_doc)},
    {Py_tp_new, reinterpret_cast<void*>(state_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(state_handle_dealloc)},
    {Py_tp_repr, reinterpret_cast<void*>(state_repr)},
    {Py_tp_hash, reinterpret_cast<void*>(state_hash)},
    {Py_tp_richcompare, reinterpret_cast<void*>(state_compare)},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {Py_tp_members, members},
    {0, nullptr},
};

}  // namespace

PyType_Spec state_spec = {"xichan._core._State", sizeof(StateHandle), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
                          slots};

int finish_state_type(PyTypeObject* type) noexcept {
  type->tp_flags |= Py_TPFLAGS_IMMUTABLETYPE;
  PyType_Modified(type);
  return 0;
}

PyObject* new_object(ModuleState& state, StateObject* object, std::string_view name, PyObject* named) noexcept {
  if (object == nullptr) return PyErr_NoMemory();
  Status status = Status::ok;
  if (name.empty()) {
    StateObjects::add(*object);
  } else {
    status = Names::add_state(name, *object);
  }
  if (status == Status::ok) return new_state_handle(state, object);
  object->release();
  return raise_name(state, status, named);
}

void close_state_handle(PyObject* self, StateObject& waits_at) noexcept {
  const StateHandle* handle = as_state_handle(self);
  waits_at.retain();
  handle->reference->abandon();
  waits_at.nudge(handle->state->endpoints->owner.exiting_flag());
  waits_at.release();
}

StateObject* open_object(PyObject* self, const char* closed) noexcept {
  const StateHandle* handle = as_state_handle(self);
  if (handle->reference->object() == nullptr && !handle->state->endpoints->owner.has_ended()) {
    raise(*handle->state, Status::end_closed, closed);
    return nullptr;
  }
  return usable_object(self);
}

PyObject* repr_of(PyObject* self, const char* format, ...) noexcept {
  const StateObject* object = as_state_handle(self)->reference->object();
  if (object == nullptr || object->is_inherited())
    return PyUnicode_FromFormat("<xichan.%s unusable>", class_name(self));
  va_list args;
  va_start(args, format);
  const Ref details(PyUnicode_FromFormatV(format, args));
  va_end(args);
  const Ref name(state_name(self, nullptr));
  if (!details || !name) return nullptr;
  if (name.get() != Py_None)
    return PyUnicode_FromFormat("<xichan.%s %R%U>", class_name(self), name.get(), details.get());
  return PyUnicode_FromFormat("<xichan.%s #%llu%U>", class_name(self),
                              static_cast<unsigned long long>(object->number()), details.get());
}

int add_state_types(PyObject* module, ModuleState& state) noexcept {
  const Ref base(PyType_FromModuleAndSpec(module, &state_spec, nullptr));
  auto* base_type = reinterpret_cast<PyTypeObject*>(base.get());
  if (!base || finish_state_type(base_type) < 0 || PyModule_AddType(module, base_type) < 0) return -1;
  for (const Kind& kind : kinds) {
    PyObject* type = PyType_FromModuleAndSpec(module, kind.spec, base.get());
    if (type == nullptr) return -1;
    state.state_types[static_cast<int>(kind.kind)] = reinterpret_cast<PyTypeObject*>(type);
    if (PyModule_AddType(module, reinterpret_cast<PyTypeObject*>(type)) < 0) return -1;
    if (register_type(reinterpret_cast<PyTypeObject*>(type)) < 0) return -1;
  }
  return 0;
}

PyMethodDef state_functions[] = {
    {"objects", objects, METH_NOARGS, objects_doc},
    {"broadcast", as_method(broadcast), METH_FASTCALL | METH_KEYWORDS, broadcast_doc},
    {"_unpickle_state", unpickle_state, METH_VARARGS, nullptr},
    {"_waiting", count_waiting, METH_O, nullptr},
    {"_lock_holder", lock_holder, METH_O, nullptr},
    {"_object_number", object_number, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace xichan::python

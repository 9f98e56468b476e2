// The cross-interpreter protocol of the standard library and pickle both carry the number of a ticket
// (directory/tickets.h), never an address: a transport may drop what it carries, or return it late.
#include "ends/transport.h"

#include "base/handle.h"
#include "base/ref.h"
#include "directory/process.h"
#include "directory/registry.h"
#include "directory/tickets.h"
#include "value/message.h"
#include "values/decode.h"
#include "values/encode.h"

// Private to CPython but exported, and the only way to support concurrent.interpreters. Declared weak and checked for
// null: without them, pickle still works. The layout is the same from 3.12 to 3.15.
extern "C" {
struct xichan_xidata {
  void* data;
  PyObject* obj;
  int64_t interpid;
  PyObject* (*new_object)(xichan_xidata*);
  void (*free)(void*);
};

#if PY_VERSION_HEX >= 0x030E0000
struct xichan_getdata {
  int (*basic)(PyThreadState*, PyObject*, xichan_xidata*);
  int (*fallback)(PyThreadState*, PyObject*, int, xichan_xidata*);
};
__attribute__((weak)) int _PyXIData_RegisterClass(PyThreadState*, PyTypeObject*, xichan_getdata);
#else
__attribute__((weak)) int _PyCrossInterpreterData_RegisterClass(PyTypeObject*,
                                                                int (*)(PyThreadState*, PyObject*, xichan_xidata*));
#endif
}

namespace xichan::python {
namespace {

constexpr const char* lost = "the endpoint was already claimed, or was released when its interpreter was finalized";

// Returns the number of a new ticket for `object`; 0 with an exception set on failure.
std::uint64_t issue_ticket(const ModuleState& state, PyObject* object) noexcept {
  Cell value;
  if (!encode(state, object, value)) return 0;
  const Channel* channel = is_handle(state, object) ? as_handle(object)->endpoint->channel() : nullptr;
  const std::uint64_t number = Tickets::issue(value, channel, &state.endpoints->owner);
  if (number != 0) return number;
  release(value);
  PyErr_NoMemory();
  return 0;
}

// Returns the value of a claimed ticket, as a view if a view was transferred. Releases the value, also on failure.
PyObject* redeem(ModuleState& state, const Cell& value) noexcept {
  PyObject* object = decode(state, value, false);
  release(value);
  return object;
}

std::uint64_t number_of(const void* data) noexcept { return reinterpret_cast<std::uintptr_t>(data); }

void free_ticket(void* data) noexcept { Tickets::cancel(number_of(data)); }

// Runs in the receiving interpreter.
PyObject* adopt_ticket(xichan_xidata* data) noexcept {
  ModuleState* state = import_state();
  if (state == nullptr) return nullptr;
  Cell value;
  const bool claimed = Tickets::claim(number_of(data->data), value);
  data->data = nullptr;  // the ticket is used up, so `free` must not cancel it
  return claimed ? redeem(*state, value) : raise(*state, Status::not_found, lost);
}

// Runs in the sending interpreter.
int fill_data(PyThreadState*, PyObject* object, xichan_xidata* data) noexcept {
  const ModuleState* state = import_state();
  const std::uint64_t number = state == nullptr ? 0 : issue_ticket(*state, object);
  if (number == 0) return -1;
  data->data = reinterpret_cast<void*>(static_cast<std::uintptr_t>(number));
  data->obj = nullptr;
  data->new_object = adopt_ticket;
  data->free = free_ticket;
  return 0;
}

int register_type(PyTypeObject* type) noexcept {
#if PY_VERSION_HEX >= 0x030E0000
  if (_PyXIData_RegisterClass == nullptr) return 0;
  return _PyXIData_RegisterClass(PyThreadState_Get(), type, {fill_data, nullptr});
#else
  if (_PyCrossInterpreterData_RegisterClass == nullptr) return 0;
  return _PyCrossInterpreterData_RegisterClass(type, fill_data);
#endif
}

// Finds the slot `_parts` of a class whose instances need no more than an allocation. False with TypeError set.
bool find_queue_slot(PyObject* type, Py_ssize_t& offset) noexcept {
  if (PyType_Check(type) && reinterpret_cast<PyTypeObject*>(type)->tp_new == PyBaseObject_Type.tp_new) {
    const Ref slot(PyObject_GetAttrString(type, "_parts"));
    if (!slot) return false;
    if (Py_IS_TYPE(slot.get(), &PyMemberDescr_Type) &&
        PyDescr_TYPE(slot.get()) == reinterpret_cast<PyTypeObject*>(type)) {
      const PyMemberDef* member = reinterpret_cast<PyMemberDescrObject*>(slot.get())->d_member;
      offset = member->offset;
      if (member->type == Py_T_OBJECT_EX) return true;
    }
  }
  PyErr_Format(PyExc_TypeError, "expected a class with the slot '_parts', got %R", type);
  return false;
}

// _register_queue(type): called by xichan/_queue.py. An instance is sent as its `_parts`, a tuple.
PyObject* register_queue(PyObject* module, PyObject* type) noexcept {
  ModuleState& state = *state_of(module);
  Py_ssize_t offset;
  if (!find_queue_slot(type, offset)) return nullptr;
  PyTypeObject* const before = state.queue_type;  // of an earlier import
  state.queue_type = reinterpret_cast<PyTypeObject*>(Py_NewRef(type));
  state.queue_slot = offset;
  Py_XDECREF(before);
  if (register_type(state.queue_type) < 0) return nullptr;
  Py_RETURN_NONE;
}

// _unpickle_end(id, nonce, ticket, type): the first call claims the ticket, later calls open another endpoint.
PyObject* unpickle_endpoint(PyObject* module, PyObject* args) noexcept {
  ModuleState& state = *state_of(module);
  PyObject* id_object;
  unsigned long long nonce, number;
  PyObject* type;
  ChannelId id;
  if (!PyArg_ParseTuple(args, "OKKO:_unpickle_end", &id_object, &nonce, &number, &type) || !parse_id(id_object, id)) {
    return nullptr;
  }
  if (nonce != Process::nonce()) return raise(state, Status::not_found, "the endpoint was pickled in another process");
  const Side side = type == reinterpret_cast<PyObject*>(state.sender_type) ? Side::sender : Side::receiver;
  Cell value;
  if (Tickets::claim(number, value)) return redeem(state, value);
  Channel* channel = Registry::open(id, side);
  if (channel == nullptr) return raise(state, Status::not_found, lost);
  return new_handle(state, channel, side);
}

}  // namespace

int register_with_interpreters(ModuleState& state) noexcept {
  for (PyTypeObject* type :
       {state.sender_type, state.receiver_type, state.type_of(ValueType::tuple), state.type_of(ValueType::bytes),
        state.type_of(ValueType::str), state.type_of(ValueType::shared)}) {
    if (register_type(type) < 0) return -1;
  }
  return 0;
}

PyObject* endpoint_reduce(PyObject* self, PyObject*) noexcept {
  const Handle* handle = as_handle(self);
  const std::uint64_t number = issue_ticket(*handle->state, self);
  if (number == 0) return nullptr;
  const Ref id(id_as_int(handle->endpoint->id()));
  PyObject* reduced = id ? Py_BuildValue("O(OKKO)", handle->state->unpickle, id.get(),
                                         static_cast<unsigned long long>(Process::nonce()),
                                         static_cast<unsigned long long>(number), Py_TYPE(self))
                         : nullptr;
  if (reduced == nullptr) Tickets::cancel(number);
  return reduced;
}

PyMethodDef transport_functions[] = {
    {"_unpickle_end", unpickle_endpoint, METH_VARARGS, nullptr},
    {"_register_queue", register_queue, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace xichan::python

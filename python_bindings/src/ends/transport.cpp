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

// Issues a ticket for `object`, under a reserved number unless that is 0. Returns its number; 0 with an exception set
// on failure.
std::uint64_t issue_ticket(const ModuleState& state, PyObject* object, std::uint64_t reserved = 0) noexcept {
  Cell value;
  if (!encode(state, object, value)) return 0;
  const Endpoint* endpoint = is_handle(state, object) ? as_handle(object)->endpoint : nullptr;
  const Channel* channel = endpoint == nullptr ? nullptr : endpoint->channel();
  const Side side = endpoint == nullptr ? Side::sender : endpoint->side();
  const std::uint64_t number = Tickets::issue(value, channel, &state.endpoints->owner, side, reserved);
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

// The last argument of a reduced endpoint; its pickle is a bool, whether the endpoint is a Sender. The ticket is issued
// when a pickler writes this object: __reduce__() of the endpoint only reserves a number.
struct TicketObject {
  PyObject_HEAD
  PyObject* handle;
  std::uint64_t number;
  bool issued;
};

TicketObject* as_ticket(PyObject* object) noexcept { return reinterpret_cast<TicketObject*>(object); }

PyObject* ticket_reduce(PyObject* self, PyObject*) noexcept {
  TicketObject* ticket = as_ticket(self);
  const Handle* handle = as_handle(ticket->handle);
  PyObject* reduced = Py_BuildValue("O(O)", reinterpret_cast<PyObject*>(&PyBool_Type),
                                    handle->endpoint->side() == Side::sender ? Py_True : Py_False);
  if (reduced == nullptr) return nullptr;
  ticket->issued = issue_ticket(*handle->state, ticket->handle, ticket->number) != 0;
  if (!ticket->issued) Py_CLEAR(reduced);
  return reduced;
}

// A pickler keeps what it has written until it is destroyed. If it fails, the functions dumps() destroy it while its
// exception is raised; then no reader will ever get the pickle, so its tickets are released.
void ticket_dealloc(PyObject* self) noexcept {
  PyTypeObject* type = Py_TYPE(self);
  if (as_ticket(self)->issued && PyErr_Occurred()) Tickets::cancel(as_ticket(self)->number);
  Py_DECREF(as_ticket(self)->handle);
  type->tp_free(self);
  Py_DECREF(type);
}

PyMethodDef ticket_methods[] = {
    {"__reduce__", ticket_reduce, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};
PyType_Slot ticket_slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(ticket_dealloc)},
    {Py_tp_methods, ticket_methods},
    {0, nullptr},
};

// _unpickle_end(id, nonce, ticket, side): the first call claims the ticket, later calls open another endpoint, and so
// do calls without a pickle, in which `side` is a TicketObject whose ticket was not issued.
PyObject* unpickle_endpoint(PyObject* module, PyObject* args) noexcept {
  ModuleState& state = *state_of(module);
  PyObject* id_object;
  unsigned long long nonce, number;
  PyObject* side_object;
  ChannelId id;
  if (!PyArg_ParseTuple(args, "OKKO:_unpickle_end", &id_object, &nonce, &number, &side_object) ||
      !parse_id(id_object, id)) {
    return nullptr;
  }
  if (nonce != Process::nonce()) return raise(state, Status::not_found, "the endpoint was pickled in another process");
  const Side side = Py_IS_TYPE(side_object, state.ticket_type)
                        ? as_handle(as_ticket(side_object)->handle)->endpoint->side()
                        : (side_object == Py_True ? Side::sender : Side::receiver);
  Cell value;
  if (Tickets::claim(number, value)) return redeem(state, value);
  Channel* channel = Registry::open(id, side);
  if (channel == nullptr) return raise(state, Status::not_found, lost);
  return new_handle(state, channel, side);
}

}  // namespace

int register_type(PyTypeObject* type) noexcept {
#if PY_VERSION_HEX >= 0x030E0000
  if (_PyXIData_RegisterClass == nullptr) return 0;
  return _PyXIData_RegisterClass(PyThreadState_Get(), type, {fill_data, nullptr});
#else
  if (_PyCrossInterpreterData_RegisterClass == nullptr) return 0;
  return _PyCrossInterpreterData_RegisterClass(type, fill_data);
#endif
}

int register_with_interpreters(ModuleState& state) noexcept {
  for (PyTypeObject* type :
       {state.sender_type, state.receiver_type, state.type_of(ValueType::tuple), state.type_of(ValueType::list),
        state.type_of(ValueType::dict), state.type_of(ValueType::set), state.type_of(ValueType::record),
        state.type_of(ValueType::array), state.type_of(ValueType::bytes), state.type_of(ValueType::str),
        state.type_of(ValueType::shared)}) {
    if (register_type(type) < 0) return -1;
  }
  return 0;
}

PyObject* endpoint_reduce(PyObject* self, PyObject*) noexcept {
  const Handle* handle = as_handle(self);
  if (!check_open(handle)) return nullptr;
  const Ref id(id_as_int(handle->endpoint->id()));
  if (!id) return nullptr;
  TicketObject* ticket = PyObject_New(TicketObject, handle->state->ticket_type);
  if (ticket == nullptr) return nullptr;
  ticket->handle = Py_NewRef(self);
  ticket->number = Tickets::reserve();
  ticket->issued = false;
  return Py_BuildValue("O(OKKN)", handle->state->unpickle, id.get(), static_cast<unsigned long long>(Process::nonce()),
                       static_cast<unsigned long long>(ticket->number), reinterpret_cast<PyObject*>(ticket));
}

PyObject* cancel_tickets(PyObject* self, PyObject*) noexcept {
  if (!check_open(as_handle(self))) return nullptr;
  const Endpoint& endpoint = *as_handle(self)->endpoint;
  return PyLong_FromUnsignedLongLong(Tickets::cancel_endpoints(endpoint.channel(), endpoint.side()));
}

PyType_Spec ticket_spec = {"xichan._core._Ticket", sizeof(TicketObject), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                           ticket_slots};

PyMethodDef transport_functions[] = {
    {"_unpickle_end", unpickle_endpoint, METH_VARARGS, nullptr},
    {"_register_queue", register_queue, METH_O, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace xichan::python

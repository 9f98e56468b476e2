// Ends, queues and views in somebody else's hands: the cross-interpreter protocol of the standard library, and pickle.
// Both carry the number of a ticket (channel/ticket.h), never an address: a transport may drop it or give it back late.
#include "base/handle.h"
#include "directory/process.h"
#include "directory/registry.h"
#include "directory/tickets.h"
#include "value/message.h"
#include "values/decode.h"
#include "values/encode.h"

// Private to CPython but exported, and the only way to be shareable through concurrent.interpreters. Declared weak and
// tested: a version that lacks them still has pickle. The layout has been the same from 3.12 to 3.15.
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

constexpr const char* lost = "what was handed over was received already, or given back when its interpreter ended";

// 0 with an exception set on failure.
std::uint64_t issue_ticket(const ModuleState& state, PyObject* object) noexcept {
  Cell value;
  if (!encode(state, object, value)) return 0;
  const bool is_end = Py_IS_TYPE(object, state.sender_type) || Py_IS_TYPE(object, state.receiver_type);
  const Channel* channel = is_end ? as_handle(object)->end->channel() : nullptr;
  const std::uint64_t number = Tickets::issue(value, channel, &state.ends->owner);
  if (number != 0) return number;
  release(value);
  PyErr_NoMemory();
  return 0;
}

// The value of a claimed ticket: a view, if it was handed over as one. If there is no memory for it, it is given back.
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
  data->data = nullptr;  // nothing is left for `free` to give back
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

}  // namespace

// _register_queue(type): called by xichan/_queue.py. Its instances travel as their `_parts`, a tuple.
PyObject* register_queue(PyObject* module, PyObject* type) noexcept {
  ModuleState& state = *state_of(module);
  if (!PyType_Check(type)) return PyErr_Format(PyExc_TypeError, "a type, not %T", type);
  Py_XSETREF(state.queue_type, Py_NewRef(type));
  if (register_type(reinterpret_cast<PyTypeObject*>(type)) < 0) return nullptr;
  Py_RETURN_NONE;
}

int register_with_interpreters(ModuleState& state) noexcept {
  for (PyTypeObject* type :
       {state.sender_type, state.receiver_type, state.type_of(ValueType::tuple), state.type_of(ValueType::bytes),
        state.type_of(ValueType::str), state.type_of(ValueType::shared)}) {
    if (register_type(type) < 0) return -1;
  }
  return 0;
}

PyObject* end_reduce(PyObject* self, PyObject*) noexcept {
  const Handle* handle = as_handle(self);
  const std::uint64_t number = issue_ticket(*handle->state, self);
  if (number == 0) return nullptr;
  PyObject* id = id_as_int(handle->end->id());
  PyObject* reduced = id == nullptr ? nullptr
                                    : Py_BuildValue("O(NKKO)", handle->state->unpickle, id,
                                                    static_cast<unsigned long long>(Process::nonce()),
                                                    static_cast<unsigned long long>(number), Py_TYPE(self));
  if (reduced == nullptr) Tickets::cancel(number);
  return reduced;
}

// _unpickle_end(id, nonce, ticket, type): the first call adopts the ticket's count, later ones open a further end.
PyObject* unpickle_end(PyObject* module, PyObject* args) noexcept {
  ModuleState& state = *state_of(module);
  PyObject* id_object;
  unsigned long long nonce, number;
  PyObject* type;
  ChannelId id;
  if (!PyArg_ParseTuple(args, "OKKO:_unpickle_end", &id_object, &nonce, &number, &type) || !parse_id(id_object, id)) {
    return nullptr;
  }
  if (nonce != Process::nonce()) return raise(state, Status::not_found, "this end was pickled in another process");
  const Side side = type == reinterpret_cast<PyObject*>(state.sender_type) ? Side::sender : Side::receiver;
  Cell value;
  if (Tickets::claim(number, value)) return redeem(state, value);
  Channel* channel = Registry::open(id, side);
  if (channel == nullptr) return raise(state, Status::not_found, lost);
  return new_handle(state, channel, side);
}

}  // namespace xichan::python

#include "ends/async.h"

namespace xichan::python {
namespace {

// Calls a function of xichan._aio with `self` before the arguments; it returns a coroutine.
PyObject* delegate(const char* name, PyObject* self, PyObject* const* args, Py_ssize_t count,
                   PyObject* keywords) noexcept {
  PyObject* module = PyImport_ImportModule("xichan._aio");
  PyObject* function = module == nullptr ? nullptr : PyObject_GetAttrString(module, name);
  Py_XDECREF(module);
  if (function == nullptr) return nullptr;
  const Py_ssize_t named = keywords == nullptr ? 0 : PyTuple_GET_SIZE(keywords);
  PyObject* stack[8] = {self};
  PyObject* coroutine = nullptr;
  if (count + named < 8) {
    for (Py_ssize_t i = 0; i < count + named; ++i) stack[i + 1] = args[i];
    coroutine = PyObject_Vectorcall(function, stack, static_cast<std::size_t>(count) + 1, keywords);
  } else {
    PyErr_Format(PyExc_TypeError, "%s() got too many arguments", name);
  }
  Py_DECREF(function);
  return coroutine;
}

}  // namespace

PyObject* sender_asend(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  return delegate("asend", self, args, count, keywords);
}
PyObject* sender_asend_many(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  return delegate("asend_many", self, args, count, keywords);
}
PyObject* receiver_arecv(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  return delegate("arecv", self, args, count, keywords);
}
PyObject* receiver_arecv_many(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  return delegate("arecv_many", self, args, count, keywords);
}
PyObject* receiver_anext(PyObject* self) noexcept { return delegate("anext", self, nullptr, 0, nullptr); }
PyObject* receiver_anext_view(PyObject* receiver) noexcept {
  return delegate("anext_view", receiver, nullptr, 0, nullptr);
}
PyObject* end_aenter(PyObject* self, PyObject*) noexcept { return delegate("aenter", self, nullptr, 0, nullptr); }
PyObject* end_aexit(PyObject* self, PyObject*) noexcept { return delegate("aexit", self, nullptr, 0, nullptr); }

PyObject* aselect(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  if (count == 0) {
    PyErr_SetString(PyExc_TypeError, "aselect() missing required argument 'cases'");
    return nullptr;
  }
  return delegate("aselect", args[0], args + 1, count - 1, keywords);
}

const char asend_doc[] =
    "asend($self, /, value)\n--\n\n"
    "Coroutine: put a value into the channel, waiting in the running asyncio event loop while it is full.\n\n"
    "Raises as send() does. A cancelled call has sent nothing, but on a channel of capacity 0, where a receiver may "
    "have\n"
    "taken the value at that very moment.";
const char asend_many_doc[] =
    "asend_many($self, /, values)\n--\n\n"
    "Coroutine: put all values of an iterable into the channel; returns how many were sent. Raises as send_many() "
    "does.";
const char arecv_doc[] =
    "arecv($self, /, *, copy=True)\n--\n\n"
    "Coroutine: take the oldest value, waiting in the running asyncio event loop while the channel is empty.\n\n"
    "Raises as recv() does. A cancelled call has taken nothing.";
const char arecv_many_doc[] =
    "arecv_many($self, /, max_items, *, copy=True)\n--\n\n"
    "Coroutine: wait for one value and take with it what else is there, up to max_items; a list.\n\n"
    "Raises as recv_many() does. A cancelled call has taken nothing.";
const char aselect_doc[] =
    "aselect(cases, *, copy=True)\n--\n\n"
    "Coroutine: as select(), in the running asyncio event loop. A cancelled call has taken nothing.";

}  // namespace xichan::python

#include "ends/async.h"

#include "base/arguments.h"
#include "base/ref.h"

namespace xichan::python {
namespace {

// Calls a function of xichan._aio with `self` and the arguments. Returns its coroutine.
PyObject* delegate(const char* name, PyObject* self, PyObject* const* args, Py_ssize_t count,
                   PyObject* keywords) noexcept {
  const Ref function = import_attribute("xichan._aio", name);
  if (!function) return nullptr;
  constexpr Py_ssize_t most = 7;
  const Py_ssize_t total = count + (keywords == nullptr ? 0 : PyTuple_GET_SIZE(keywords));
  if (total > most) {
    return PyErr_Format(PyExc_TypeError, "%s() takes at most %zd arguments, got %zd", name, most, total);
  }
  PyObject* stack[most + 1] = {self};
  for (Py_ssize_t i = 0; i < total; ++i) stack[i + 1] = args[i];
  return PyObject_Vectorcall(function.get(), stack, static_cast<std::size_t>(count) + 1, keywords);
}

PyObject* aselect(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  if (count == 0) {
    PyErr_SetString(PyExc_TypeError, "aselect() missing required argument 'cases'");
    return nullptr;
  }
  return delegate("aselect", args[0], args + 1, count - 1, keywords);
}

PyDoc_STRVAR(aselect_doc,
"aselect(cases, *, copy=True)\n--\n\n"
"Coroutine: wait in the running asyncio event loop until one of several operations can proceed, and perform that\n"
"one.\n\n"
"Takes the cases of select(), returns (case, value) and raises as select() does. A cancelled call has received\n"
"nothing.");

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
PyObject* endpoint_aenter(PyObject* self, PyObject*) noexcept { return delegate("aenter", self, nullptr, 0, nullptr); }
PyObject* endpoint_aexit(PyObject* self, PyObject* args) noexcept {
  return delegate("aexit", self, PySequence_Fast_ITEMS(args), PyTuple_GET_SIZE(args), nullptr);
}
PyObject* endpoint_await_closed(PyObject* self, PyObject*) noexcept {
  return delegate("await_closed", self, nullptr, 0, nullptr);
}

PyMethodDef aselect_functions[] = {
    {"aselect", as_method(aselect), METH_FASTCALL | METH_KEYWORDS, aselect_doc},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace xichan::python

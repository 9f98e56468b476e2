#include "ends/async.h"

#include "base/arguments.h"
#include "base/ref.h"

namespace xichan::python {
namespace {

// Calls a function of xichan._aio.
PyObject* delegate_aio(const char* name, PyObject* self, PyObject* const* args, Py_ssize_t count,
                       PyObject* keywords) noexcept {
  return delegate("xichan._aio", name, self, args, count, keywords);
}

PyObject* aselect(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  if (count == 0) {
    PyErr_SetString(PyExc_TypeError, "aselect() missing required argument 'cases'");
    return nullptr;
  }
  return delegate_aio("aselect", args[0], args + 1, count - 1, keywords);
}

PyDoc_STRVAR(aselect_doc,
"aselect(cases, *, copy=True)\n--\n\n"
"Coroutine: wait in the running asyncio event loop until one of several operations can proceed, and perform that\n"
"one.\n\n"
"Takes the cases of select(), returns (case, value) and raises as select() does. A cancelled call has received\n"
"nothing.");

}  // namespace

PyObject* delegate(const char* module, const char* name, PyObject* self, PyObject* const* args, Py_ssize_t count,
                   PyObject* keywords) noexcept {
  const Ref function = import_attribute(module, name);
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

PyObject* sender_asend(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  return delegate_aio("asend", self, args, count, keywords);
}
PyObject* sender_asend_many(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  return delegate_aio("asend_many", self, args, count, keywords);
}
PyObject* receiver_arecv(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  return delegate_aio("arecv", self, args, count, keywords);
}
PyObject* receiver_arecv_many(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  return delegate_aio("arecv_many", self, args, count, keywords);
}
PyObject* receiver_anext(PyObject* self) noexcept { return delegate_aio("anext", self, nullptr, 0, nullptr); }
PyObject* receiver_anext_view(PyObject* receiver) noexcept {
  return delegate_aio("anext_view", receiver, nullptr, 0, nullptr);
}
PyObject* endpoint_aenter(PyObject* self, PyObject*) noexcept {
  return delegate_aio("aenter", self, nullptr, 0, nullptr);
}
PyObject* endpoint_aexit(PyObject* self, PyObject* args) noexcept {
  return delegate_aio("aexit", self, PySequence_Fast_ITEMS(args), PyTuple_GET_SIZE(args), nullptr);
}
PyObject* endpoint_await_closed(PyObject* self, PyObject*) noexcept {
  return delegate_aio("await_closed", self, nullptr, 0, nullptr);
}

PyMethodDef aselect_functions[] = {
    {"aselect", as_method(aselect), METH_FASTCALL | METH_KEYWORDS, aselect_doc},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace xichan::python

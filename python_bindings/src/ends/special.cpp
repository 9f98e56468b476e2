#include "ends/special.h"

#include "base/ref.h"
#include "value/message.h"
#include "values/pickling.h"

namespace xichan::python {
namespace {

// Returns 1 if the value is an instance of one of the classes, 0 if not, -1 with an exception set.
int has_type(PyObject* value, PyObject* types) noexcept {
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(types); ++i) {
    PyObject* type;
    const int alive = PyWeakref_GetRef(PyTuple_GET_ITEM(types, i), &type);
    if (alive <= 0) {
      if (alive < 0) return -1;
      continue;
    }
    const Ref holder(type);
    const int found = PyObject_IsInstance(value, type);
    if (found != 0) return found;
  }
  return 0;
}

// Returns the names of the classes: "int, str or Order".
Ref names_of(PyObject* types) noexcept {
  PyObject* text = PyUnicode_FromString("");
  const Py_ssize_t count = PyTuple_GET_SIZE(types);
  for (Py_ssize_t i = 0; i < count && text != nullptr; ++i) {
    PyObject* type;
    if (PyWeakref_GetRef(PyTuple_GET_ITEM(types, i), &type) < 0) Py_CLEAR(text);
    const Ref holder(type);
    const Ref name(type == nullptr ? PyUnicode_FromString("a class that was deleted")
                                   : PyType_GetFullyQualifiedName(reinterpret_cast<PyTypeObject*>(type)));
    if (i != 0) PyUnicode_AppendAndDel(&text, PyUnicode_FromString(i == count - 1 ? " or " : ", "));
    if (name) {
      PyUnicode_Append(&text, name.get());
    } else {
      Py_CLEAR(text);
    }
  }
  return Ref(text);
}

bool check_type(PyObject* value, PyObject* types) noexcept {
  const int found = has_type(value, types);
  if (found != 0) return found > 0;
  const Ref names(names_of(types));
  const Ref name(PyType_GetFullyQualifiedName(Py_TYPE(value)));
  if (names && name) {
    PyErr_Format(PyExc_TypeError, "the channel is for values of type %U, got %U", names.get(), name.get());
  }
  return false;
}

}  // namespace

void set_types(Handle* handle, PyObject* types) noexcept {
  handle->types = Py_NewRef(types);
  handle->endpoint->mark_special();
}

bool encode_special(Handle* handle, PyObject* value, Cell& cell) noexcept {
  if (!check_open(handle)) return false;
  follow_trace(handle);
  if (handle->types != nullptr && !check_type(value, handle->types)) return false;
  if (handle->endpoint->is_closed()) return check_open(handle);  // by a __instancecheck__
  if (encode_short(value, &cell)) return true;
  bool pickled = false;
  const Encoded encoded = handle->endpoint->channel()->pickles()
                              ? encode_or_pickle(*handle->state, value, cell, pickled, Destination::receiver)
                              : encode_block(*handle->state, value, cell, Destination::receiver);
  if (encoded == Encoded::no) return false;
  if (encoded == Encoded::moving) {
    if (pickled && !handle->endpoint->is_closed()) handle->endpoint->channel()->count_pickled();
    return false;
  }
  if (!keep_if_open(handle, cell)) return false;
  if (pickled) handle->endpoint->channel()->count_pickled();
  return true;
}

bool keep_if_open(Handle* handle, Cell& cell) noexcept {
  if (check_open(handle)) return true;
  release(cell);
  return false;
}

}  // namespace xichan::python

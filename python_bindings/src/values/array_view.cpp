#include "values/array_view.h"

#include <cstdio>
#include <cstring>

#include "base/ref.h"
#include "values/array_make.h"
#include "values/array_object.h"
#include "values/decode.h"

namespace xichan::python {
namespace {

ArrayParts parts_of(PyObject* self) noexcept {
  return ArrayParts({as_view(self)->slice.reader(), &as_view(self)->slice.cell});
}

// Writes the `str` of the dtype for a format of an array.array or a memoryview.
void write_dtype(std::string_view format, Py_ssize_t item_size, char (&to)[32]) noexcept {
  char order = '<';
  if (format.size() > 1 && std::string_view("@=<>!").find(format[0]) != std::string_view::npos) {
    if (format[0] == '>' || format[0] == '!') order = '>';
    format.remove_prefix(1);
  }
  char kind;
  switch (format[0]) {
    case '?': kind = 'b'; break;
    case 'c': kind = 'S'; break;
    case 'b':
    case 'h':
    case 'i':
    case 'l':
    case 'q':
    case 'n': kind = 'i'; break;
    case 'e':
    case 'f':
    case 'd': kind = 'f'; break;
    case 'u':
    case 'w': kind = 'U'; break;
    case 'Z': kind = 'c'; break;
    default: kind = 'u'; break;
  }
  std::snprintf(to, sizeof to, "%c%c%zd", item_size == 1 ? '|' : order, kind, kind == 'U' ? 1 : item_size);
}

void array_dealloc(PyObject* self) noexcept {
  PyMem_Free(as_array(self)->shape);
  view_dealloc(self);
}

// With strides for C order, the array is in Fortran order only if it has no more than one dimension, and likewise.
bool offers(const ArrayView* array, int flags) noexcept {
  if (array->dimensions <= 1) return true;
  const auto wants = [flags](int flag) noexcept { return (flags & flag) == flag; };
  return array->kind == ArrayKind::fortran ? wants(PyBUF_STRIDES) && !wants(PyBUF_C_CONTIGUOUS)
                                           : !wants(PyBUF_F_CONTIGUOUS);
}

int array_get_buffer(PyObject* self, Py_buffer* buffer, int flags) noexcept {
  const ArrayView* array = as_array(self);
  buffer->obj = nullptr;
  if ((flags & PyBUF_WRITABLE) != 0) {
    PyErr_SetString(PyExc_BufferError, "xichan.ArrayView is read-only; value() returns a copy");
    return -1;
  }
  if (!offers(array, flags)) {
    PyErr_Format(PyExc_BufferError, "the array is contiguous in %s order only",
                 array->kind == ArrayKind::fortran ? "Fortran" : "C");
    return -1;
  }
  const bool has_shape = (flags & PyBUF_ND) != 0;
  *buffer = {};
  buffer->buf = const_cast<void*>(array->content);
  buffer->obj = Py_NewRef(self);
  buffer->len = array->length;
  buffer->itemsize = array->item_size;
  buffer->readonly = 1;
  buffer->ndim = has_shape ? array->dimensions : 1;
  buffer->format = (flags & PyBUF_FORMAT) != 0 ? const_cast<char*>(array->format) : nullptr;
  buffer->shape = has_shape ? array->shape : nullptr;
  buffer->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? array->strides() : nullptr;
  return 0;
}

Ref tuple_of(const Py_ssize_t* numbers, int count) noexcept {
  Ref tuple(PyTuple_New(count));
  for (int i = 0; i < count && tuple; ++i) {
    PyObject* number = PyLong_FromSsize_t(numbers[i]);
    if (number == nullptr) return Ref();
    PyTuple_SET_ITEM(tuple.get(), i, number);
  }
  return tuple;
}

PyObject* get_shape(PyObject* self, void*) noexcept {
  return tuple_of(as_array(self)->shape, as_array(self)->dimensions).release();
}

PyObject* get_strides(PyObject* self, void*) noexcept {
  return tuple_of(as_array(self)->strides(), as_array(self)->dimensions).release();
}

PyObject* get_format(PyObject* self, void*) noexcept { return PyUnicode_FromString(as_array(self)->format); }

PyObject* get_nbytes(PyObject* self, void*) noexcept { return PyLong_FromSsize_t(as_array(self)->length); }

PyObject* get_dtype(PyObject* self, void*) noexcept {
  const ArrayParts parts = parts_of(self);
  if (parts.is_structured()) return describe_structure(*as_view(self)->state, parts.format).release();
  const std::string_view text = parts.format_text();
  if (parts.is_numpy()) return PyUnicode_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size()));
  char dtype[32];
  write_dtype(text, as_array(self)->item_size, dtype);
  return PyUnicode_FromString(dtype);
}

Py_ssize_t array_length(PyObject* self) noexcept {
  if (as_array(self)->dimensions > 0) return as_array(self)->shape[0];
  PyErr_SetString(PyExc_TypeError, "len() of an xichan.ArrayView without dimensions");
  return -1;
}

// Always true: an array has no truth value, and len() of one without dimensions raises.
int array_true(PyObject*) noexcept { return 1; }

PyObject* array_repr(PyObject* self) noexcept {
  const Ref dtype(get_dtype(self, nullptr));
  const Ref shape(dtype ? get_shape(self, nullptr) : nullptr);
  return shape ? PyUnicode_FromFormat("<xichan.ArrayView of %R, shape %R>", dtype.get(), shape.get()) : nullptr;
}

// Returns 1 for arrays of the same kind, format, shape and bytes.
int same_arrays(PyObject* self, PyObject* other) noexcept {
  const ArrayView *mine = as_array(self), *theirs = as_array(other);
  if (mine->kind != theirs->kind || mine->dimensions != theirs->dimensions || mine->length != theirs->length) return 0;
  for (int i = 0; i < mine->dimensions; ++i) {
    if (mine->shape[i] != theirs->shape[i]) return 0;
  }
  if (mine->length != 0 && std::memcmp(mine->content, theirs->content, static_cast<std::size_t>(mine->length)) != 0) {
    return 0;
  }
  const Ref one(get_dtype(self, nullptr));
  const Ref two(one ? get_dtype(other, nullptr) : nullptr);
  return two ? PyObject_RichCompareBool(one.get(), two.get(), Py_EQ) : -1;
}

PyObject* array_compare(PyObject* self, PyObject* other, int operation) noexcept {
  if (operation != Py_EQ && operation != Py_NE) Py_RETURN_NOTIMPLEMENTED;
  if (Py_IS_TYPE(other, Py_TYPE(self))) {
    const int same = same_arrays(self, other);
    return same < 0 ? nullptr : PyBool_FromLong(same == (operation == Py_EQ));
  }
  // NumPy compares items, and returns an array.
  const bool is_numpy = std::strncmp(Py_TYPE(other)->tp_name, "numpy.", 6) == 0;
  if (is_numpy || !PyObject_CheckBuffer(other)) Py_RETURN_NOTIMPLEMENTED;
  const Ref view(PyMemoryView_FromObject(self));
  return view ? PyObject_RichCompare(view.get(), other, operation) : nullptr;
}

// A memoryview of bytes has the hash of the bytes, and asks what it shows for one.
Py_hash_t array_hash(PyObject* self) noexcept {
  const ArrayView* array = as_array(self);
  const bool is_bytes = array->item_size == 1 && std::strchr("bBc", array->format[std::strlen(array->format) - 1]);
  if (array->kind == ArrayKind::memoryview && is_bytes) {
    const Ref copy(PyBytes_FromStringAndSize(static_cast<const char*>(array->content), array->length));
    return copy ? PyObject_Hash(copy.get()) : -1;
  }
  PyErr_SetString(PyExc_TypeError, "unhashable type: 'xichan.ArrayView'");
  return -1;
}

PyObject* array_reduce(PyObject* self, PyObject*) noexcept {
  Ref value(view_value(self, nullptr));
  if (value && Py_IS_TYPE(value.get(), Py_TYPE(self))) {
    return PyErr_Format(PyExc_TypeError, "cannot pickle an xichan.ArrayView of NumPy's type where NumPy is missing");
  }
  return reduce_to_value(value.release());
}

PyDoc_STRVAR(array_doc,
"An array that is read in place, in shared memory of the process. Received with copy=False, and where NumPy is\n"
"missing.\n\n"
"A read-only buffer, for memoryview and numpy.asarray, with format, shape and strides. Buffers have no format for times\n"
"and structures: those are ints and raw memory, and numpy.asarray(view).view(view.dtype) restores times. Equals a view\n"
"of the same type, shape and bytes, and what a memoryview of it equals. It keeps the memory of the whole message that\n"
"it was received in. Immutable, so any thread of its interpreter may use it.");

PyDoc_STRVAR(value_doc,
"value($self, /)\n--\n\n"
"Return a copy as recv() returns it: an array.array, or a NumPy array; where NumPy is missing, an ArrayView.\n\n"
"Raises MemoryError or DecodeError.");
PyDoc_STRVAR(reduce_doc,
"__reduce__($self, /)\n--\n\n"
"Support pickle and copy: the copy is what value() returns.");

PyMethodDef methods[] = {
    {"value", view_value, METH_NOARGS, value_doc},
    {"__reduce__", array_reduce, METH_NOARGS, reduce_doc},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef properties[] = {
    {"shape", get_shape, nullptr, "tuple: the lengths of the dimensions, in items.", nullptr},
    {"strides", get_strides, nullptr, "tuple: for each dimension, the bytes from one item to the next.", nullptr},
    {"format", get_format, nullptr, "str: the format of an item in a buffer, as the struct module has it.", nullptr},
    {"dtype", get_dtype, nullptr, "str: the type string of NumPy; of a structured dtype, its descr, a list.", nullptr},
    {"nbytes", get_nbytes, nullptr, "int: the size of the content in bytes.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(view_new)},
    {Py_tp_doc, const_cast<char*>(array_doc)},
    {Py_tp_dealloc, reinterpret_cast<void*>(array_dealloc)},
    {Py_tp_richcompare, reinterpret_cast<void*>(array_compare)},
    {Py_tp_hash, reinterpret_cast<void*>(array_hash)},
    {Py_tp_repr, reinterpret_cast<void*>(array_repr)},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {Py_tp_members, view_members},
    {Py_mp_length, reinterpret_cast<void*>(array_length)},
    {Py_nb_bool, reinterpret_cast<void*>(array_true)},
    {Py_bf_getbuffer, reinterpret_cast<void*>(array_get_buffer)},
    {0, nullptr},
};

}  // namespace

PyType_Spec array_spec = {"xichan.ArrayView", sizeof(ArrayView), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                          slots};

}  // namespace xichan::python

#include "values/bytes_view.h"

#include <algorithm>
#include <cstring>

#include "base/ref.h"
#include "values/bytes_search.h"
#include "values/decode_leaf.h"
#include "values/view.h"

namespace xichan::python {
namespace {

Py_ssize_t bytes_length(PyObject* self) noexcept { return static_cast<Py_ssize_t>(as_view(self)->slice.cell.length()); }

int bytes_get_buffer(PyObject* self, Py_buffer* buffer, int flags) noexcept {
  const auto data = content(self);
  return PyBuffer_FillInfo(buffer, self, const_cast<unsigned char*>(data.data()), bytes_length(self), 1, flags);
}

PyObject* bytes_item(PyObject* self, Py_ssize_t i) noexcept {
  if (i >= 0 && i < bytes_length(self)) return PyLong_FromLong(content(self)[static_cast<std::size_t>(i)]);
  PyErr_SetString(PyExc_IndexError, "xichan.BytesView index out of range");
  return nullptr;
}

PyObject* bytes_slice(PyObject* self, PyObject* slice) noexcept {
  Py_ssize_t start, stop, step;
  if (PySlice_Unpack(slice, &start, &stop, &step) < 0) return nullptr;
  const View* view = as_view(self);
  const Py_ssize_t length = PySlice_AdjustIndices(bytes_length(self), &start, &stop, step);
  if (length > 1 && step != 1) {  // not contiguous, so copied
    PyObject* copy = PyBytes_FromStringAndSize(nullptr, length);
    if (copy == nullptr) return nullptr;
    const unsigned char* from = content(self).data() + start;
    char* to = PyBytes_AS_STRING(copy);
    for (Py_ssize_t i = 0; i < length; ++i) to[i] = static_cast<char>(from[i * step]);
    return copy;
  }
  if (length == bytes_length(self)) return Py_NewRef(self);
  const std::uint64_t first = view->slice.cell.word + static_cast<std::uint64_t>(start);
  return new_view(
      *view->state, ValueType::bytes, view->slice.block,
      Cell::of(Tag::bytes, static_cast<std::uint64_t>(length), length == 0 ? view->slice.cell.word : first));
}

PyObject* bytes_subscript(PyObject* self, PyObject* key) noexcept {
  if (PySlice_Check(key)) return bytes_slice(self, key);
  if (!PyIndex_Check(key)) {
    return PyErr_Format(PyExc_TypeError, "xichan.BytesView indices must be integers or slices, got %T", key);
  }
  const Py_ssize_t i = PyNumber_AsSsize_t(key, PyExc_IndexError);
  if (i == -1 && PyErr_Occurred()) return nullptr;
  return bytes_item(self, i < 0 ? i + bytes_length(self) : i);
}

PyObject* bytes_compare(PyObject* self, PyObject* other, int operation) noexcept {
  if (!PyObject_CheckBuffer(other)) Py_RETURN_NOTIMPLEMENTED;
  if (!PyBytes_Check(other) && !PyByteArray_Check(other) && !Py_IS_TYPE(other, Py_TYPE(self))) {
    // A buffer whose items may be larger than a byte; memoryview compares those.
    const Ref view(PyMemoryView_FromObject(self));
    return view ? PyObject_RichCompare(view.get(), other, operation) : nullptr;
  }
  Py_buffer theirs;
  if (PyObject_GetBuffer(other, &theirs, PyBUF_SIMPLE) < 0) return nullptr;
  const auto mine = content(self);
  const auto size = static_cast<std::size_t>(theirs.len);
  int order = mine.data() == theirs.buf ? 0 : std::memcmp(mine.data(), theirs.buf, std::min(mine.size(), size));
  if (order == 0) order = mine.size() < size ? -1 : mine.size() > size;
  PyBuffer_Release(&theirs);
  Py_RETURN_RICHCOMPARE(order, 0, operation);
}

Py_hash_t bytes_hash(PyObject* self) noexcept {
  View* view = as_view(self);
  if (view->hash == -1) {
#if PY_VERSION_HEX >= 0x030E0000
    view->hash = Py_HashBuffer(content(self).data(), bytes_length(self));
#else
    const Ref copy(PyBytes_FromObject(self));
    if (!copy) return -1;
    view->hash = PyObject_Hash(copy.get());
#endif
  }
  return view->hash;
}

PyObject* bytes_repr(PyObject* self) noexcept {
  constexpr Py_ssize_t shown = 32;
  const Py_ssize_t length = bytes_length(self);
  const auto* data = reinterpret_cast<const char*>(content(self).data());
  const Ref start(PyBytes_FromStringAndSize(data, std::min(length, shown)));
  if (!start) return nullptr;
  return length <= shown ? PyUnicode_FromFormat("xichan.BytesView(%R)", start.get())
                         : PyUnicode_FromFormat("<xichan.BytesView %R... of %zd bytes>", start.get(), length);
}

PyObject* bytes_iterator(PyObject* self) noexcept { return PySeqIter_New(self); }

PyObject* get_value(PyObject* self, PyObject*) noexcept {
  return make_large_payload(content(self).data(), as_view(self)->slice.cell);
}

PyObject* bytes_concat(PyObject* self, PyObject* other) noexcept {
  const Ref value(get_value(self, nullptr));
  return value ? PySequence_Concat(value.get(), other) : nullptr;
}

// Serves both `view * n` and `n * view`.
PyObject* bytes_repeat(PyObject* self, Py_ssize_t count) noexcept {
  const Ref value(get_value(self, nullptr));
  return value ? PySequence_Repeat(value.get(), count) : nullptr;
}

PyObject* bytes_format(PyObject* left, PyObject* right) noexcept {
  const PyNumberMethods* methods = Py_TYPE(left)->tp_as_number;
  if (methods == nullptr || methods->nb_remainder != bytes_format) Py_RETURN_NOTIMPLEMENTED;
  const Ref value(get_value(left, nullptr));
  return value ? PyNumber_Remainder(value.get(), right) : nullptr;
}

PyObject* bytes_reduce(PyObject* self, PyObject*) noexcept {
  return reduce_to(reinterpret_cast<PyObject*>(&PyBytes_Type), get_value(self, nullptr));
}

PyObject* bytes_decode(PyObject* self, PyObject* args, PyObject* keywords) noexcept {
  static const char* names[] = {"encoding", "errors", nullptr};
  const char* encoding = "utf-8";
  const char* errors = "strict";
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "|ss:decode", const_cast<char**>(names), &encoding, &errors)) {
    return nullptr;
  }
  return PyUnicode_FromEncodedObject(self, encoding, errors);
}

// Delegates to memoryview.hex(), which takes the same arguments.
PyObject* bytes_hex(PyObject* self, PyObject* args, PyObject* keywords) noexcept {
  const Ref view(PyMemoryView_FromObject(self));
  if (!view) return nullptr;
  const Ref method(PyObject_GetAttrString(view.get(), "hex"));
  return method ? PyObject_Call(method.get(), args, keywords) : nullptr;
}

PyCFunction with_keywords(PyCFunctionWithKeywords function) noexcept {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

PyDoc_STRVAR(bytes_doc,
"Bytes that are read in place, in shared memory of the process. Received with copy=False.\n\n"
"A read-only buffer (for memoryview, numpy.frombuffer, sockets, files, hashlib) and a collections.abc.Sequence of\n"
"ints that equals the bytes and has the same hash. A slice is a view again, unless it has a step; then it is a\n"
"bytes object. The view, and every memoryview of it, keeps the memory of the whole message that it was received\n"
"in. Immutable, so any thread of its interpreter may use it.");

PyDoc_STRVAR(value_doc,
"value($self, /)\n--\n\n"
"Return a copy as bytes, as recv() returns it. Raises MemoryError.");
PyDoc_STRVAR(decode_doc,
"decode($self, /, encoding='utf-8', errors='strict')\n--\n\n"
"Return the str that the bytes encode, as bytes.decode() does.");
PyDoc_STRVAR(hex_doc,
"hex($self, /, sep='', bytes_per_sep=1)\n--\n\n"
"Return the bytes as hexadecimal digits, as bytes.hex() does.");
PyDoc_STRVAR(count_doc,
"count($self, value, start=None, stop=None, /)\n--\n\n"
"Return the number of non-overlapping occurrences of a byte (an int) or of bytes.");
PyDoc_STRVAR(index_doc,
"index($self, value, start=None, stop=None, /)\n--\n\n"
"Return the index of the first occurrence of a byte (an int) or of bytes. Raises ValueError if there is none.");
PyDoc_STRVAR(reduce_doc,
"__reduce__($self, /)\n--\n\n"
"Support pickle and copy: the copy is a bytes object.");

PyMethodDef methods[] = {
    {"value", get_value, METH_NOARGS, value_doc},
    {"decode", with_keywords(bytes_decode), METH_VARARGS | METH_KEYWORDS, decode_doc},
    {"hex", with_keywords(bytes_hex), METH_VARARGS | METH_KEYWORDS, hex_doc},
    {"count", bytes_count, METH_VARARGS, count_doc},
    {"index", bytes_index, METH_VARARGS, index_doc},
    {"__reduce__", bytes_reduce, METH_NOARGS, reduce_doc},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(view_new)},
    {Py_tp_doc, const_cast<char*>(bytes_doc)},
    {Py_tp_dealloc, reinterpret_cast<void*>(view_dealloc)},
    {Py_tp_richcompare, reinterpret_cast<void*>(bytes_compare)},
    {Py_tp_hash, reinterpret_cast<void*>(bytes_hash)},
    {Py_tp_repr, reinterpret_cast<void*>(bytes_repr)},
    {Py_tp_iter, reinterpret_cast<void*>(bytes_iterator)},
    {Py_tp_methods, methods},
    {Py_tp_members, view_members},
    {Py_sq_length, reinterpret_cast<void*>(bytes_length)},
    {Py_sq_item, reinterpret_cast<void*>(bytes_item)},
    {Py_sq_concat, reinterpret_cast<void*>(bytes_concat)},
    {Py_sq_repeat, reinterpret_cast<void*>(bytes_repeat)},
    {Py_nb_remainder, reinterpret_cast<void*>(bytes_format)},
    {Py_sq_contains, reinterpret_cast<void*>(bytes_contains)},
    {Py_mp_length, reinterpret_cast<void*>(bytes_length)},
    {Py_mp_subscript, reinterpret_cast<void*>(bytes_subscript)},
    {Py_bf_getbuffer, reinterpret_cast<void*>(bytes_get_buffer)},
    {0, nullptr},
};

}  // namespace

PyType_Spec bytes_spec = {"xichan.BytesView", sizeof(View), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, slots};

}  // namespace xichan::python

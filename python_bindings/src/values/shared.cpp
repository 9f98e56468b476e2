#include "values/shared.h"

#include "base/ref.h"
#include "value/moved.h"
#include "values/array_object.h"
#include "values/compare.h"
#include "values/decode.h"
#include "values/hash.h"
#include "values/view.h"

namespace xichan::python {
namespace {

CellRef content_of(const View* view) noexcept {
  // Short bytes lie in the root cell itself, so this returns the cell in the block, not its copy in the view.
  const BlockReader reader = view->slice.reader();
  return resolve(reader, reader.root());
}

PyObject* get_value(PyObject* self, PyObject*) noexcept {
  const CellRef content = content_of(as_view(self));
  return decode_at(*as_view(self)->state, content.reader, *content.cell, true);
}

// The view of a bytearray is that of its bytes.
PyObject* get_view(PyObject* self, PyObject*) noexcept {
  const auto [reader, cell] = content_of(as_view(self));
  const bool is_bytearray = cell->tag() == Tag::bytearray;
  return decode_at(*as_view(self)->state, reader, is_bytearray ? reader.elements(*cell)[0] : *cell, false);
}

unsigned long long bytes_of_block(PyObject* self) noexcept {
  const Block* const block = as_view(self)->slice.block;
  return block->total_bytes() + block->lent_bytes();
}

PyObject* get_nbytes(PyObject* self, void*) noexcept { return PyLong_FromUnsignedLongLong(bytes_of_block(self)); }

// Points `bytes` to the content of bytes or a bytearray. False, with nothing set, for a value of another type.
bool bytes_of(const CellRef& content, std::span<const std::byte>& bytes) noexcept {
  const auto [reader, whole] = content;
  const Cell& cell = whole->tag() == Tag::bytearray ? reader.elements(*whole)[0] : *whole;
  if (cell.tag() == Tag::short_bytes) {
    bytes = {reinterpret_cast<const std::byte*>(cell.payload()), cell.short_length()};
    return true;
  }
  if (cell.tag() != Tag::bytes) return false;
  bytes = {static_cast<const std::byte*>(reader.payload(cell)), cell.length()};
  return true;
}

const char* array_name(ArrayKind kind) noexcept {
  switch (kind) {
    case ArrayKind::array: return "array";
    case ArrayKind::memoryview: return "memoryview";
    case ArrayKind::scalar: return "NumPy scalar";
    default: return "ndarray";
  }
}

const char* type_name(Tag tag) noexcept {
  switch (tag) {
    case Tag::none: return "None";
    case Tag::false_:
    case Tag::true_: return "bool";
    case Tag::integer:
    case Tag::big_int: return "int";
    case Tag::real: return "float";
    case Tag::short_bytes:
    case Tag::bytes: return "bytes";
    case Tag::tuple: return "tuple";
    case Tag::ellipsis: return "ellipsis";
    case Tag::list: return "list";
    case Tag::dict: return "dict";
    case Tag::frozendict: return "frozendict";
    case Tag::set: return "set";
    case Tag::frozenset: return "frozenset";
    case Tag::range: return "range";
    case Tag::slice: return "slice";
    case Tag::complex: return "complex";
    case Tag::bytearray: return "bytearray";
    case Tag::record: return "record";
    case Tag::queue: return "Queue";
    case Tag::reference: return "endpoint";
    default: return "str";
  }
}

const char* content_type(const View* view) noexcept {
  const CellRef content = content_of(view);
  if (const Moved* moved = moved_of(content)) return moved->type().name;
  return content.cell->tag() == Tag::array ? array_name(array_kind(content)) : type_name(content.cell->tag());
}

// The buffer of an array belongs to an ArrayView, which keeps the block.
int get_buffer(PyObject* self, Py_buffer* buffer, int flags) noexcept {
  const CellRef content = content_of(as_view(self));
  std::span<const std::byte> bytes;
  buffer->obj = nullptr;
  if (content.cell->tag() == Tag::array && (flags & PyBUF_WRITABLE) == 0) {
    const Ref view(new_array_view(*as_view(self)->state, content));
    return view ? PyObject_GetBuffer(view.get(), buffer, flags) : -1;
  }
  if (bytes_of(content, bytes)) {
    return PyBuffer_FillInfo(buffer, self, const_cast<std::byte*>(bytes.data()), static_cast<Py_ssize_t>(bytes.size()),
                             1, flags);
  }
  if (content.cell->tag() == Tag::array) {
    PyErr_SetString(PyExc_BufferError, "xichan.Shared is read-only; value() returns a copy");
  } else {
    PyErr_Format(PyExc_BufferError, "expected a Shared of bytes, got a Shared of %s", content_type(as_view(self)));
  }
  return -1;
}

bool is_ndarray(const CellRef& content) noexcept {
  if (content.cell->tag() != Tag::array) return false;
  const ArrayKind kind = array_kind(content);
  return kind == ArrayKind::ndarray || kind == ArrayKind::fortran;
}

// Returns 1 for equal values, 0 for others, and -1 with an exception set. Blocks of a Shared do not change, so the two
// objects, which the caller holds, keep them alive.
int equal_shared(View* one, View* other) noexcept {
  if (one->slice.block == other->slice.block) return 1;  // NaNs included
  const CellRef mine = content_of(one), theirs = content_of(other);
  if (!is_ndarray(mine) && !is_ndarray(theirs)) {
    return Comparison(*one->state).equal(mine.reader, *mine.cell, theirs.reader, *theirs.cell);
  }
  // NumPy would return an array.
  if (mine.cell->tag() != Tag::array || theirs.cell->tag() != Tag::array) return 0;
  const Ref my_view(new_array_view(*one->state, mine));
  const Ref their_view(my_view ? new_array_view(*one->state, theirs) : nullptr);
  return their_view ? PyObject_RichCompareBool(my_view.get(), their_view.get(), Py_EQ) : -1;
}

PyObject* shared_compare(PyObject* self, PyObject* other, int operation) noexcept {
  if (operation != Py_EQ && operation != Py_NE) Py_RETURN_NOTIMPLEMENTED;
  if (Py_IS_TYPE(other, Py_TYPE(self))) {
    const int equal = equal_shared(as_view(self), as_view(other));
    return equal < 0 ? nullptr : PyBool_FromLong(equal == (operation == Py_EQ));
  }
  const Ref content(get_view(self, nullptr));
  return content ? PyObject_RichCompare(content.get(), other, operation) : nullptr;
}

PyObject* shared_repr(PyObject* self) noexcept {
  return PyUnicode_FromFormat("<xichan.Shared %s, %llu bytes>", content_type(as_view(self)), bytes_of_block(self));
}

PyObject* shared_reduce(PyObject* self, PyObject*) noexcept {
  const CellRef content = content_of(as_view(self));
  Ref value(decode_to_pickle(*as_view(self)->state, content.reader, *content.cell));
  if (content.cell->tag() != Tag::array || array_kind(content) != ArrayKind::memoryview) {
    return reduce_to(as_view(self)->state->share, value.release());
  }
  // Memoryviews cannot be pickled.
  const Ref dumps(value ? import_attribute("xichan", "dumps") : Ref());
  const Ref share_dump(dumps ? import_attribute("xichan._pickling", "share_dump") : Ref());
  return share_dump ? reduce_to(share_dump.get(), PyObject_CallOneArg(dumps.get(), value.get())) : nullptr;
}

PyObject* shared_new(PyTypeObject*, PyObject*, PyObject*) noexcept {
  PyErr_SetString(PyExc_TypeError, "cannot create 'xichan.Shared' instances; call xichan.share(value)");
  return nullptr;
}

PyDoc_STRVAR(shared_doc,
"A value encoded once, by share(), and sent without a copy any number of times.\n\n"
"It can be sent through a channel, alone or inside other values, through concurrent.interpreters, or pickled, and\n"
"arrives as a Shared. Its memory is freed with the last Shared that refers to it. Equals the value and has the\n"
"same hash; a read-only buffer if the value is bytes, a bytearray, an array or a memoryview. Immutable, so any thread\n"
"of its interpreter may use it.");

PyDoc_STRVAR(value_doc,
"value($self, /)\n--\n\n"
"Return a copy of the value, as recv() returns it. Raises MemoryError.");
PyDoc_STRVAR(view_doc,
"view($self, /)\n--\n\n"
"Return the value as recv(copy=False) does: large parts are views. That of a bytearray is that of its bytes. Raises\n"
"MemoryError.");
PyDoc_STRVAR(reduce_doc,
"__reduce__($self, /)\n--\n\n"
"Support pickle and copy: the value is pickled, and loading it calls share().");

PyMethodDef methods[] = {
    {"value", get_value, METH_NOARGS, value_doc},
    {"view", get_view, METH_NOARGS, view_doc},
    {"__reduce__", shared_reduce, METH_NOARGS, reduce_doc},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef properties[] = {
    {"nbytes", get_nbytes, nullptr, "int: the memory that the value takes in the process, in bytes.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(shared_new)},
    {Py_tp_doc, const_cast<char*>(shared_doc)},
    {Py_tp_dealloc, reinterpret_cast<void*>(view_dealloc)},
    {Py_tp_richcompare, reinterpret_cast<void*>(shared_compare)},
    {Py_tp_hash, reinterpret_cast<void*>(view_hash)},
    {Py_tp_repr, reinterpret_cast<void*>(shared_repr)},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {Py_tp_members, view_members},
    {Py_bf_getbuffer, reinterpret_cast<void*>(get_buffer)},
    {0, nullptr},
};

}  // namespace

PyType_Spec shared_spec = {"xichan.Shared", sizeof(View), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, slots};

}  // namespace xichan::python

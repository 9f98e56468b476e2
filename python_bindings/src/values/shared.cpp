#include "values/shared.h"

#include "arena/arena.h"
#include "base/arguments.h"
#include "base/errors.h"
#include "base/ref.h"
#include "value/block_builder.h"
#include "value/moved_buffer.h"
#include "values/compare.h"
#include "values/decode.h"
#include "values/encode.h"
#include "values/hash.h"
#include "values/pickling.h"
#include "values/view.h"

namespace xichan::python {
namespace {

PyObject* decode_content(PyObject* self, bool copy) noexcept {
  const BlockReader reader = as_view(self)->slice.reader();
  return decode_at(*as_view(self)->state, reader, reader.root(), copy);
}

PyObject* get_value(PyObject* self, PyObject*) noexcept { return decode_content(self, true); }
PyObject* get_view(PyObject* self, PyObject*) noexcept { return decode_content(self, false); }

PyObject* get_nbytes(PyObject* self, void*) noexcept {
  return PyLong_FromUnsignedLongLong(as_view(self)->slice.block->total_bytes());
}

// Points `bytes` to the content of a Shared of bytes. False, with nothing set, if the value has another type.
bool bytes_of(const View* view, std::span<const std::byte>& bytes) noexcept {
  // Short bytes lie in the root cell itself, so this reads the cell in the block, not its copy in the view.
  const BlockReader reader = view->slice.reader();
  const CellRef place = resolve(reader, reader.root());
  if (place.cell->tag() == Tag::short_bytes) {
    bytes = {reinterpret_cast<const std::byte*>(place.cell->payload()), place.cell->short_length()};
    return true;
  }
  if (place.cell->tag() != Tag::bytes) return false;
  bytes = {static_cast<const std::byte*>(place.reader.payload(*place.cell)), place.cell->length()};
  return true;
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
    case Tag::array: return "array";
    case Tag::record: return "record";
    case Tag::queue: return "Queue";
    case Tag::reference: return "endpoint";
    default: return "str";
  }
}

const char* content_type(const View* view) noexcept {
  const CellRef place = resolve(view->slice.reader(), view->slice.cell);
  return moved_buffer(place) != nullptr ? "Buffer" : type_name(place.cell->tag());
}

int get_buffer(PyObject* self, Py_buffer* buffer, int flags) noexcept {
  std::span<const std::byte> bytes;
  if (!bytes_of(as_view(self), bytes)) {
    PyErr_Format(PyExc_BufferError, "expected a Shared of bytes, got a Shared of %s", content_type(as_view(self)));
    buffer->obj = nullptr;
    return -1;
  }
  return PyBuffer_FillInfo(buffer, self, const_cast<std::byte*>(bytes.data()), static_cast<Py_ssize_t>(bytes.size()), 1,
                           flags);
}

PyObject* shared_compare(PyObject* self, PyObject* other, int operation) noexcept {
  if (operation != Py_EQ && operation != Py_NE) Py_RETURN_NOTIMPLEMENTED;
  const bool both = Py_IS_TYPE(other, Py_TYPE(self));
  // Two references to one block are equal, NaNs included.
  if (both && as_view(self)->slice.block == as_view(other)->slice.block) return PyBool_FromLong(operation == Py_EQ);
  if (both) {
    // Blocks of a Shared do not change, so the two objects, which the caller holds, keep them alive.
    const BlockReader mine = as_view(self)->slice.reader(), theirs = as_view(other)->slice.reader();
    const int equal = Comparison(*as_view(self)->state).equal(mine, mine.root(), theirs, theirs.root());
    return equal < 0 ? nullptr : PyBool_FromLong(equal == (operation == Py_EQ));
  }
  const Ref content(decode_content(self, false));
  return content ? PyObject_RichCompare(content.get(), other, operation) : nullptr;
}

PyObject* shared_repr(PyObject* self) noexcept {
  const BlockSlice& slice = as_view(self)->slice;
  return PyUnicode_FromFormat("<xichan.Shared %s, %llu bytes>", content_type(as_view(self)),
                              static_cast<unsigned long long>(slice.block->total_bytes()));
}

PyObject* shared_reduce(PyObject* self, PyObject*) noexcept {
  return reduce_to(as_view(self)->state->share, decode_content(self, true));
}

// Returns the block of an encoded value, made if the value needs none. Null with an exception set; then the value has
// nothing to release.
Block* as_block(const ModuleState& state, const Cell& cell) noexcept {
  if (cell.owns_block()) return cell.as_block();
  BlockBuilder builder;
  const Status status = builder.allocate();
  if (status != Status::ok) {
    raise(state, status);
    return nullptr;
  }
  builder.root() = cell;
  return builder.finish().as_block();
}

bool copy_buffer(const ModuleState& state, PyObject* value, Cell& cell) noexcept {
  Py_buffer buffer;
  if (PyObject_GetBuffer(value, &buffer, PyBUF_FULL_RO) < 0) return false;
  bool copied = false;
  const auto length = static_cast<std::uint64_t>(buffer.len);
  if (!PyBuffer_IsContiguous(&buffer, 'C')) {
    PyErr_Format(PyExc_BufferError, "share() requires a C-contiguous buffer; the buffer of this %T is not", value);
  } else if (fits_short(length, 1)) {
    cell = Cell::of_short(Tag::short_bytes, buffer.buf, length);
    copied = true;
  } else {
    BlockBuilder builder;
    builder.count_bytes(length);
    const Status status = builder.allocate();
    if (status == Status::ok) {
      builder.write_bytes(builder.root(), buffer.buf, length);
      cell = builder.finish();
      copied = true;
    } else {
      raise(state, status);
    }
  }
  PyBuffer_Release(&buffer);
  return copied;
}

PyObject* shared_new(PyTypeObject*, PyObject*, PyObject*) noexcept {
  PyErr_SetString(PyExc_TypeError, "cannot create 'xichan.Shared' instances; call xichan.share(value)");
  return nullptr;
}

PyDoc_STRVAR(shared_doc,
"A value encoded once, by share(), and sent without a copy any number of times.\n\n"
"It can be sent through a channel, alone or inside other values, through concurrent.interpreters, or pickled, and\n"
"arrives as a Shared. Its memory is freed with the last Shared that refers to it. Equals the value and has the\n"
"same hash; a read-only buffer if the value is bytes. Immutable, so any thread of its interpreter may use it.");

PyDoc_STRVAR(value_doc,
"value($self, /)\n--\n\n"
"Return a copy of the value, as recv() returns it. Raises MemoryError.");
PyDoc_STRVAR(view_doc,
"view($self, /)\n--\n\n"
"Return the value as recv(copy=False) does: large parts are views. Raises MemoryError.");
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

PyObject* share(PyObject* module, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"", "pickle"};
  static constexpr Signature signature{"share", names, 1, 1};
  PyObject* values[2];
  bool pickle = false;
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_flag(values[1], pickle)) return nullptr;
  PyObject* const value = values[0];
  ModuleState& state = *state_of(module);
  if (is_a(state, value, ValueType::shared)) return Py_NewRef(value);
  Cell cell;
  const bool is_buffer = !PyBytes_CheckExact(value) && PyObject_CheckBuffer(value) &&
                         !is_a(state, value, ValueType::bytes) && !is_a(state, value, ValueType::buffer);
  if (!(is_buffer ? copy_buffer(state, value, cell) : encode_by_policy(state, value, pickle, cell))) return nullptr;
  Block* block = as_block(state, cell);
  if (block == nullptr) return nullptr;
  PyObject* shared = new_shared(state, block);  // holds its own reference
  Arena::release(block);
  return shared;
}

PyDoc_STRVAR(share_doc,
"share($module, value, /, *, pickle=False)\n--\n\n"
"Encode a value once, to be sent without a copy any number of times, and return a Shared.\n\n"
"value: anything that can be sent, including views and endpoints; or an object with a C-contiguous buffer\n"
"(bytearray, memoryview, array, NumPy array), whose content is copied once and becomes bytes. A Shared is returned\n"
"unchanged. A Buffer is refused: freeze() it.\n"
"pickle: bool; True pickles a value that is not shareable.\n\n"
"Raises NotShareableError, ChannelClosed, MemoryLimitExceeded, MemoryError or ValueError as send() does, and\n"
"BufferError if the buffer is not contiguous. Never blocks. Thread-safe.");

}  // namespace

PyMethodDef share_functions[] = {
    {"share", as_method(share), METH_FASTCALL | METH_KEYWORDS, share_doc},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Spec shared_spec = {"xichan.Shared", sizeof(View), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, slots};

}  // namespace xichan::python

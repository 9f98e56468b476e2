// xichan.share and xichan.Shared: a value encoded once, which any number of messages then refer to.
#include "arena/arena.h"
#include "value/block_builder.h"
#include "values/decode.h"
#include "values/encode.h"
#include "values/encode_view.h"

namespace xichan::python {
namespace {

PyObject* look(PyObject* self, bool copy) noexcept {
  const BlockReader reader = as_view(self)->sight.reader();
  return decode_at(*as_view(self)->state, reader, reader.root(), copy);
}

PyObject* get_value(PyObject* self, PyObject*) noexcept { return look(self, true); }
PyObject* get_view(PyObject* self, PyObject*) noexcept { return look(self, false); }

PyObject* get_nbytes(PyObject* self, void*) noexcept {
  return PyLong_FromUnsignedLongLong(as_view(self)->sight.block->total_bytes());
}

int get_buffer(PyObject* self, Py_buffer* buffer, int flags) noexcept {
  std::span<const std::byte> bytes;
  if (!bytes_of(as_view(self), bytes)) {
    PyErr_SetString(PyExc_BufferError, "this Shared holds no bytes");
    buffer->obj = nullptr;
    return -1;
  }
  return PyBuffer_FillInfo(buffer, self, const_cast<std::byte*>(bytes.data()), static_cast<Py_ssize_t>(bytes.size()), 1,
                           flags);
}

PyObject* shared_compare(PyObject* self, PyObject* other, int operation) noexcept {
  if (operation != Py_EQ && operation != Py_NE) Py_RETURN_NOTIMPLEMENTED;
  const bool both = Py_IS_TYPE(other, Py_TYPE(self));
  // One block: what is in it is the same, NaNs included.
  if (both && as_view(self)->sight.block == as_view(other)->sight.block) return PyBool_FromLong(operation == Py_EQ);
  PyObject* one = look(self, false);
  PyObject* two = one == nullptr ? nullptr : both ? look(other, false) : Py_NewRef(other);
  PyObject* result = two == nullptr ? nullptr : PyObject_RichCompare(one, two, operation);
  Py_XDECREF(one);
  Py_XDECREF(two);
  return result;
}

Py_hash_t shared_hash(PyObject* self) noexcept {
  View* view = as_view(self);
  if (view->hash != -1) return view->hash;
  if (resolve(view->sight.reader(), view->sight.cell).cell->tag() == Tag::reference) {
    PyErr_SetString(PyExc_TypeError, "unhashable: a Shared of a Sender or Receiver");
    return -1;
  }
  PyObject* content = look(self, false);
  if (content == nullptr) return -1;
  if (Py_EnterRecursiveCall(" while hashing a xichan.Shared") == 0) {
    view->hash = PyObject_Hash(content);
    Py_LeaveRecursiveCall();
  }
  Py_DECREF(content);
  return view->hash;
}

const char* kind_of(Tag tag) noexcept {
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
    case Tag::queue: return "Queue";
    case Tag::reference: return "an end";
    default: return "str";
  }
}

PyObject* shared_repr(PyObject* self) noexcept {
  const BlockSlice& sight = as_view(self)->sight;
  return PyUnicode_FromFormat("<xichan.Shared %s, %llu bytes>",
                              kind_of(resolve(sight.reader(), sight.cell).cell->tag()),
                              static_cast<unsigned long long>(sight.block->total_bytes()));
}

PyObject* shared_reduce(PyObject* self, PyObject*) noexcept {
  return reduce_to(as_view(self)->state->share, look(self, true));
}

// A block of what has been encoded, which is given up on failure. Null with an exception set.
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
    PyErr_Format(PyExc_BufferError, "share() needs a C-contiguous buffer; this %T is not", value);
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

PyDoc_STRVAR(shared_doc,
"A value that was encoded once, by share(), and is sent without a copy ever after; also inside tuples, and by other\n"
"means than channels. It arrives as a Shared, and is never closed: its memory goes with the last one.\n\n"
"Equal to and hashing like the value. A read-only buffer, if that is bytes.");

PyDoc_STRVAR(value_doc, "value($self, /)\n--\n\nThe value: a copy of its own, as recv() would give it.");
PyDoc_STRVAR(view_doc,
"view($self, /)\n--\n\nThe value as a view, as recv(copy=False) would give it: a small one is a plain object.");
PyDoc_STRVAR(reduce_doc, "__reduce__($self, /)\n--\n\nPickled with its content; loading it shares that anew.");

PyMethodDef methods[] = {
    {"value", get_value, METH_NOARGS, value_doc},
    {"view", get_view, METH_NOARGS, view_doc},
    {"__reduce__", shared_reduce, METH_NOARGS, reduce_doc},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef properties[] = {
    {"nbytes", get_nbytes, nullptr, "int: the bytes of memory that it takes, once in the whole process.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>(shared_doc)},
    {Py_tp_dealloc, reinterpret_cast<void*>(view_dealloc)},
    {Py_tp_richcompare, reinterpret_cast<void*>(shared_compare)},
    {Py_tp_hash, reinterpret_cast<void*>(shared_hash)},
    {Py_tp_repr, reinterpret_cast<void*>(shared_repr)},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {Py_tp_members, view_members},
    {Py_bf_getbuffer, reinterpret_cast<void*>(get_buffer)},
    {0, nullptr},
};

}  // namespace

PyObject* share(PyObject* module, PyObject* value) noexcept {
  ModuleState& state = *state_of(module);
  if (is_a(state, value, ValueType::shared)) return Py_NewRef(value);
  Cell cell;
  const bool is_buffer = !PyBytes_CheckExact(value) && PyObject_CheckBuffer(value) &&
                         !is_a(state, value, ValueType::bytes) && !is_a(state, value, ValueType::buffer);
  if (!(is_buffer ? copy_buffer(state, value, cell) : encode(state, value, cell))) return nullptr;
  Block* block = as_block(state, cell);
  if (block == nullptr) return nullptr;
  PyObject* shared = new_shared(state, block);
  Arena::release(block);
  return shared;
}

const char share_doc[] =
    "share($module, value, /)\n--\n\n"
    "Encode a value once, to be sent without a copy as often as you like: a Shared.\n\n"
    "value: whatever can be sent, views and ends included; or an object with a C-contiguous buffer (bytearray, "
    "memoryview,\n"
    "array, NumPy array), whose content is copied once and becomes bytes. A Shared is returned as it is. Raises what "
    "send()\n"
    "raises, and BufferError for a buffer that is not contiguous. Never waits.";

PyType_Spec shared_spec = {"xichan.Shared", sizeof(View), 0,
                           Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};

}  // namespace xichan::python

// share(): encodes a value once.
#include "arena/arena.h"
#include "base/arguments.h"
#include "base/errors.h"
#include "base/ref.h"
#include "value/block_builder.h"
#include "values/arrays.h"
#include "values/encode.h"
#include "values/pickling.h"
#include "values/shared.h"
#include "values/view.h"

namespace xichan::python {
namespace {

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

// Makes bytes of a buffer. False with an exception set.
bool copy_buffer(const ModuleState& state, PyObject* value, Cell& cell) noexcept {
  Py_buffer buffer;
  if (PyObject_GetBuffer(value, &buffer, PyBUF_FULL_RO) < 0) return false;
  Status status = Status::ok;
  const auto length = static_cast<std::uint64_t>(buffer.len);
  const bool is_contiguous = PyBuffer_IsContiguous(&buffer, 'C') != 0;
  if (!is_contiguous) {
    PyErr_Format(PyExc_BufferError, "share() requires a C-contiguous buffer; the buffer of this %T is not", value);
  } else if (fits_short(length, 1)) {
    cell = Cell::of_short(Tag::short_bytes, buffer.buf, length);
  } else {
    BlockBuilder builder;
    builder.count_bytes(length);
    status = builder.allocate();
    if (status == Status::ok) {
      builder.write_large_bytes(builder.root(), buffer.buf, length);
      cell = builder.finish();
    } else {
      raise(state, status);
    }
  }
  PyBuffer_Release(&buffer);
  return is_contiguous && status == Status::ok;
}

// Returns false for an array in neither C nor Fortran order.
bool is_contiguous(PyObject* array) noexcept {
  Py_buffer buffer;
  if (PyObject_GetBuffer(array, &buffer, PyBUF_FULL_RO) < 0) {
    PyErr_Clear();  // the array is refused for another reason
    return true;
  }
  const bool contiguous = PyBuffer_IsContiguous(&buffer, 'A') != 0;
  PyBuffer_Release(&buffer);
  return contiguous;
}

// Encodes a value as send() does. The content of a buffer that is not shareable becomes bytes.
bool encode_shared(ModuleState& state, PyObject* value, bool pickle, Cell& cell) noexcept {
  if (PyObject_CheckBuffer(value) && !is_a(state, value, ValueType::buffer)) {
    if (encode(state, value, cell, Destination::or_pickle)) return true;
    if (PyErr_Occurred()) return false;
    if (!is_array(value) || (!pickle && !is_contiguous(value))) return copy_buffer(state, value, cell);
  }
  return encode_by_policy(state, value, pickle, cell);
}

// Returns a Shared of an encoded value, and takes over what the cell owns. Null with an exception set.
PyObject* new_shared_of(ModuleState& state, const Cell& cell) noexcept {
  Block* block = as_block(state, cell);
  if (block == nullptr) return nullptr;
  PyObject* shared = new_shared(state, block);  // holds its own reference
  Arena::release(block);
  return shared;
}

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
  return encode_shared(state, value, pickle, cell) ? new_shared_of(state, cell) : nullptr;
}

PyDoc_STRVAR(share_doc,
"share($module, value, /, *, pickle=False)\n--\n\n"
"Encode a value once, to be sent without a copy any number of times, and return a Shared.\n\n"
"value: anything that can be sent, including views and endpoints; or another object with a C-contiguous buffer (mmap,\n"
"ctypes array), whose content is copied once and becomes bytes. A Shared is returned unchanged. A Buffer is refused:\n"
"freeze() it.\n"
"pickle: bool; True pickles a value that is not shareable.\n\n"
"Raises NotShareableError, ChannelClosed, MemoryLimitExceeded, MemoryError or ValueError as send() does, and\n"
"BufferError if the buffer is not contiguous. Never blocks. Thread-safe.");

}  // namespace

PyObject* share_bytes(ModuleState& state, PyObject* buffer) noexcept {
  Cell cell;
  return copy_buffer(state, buffer, cell) ? new_shared_of(state, cell) : nullptr;
}

PyMethodDef share_functions[] = {
    {"share", as_method(share), METH_FASTCALL | METH_KEYWORDS, share_doc},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace xichan::python

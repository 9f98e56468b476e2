#include "values/buffer.h"

#include <cstring>
#include <utility>

#include "base/arguments.h"
#include "base/errors.h"
#include "value/buffer_block.h"
#include "values/view.h"

namespace xichan::python {
namespace {

const char* condition_of(const BufferObject* buffer) noexcept {
  switch (buffer->condition) {
    case BufferState::frozen: return "the buffer is frozen";
    case BufferState::sending: return "the buffer is being sent";
    case BufferState::returned: return "the buffer is unusable: the message that it arrived in could not be decoded";
    default: return "the buffer was sent";
  }
}

bool check_usable(const BufferObject* buffer) noexcept {
  if (buffer->condition == BufferState::usable) return true;
  PyErr_SetString(PyExc_ValueError, condition_of(buffer));
  return false;
}

// Returns a Buffer without a block.
BufferObject* new_buffer(ModuleState& state, PyTypeObject* type) noexcept {
  BufferObject* buffer = PyObject_New(BufferObject, type);
  if (buffer == nullptr) return nullptr;
  buffer->weak_references = nullptr;
  buffer->state = &state;
  buffer->block = nullptr;
  buffer->length = 0;
  buffer->exports = 0;
  buffer->transfer = nullptr;
  buffer->entry = 0;
  buffer->origin = nullptr;
  buffer->condition = BufferState::sent;
  return buffer;
}

void own_block(BufferObject* buffer, Block* block) noexcept {
  buffer->block = block;
  buffer->length = buffer_content(block).size();
  buffer->condition = BufferState::usable;
}

PyObject* buffer_new(PyTypeObject* type, PyObject* args, PyObject* keywords) noexcept {
  static const char* names[] = {"nbytes", nullptr};
  PyObject* value;
  std::uint64_t length;
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "O:Buffer", const_cast<char**>(names), &value) ||
      !parse_int("nbytes", value, 0, max_length, length)) {
    return nullptr;
  }
  auto* state = static_cast<ModuleState*>(PyType_GetModuleState(type));
  Block* block;
  const Status status = allocate_buffer(length, block);
  if (status != Status::ok) return raise(*state, status);
  const auto content = buffer_content(block);
  std::memset(content.data(), 0, content.size());
  BufferObject* buffer = new_buffer(*state, type);
  if (buffer == nullptr) {
    Arena::discard(block);
    return nullptr;
  }
  own_block(buffer, block);
  return reinterpret_cast<PyObject*>(buffer);
}

void buffer_dealloc(PyObject* self) noexcept {
  PyTypeObject* type = Py_TYPE(self);
  BufferObject* buffer = as_buffer(self);
  if (buffer->weak_references != nullptr) PyObject_ClearWeakRefs(self);
  if (buffer->block != nullptr) Arena::release(buffer->block);
  type->tp_free(self);
  Py_DECREF(type);
}

int get_buffer(PyObject* self, Py_buffer* view, int flags) noexcept {
  BufferObject* buffer = as_buffer(self);
  view->obj = nullptr;
  if (!check_usable(buffer)) return -1;
  const auto content = buffer_content(buffer->block);
  if (PyBuffer_FillInfo(view, self, content.data(), static_cast<Py_ssize_t>(content.size()), 0, flags) < 0) return -1;
  ++buffer->exports;
  return 0;
}

void release_buffer(PyObject* self, Py_buffer*) noexcept { --as_buffer(self)->exports; }

PyObject* buffer_freeze(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"nbytes"};
  static constexpr Signature signature{"freeze", names, 0, 1};
  PyObject* values[1];
  BufferObject* buffer = as_buffer(self);
  std::uint64_t length = buffer->length;
  if (!parse_arguments(signature, args, count, keywords, values) ||
      !parse_optional_int("nbytes", values[0], 0, buffer->length, length) ||
      !check_usable(buffer)) {  // checked last: __index__ runs Python code, which may freeze the buffer
    return nullptr;
  }
  if (buffer->exports > 0) {
    return PyErr_Format(PyExc_BufferError, "cannot freeze: the buffer has %zd active export%s", buffer->exports,
                        buffer->exports == 1 ? "" : "s");
  }
  std::byte* body = buffer->block->body();
  const Cell before = BlockReader(buffer->block).root();
  const Cell root = fits_short(length, 1) ? Cell::of_short(Tag::short_bytes, body + before.word, length)
                                          : Cell::of(Tag::bytes, length, before.word);
  std::memcpy(body, &root, sizeof root);
  PyObject* shared = new_shared(*buffer->state, buffer->block);
  if (shared == nullptr) {
    std::memcpy(body, &before, sizeof before);
    return nullptr;
  }
  buffer->condition = BufferState::frozen;
  Arena::release(std::exchange(buffer->block, nullptr));  // the Shared holds its own reference
  return shared;
}

Py_ssize_t buffer_length(PyObject* self) noexcept {
  return check_usable(as_buffer(self)) ? static_cast<Py_ssize_t>(as_buffer(self)->length) : -1;
}

// False once frozen or sent: nothing is left in it. len() raises then, so bool() cannot rely on it.
int buffer_true(PyObject* self) noexcept {
  return as_buffer(self)->condition == BufferState::usable && as_buffer(self)->length != 0;
}

PyObject* buffer_nbytes(PyObject* self, void*) noexcept {
  return check_usable(as_buffer(self)) ? PyLong_FromUnsignedLongLong(as_buffer(self)->length) : nullptr;
}

PyObject* buffer_repr(PyObject* self) noexcept {
  static constexpr const char* names[] = {"", "frozen", "being sent", "sent", "unusable"};  // as in BufferState
  const BufferObject* buffer = as_buffer(self);
  if (buffer->condition != BufferState::usable) {
    return PyUnicode_FromFormat("<xichan.Buffer %s>", names[static_cast<int>(buffer->condition)]);
  }
  return PyUnicode_FromFormat("<xichan.Buffer of %llu bytes>", static_cast<unsigned long long>(buffer->length));
}

PyDoc_STRVAR(buffer_doc,
"Buffer(nbytes)\n--\n\n"
"Writable memory, initially zero, that moves to the receiver when it is sent, without a copy.\n\n"
"A writable buffer for memoryview, numpy.frombuffer, file.readinto and socket.recv_into, aligned to 64 bytes. A sent\n"
"Buffer is unusable; the receiver's Buffer owns the memory, and can be written to. If the send fails, the Buffer is\n"
"usable as before. freeze() turns it into a Shared, for several receivers.\n\n"
"nbytes: int, the size in bytes, from 0 to 2**48 - 1.\n\n"
"Raises TypeError or ValueError for any other size, MemoryLimitExceeded over the memory limit, and MemoryError.\n"
"Never blocks. Any thread of its interpreter may use it; the program orders concurrent writes.");

PyDoc_STRVAR(freeze_doc,
"freeze($self, /, nbytes=None)\n--\n\n"
"Return a Shared of the first bytes, in the same memory. The Buffer cannot be used afterwards.\n\n"
"nbytes: int, how many bytes to keep; all of them by default.\n\n"
"Raises BufferError while a memoryview or another object can still write to the memory, and ValueError if the\n"
"Buffer is already frozen or sent, or if nbytes is negative or larger than the Buffer. Never blocks.");

PyMethodDef methods[] = {
    {"freeze", as_method(buffer_freeze), METH_FASTCALL | METH_KEYWORDS, freeze_doc},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef properties[] = {
    {"nbytes", buffer_nbytes, nullptr, "int: the size in bytes. Raises ValueError once frozen or sent.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyMemberDef members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(BufferObject, weak_references), Py_READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>(buffer_doc)},
    {Py_tp_new, reinterpret_cast<void*>(buffer_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(buffer_dealloc)},
    {Py_tp_repr, reinterpret_cast<void*>(buffer_repr)},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {Py_tp_members, members},
    {Py_sq_length, reinterpret_cast<void*>(buffer_length)},
    {Py_nb_bool, reinterpret_cast<void*>(buffer_true)},
    {Py_bf_getbuffer, reinterpret_cast<void*>(get_buffer)},
    {Py_bf_releasebuffer, reinterpret_cast<void*>(release_buffer)},
    {0, nullptr},
};

}  // namespace

void raise_immovable(const BufferObject* buffer) noexcept {
  if (check_usable(buffer)) {
    PyErr_Format(PyExc_BufferError, "cannot send: the buffer has %zd active export%s", buffer->exports,
                 buffer->exports == 1 ? "" : "s");
  }
}

PyObject* take_buffer(ModuleState& state, MovedBuffer* moved) noexcept {
  BufferObject* buffer = new_buffer(state, state.type_of(ValueType::buffer));
  if (buffer == nullptr) return nullptr;
  Block* const block = moved->take();
  if (block == nullptr) {
    Py_DECREF(buffer);
    PyErr_SetString(PyExc_ValueError, "the Buffer was received before; each Buffer has one receiver");
    return nullptr;
  }
  own_block(buffer, block);
  buffer->origin = moved;
  return reinterpret_cast<PyObject*>(buffer);
}

void return_buffer(BufferObject* buffer) noexcept {
  if (!is_movable(buffer) || buffer->origin == nullptr) return;
  buffer->condition = BufferState::returned;
  std::exchange(buffer->origin, nullptr)->restore(std::exchange(buffer->block, nullptr));
}

PyType_Spec buffer_spec = {"xichan.Buffer", sizeof(BufferObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                           slots};

}  // namespace xichan::python

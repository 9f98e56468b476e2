#include "values/buffer.h"

#include <cstring>
#include <utility>

#include "base/arguments.h"
#include "base/errors.h"
#include "value/buffer_block.h"
#include "values/view.h"

namespace xichan::python {
namespace {

struct BufferObject {
  MovableObject movable;
  std::uint64_t length;
};

BufferObject* as_buffer(PyObject* object) noexcept { return reinterpret_cast<BufferObject*>(object); }
Block* block_of(const BufferObject* buffer) noexcept { return static_cast<Block*>(buffer->movable.content); }
bool is_usable(const BufferObject* buffer) noexcept { return buffer->movable.condition == MovableState::usable; }

const char* condition_of(const MovableObject* buffer) noexcept {
  switch (buffer->condition) {
    case MovableState::closed: return "the buffer is frozen";
    case MovableState::sending: return "the buffer is being sent";
    case MovableState::returned: return "the buffer is unusable: the message that it arrived in could not be decoded";
    default: return "the buffer was sent";
  }
}

bool check_usable(const BufferObject* buffer) noexcept {
  if (is_usable(buffer)) return true;
  PyErr_SetString(PyExc_ValueError, condition_of(&buffer->movable));
  return false;
}

void raise_immovable_buffer(const MovableObject* buffer) noexcept {
  if (buffer->condition == MovableState::usable) {
    PyErr_Format(PyExc_BufferError, "cannot send: the buffer has %zd active export%s", buffer->uses,
                 buffer->uses == 1 ? "" : "s");
  } else {
    PyErr_SetString(PyExc_ValueError, condition_of(buffer));
  }
}

void note_length(MovableObject* buffer) noexcept {
  BufferObject* const object = as_buffer(as_object(buffer));
  object->length = buffer_content(block_of(object)).size();
}

constexpr MovableKind kind{moved_buffer, note_length, [](void*) noexcept {}, raise_immovable_buffer, nullptr};

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
  MovableObject* const buffer = new_buffer(*state);
  if (buffer == nullptr) {
    Arena::discard(block);
    return nullptr;
  }
  put_content(buffer, block);
  return as_object(buffer);
}

void buffer_dealloc(PyObject* self) noexcept {
  PyTypeObject* type = Py_TYPE(self);
  const BufferObject* buffer = as_buffer(self);
  if (buffer->movable.weak_references != nullptr) PyObject_ClearWeakRefs(self);
  if (Block* block = block_of(buffer)) Arena::release(block);
  type->tp_free(self);
  Py_DECREF(type);
}

int get_buffer(PyObject* self, Py_buffer* view, int flags) noexcept {
  BufferObject* buffer = as_buffer(self);
  view->obj = nullptr;
  if (!check_usable(buffer)) return -1;
  const auto content = buffer_content(block_of(buffer));
  if (PyBuffer_FillInfo(view, self, content.data(), static_cast<Py_ssize_t>(content.size()), 0, flags) < 0) return -1;
  ++buffer->movable.uses;
  return 0;
}

void release_buffer(PyObject* self, Py_buffer*) noexcept { --as_movable(self)->uses; }

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
  const Py_ssize_t exports = buffer->movable.uses;
  if (exports > 0) {
    return PyErr_Format(PyExc_BufferError, "cannot freeze: the buffer has %zd active export%s", exports,
                        exports == 1 ? "" : "s");
  }
  Block* const block = block_of(buffer);
  std::byte* body = block->body();
  const Cell before = BlockReader(block).root();
  const Cell root = fits_short(length, 1) ? Cell::of_short(Tag::short_bytes, body + before.word, length)
                                          : Cell::of(Tag::bytes, length, before.word);
  std::memcpy(body, &root, sizeof root);
  PyObject* shared = new_shared(*buffer->movable.state, block);
  if (shared == nullptr) {
    std::memcpy(body, &before, sizeof before);
    return nullptr;
  }
  take_content(&buffer->movable, MovableState::closed);
  Arena::release(block);  // the Shared holds its own reference
  return shared;
}

Py_ssize_t buffer_length(PyObject* self) noexcept {
  return check_usable(as_buffer(self)) ? static_cast<Py_ssize_t>(as_buffer(self)->length) : -1;
}

// False once frozen or sent: nothing is left in it. len() raises then, so bool() cannot rely on it.
int buffer_true(PyObject* self) noexcept { return is_usable(as_buffer(self)) && as_buffer(self)->length != 0; }

PyObject* buffer_nbytes(PyObject* self, void*) noexcept {
  return check_usable(as_buffer(self)) ? PyLong_FromUnsignedLongLong(as_buffer(self)->length) : nullptr;
}

PyObject* buffer_repr(PyObject* self) noexcept {
  // As in MovableState.
  static constexpr const char* names[] = {"", "frozen", "", "being sent", "sent", "unusable"};
  const BufferObject* buffer = as_buffer(self);
  if (!is_usable(buffer)) {
    return PyUnicode_FromFormat("<xichan.Buffer %s>", names[static_cast<int>(buffer->movable.condition)]);
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
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(MovableObject, weak_references), Py_READONLY, nullptr},
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

MovableObject* new_buffer(ModuleState& state) noexcept {
  BufferObject* const buffer = PyObject_New(BufferObject, state.type_of(ValueType::buffer));
  if (buffer == nullptr) return nullptr;
  initialize(&buffer->movable, state, kind);
  buffer->length = 0;
  return &buffer->movable;
}

PyType_Spec buffer_spec = {"xichan.Buffer", sizeof(BufferObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                           slots};

}  // namespace xichan::python

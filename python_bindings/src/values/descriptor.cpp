#include "values/descriptor.h"

#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <new>

#include "base/arguments.h"
#include "base/errors.h"
#include "base/ref.h"

namespace xichan::python {
namespace {

const char* condition_of(const MovableObject* descriptor) noexcept {
  switch (descriptor->condition) {
    case MovableState::usable: return "the descriptor is in use by another call";
    case MovableState::closed: return "the descriptor is closed";
    case MovableState::detached: return "the descriptor was detached, by detach(), socket() or open()";
    case MovableState::sending: return "the descriptor is being sent";
    case MovableState::sent: return "the descriptor was sent";
    case MovableState::returned: break;
  }
  return "the descriptor is unusable: the message that it arrived in could not be decoded";
}

OwnedDescriptor* owned_by(const MovableObject* descriptor) noexcept {
  return static_cast<OwnedDescriptor*>(descriptor->content);
}

// The functions of the kind.

void join_owner(MovableObject* descriptor) noexcept { owned_by(descriptor)->join(descriptor->state->endpoints->owner); }

void leave_owner(void* content) noexcept { static_cast<OwnedDescriptor*>(content)->leave(); }

void raise_immovable_descriptor(const MovableObject* descriptor) noexcept {
  PyErr_SetString(PyExc_ValueError, condition_of(descriptor));
}

int duplicate_content(const void* content, void*& duplicate) noexcept {
  const auto* const owned = static_cast<const OwnedDescriptor*>(content);
  const int number = OwnedDescriptor::duplicate(owned->number());
  if (number < 0) return errno;
  duplicate = new (std::nothrow) OwnedDescriptor(number, owned->timeout());
  if (duplicate != nullptr) return 0;
  close(number);
  return ENOMEM;
}

constexpr MovableKind kind{moved_descriptor, join_owner, leave_owner, raise_immovable_descriptor, duplicate_content};

// Releases the content of a usable Descriptor, which may take long, without the GIL.
void destroy(void* content) noexcept {
  PyThreadState* const thread = PyEval_SaveThread();
  delete static_cast<OwnedDescriptor*>(content);
  PyEval_RestoreThread(thread);
}

void descriptor_finalize(PyObject* self) noexcept {
  MovableObject* const descriptor = as_movable(self);
  if (descriptor->condition != MovableState::usable) return;
  PyObject* const error = PyErr_GetRaisedException();
  const bool is_open = owned_by(descriptor)->number() >= 0;  // its interpreter has not ended
  if (is_open && PyErr_ResourceWarning(self, 1, "unclosed %R", self) < 0) {
    if (PyErr_ExceptionMatches(PyExc_Warning) != 0) PyErr_WriteUnraisable(self);
    PyErr_Clear();
  }
  // The code that shows warnings may have closed it.
  if (descriptor->condition == MovableState::usable) destroy(take_content(descriptor, MovableState::closed));
  PyErr_SetRaisedException(error);
}

void descriptor_dealloc(PyObject* self) noexcept {
  if (PyObject_CallFinalizerFromDealloc(self) < 0) return;
  PyTypeObject* type = Py_TYPE(self);
  if (as_movable(self)->weak_references != nullptr) PyObject_ClearWeakRefs(self);
  type->tp_free(self);
  Py_DECREF(type);
}

// Returns what the system calls the open file, such as "socket:[1234]" or a path; "" if it is not known.
Ref target_of(int number) noexcept {
  char link[64];
  char target[PATH_MAX];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", number);
  const ssize_t length = readlink(link, target, sizeof target);
  return Ref(PyUnicode_DecodeFSDefaultAndSize(target, length < 0 ? 0 : length));
}

PyObject* descriptor_repr(PyObject* self) noexcept {
  static constexpr const char* names[] = {"", "closed", "detached", "being sent", "sent", "unusable"};  // MovableState
  const MovableObject* const descriptor = as_movable(self);
  if (descriptor->condition != MovableState::usable) {
    return PyUnicode_FromFormat("<xichan.Descriptor %s>", names[static_cast<int>(descriptor->condition)]);
  }
  const int number = owned_by(descriptor)->number();
  const Ref target = target_of(number);
  if (!target) return nullptr;
  const bool is_known = PyUnicode_GET_LENGTH(target.get()) != 0;
  return PyUnicode_FromFormat("<xichan.Descriptor fd=%d%s%U>", number, is_known ? " " : "", target.get());
}

PyObject* descriptor_fileno(PyObject* self, PyObject*) noexcept {
  const MovableObject* const descriptor = as_movable(self);
  if (descriptor->condition == MovableState::usable) return PyLong_FromLong(owned_by(descriptor)->number());
  PyErr_SetString(PyExc_ValueError, condition_of(descriptor));
  return nullptr;
}

PyObject* descriptor_detach(PyObject* self, PyObject*) noexcept {
  OwnedDescriptor* const owned = usable_descriptor(self);
  if (owned == nullptr) return nullptr;
  PyObject* const number = PyLong_FromLong(owned->number());
  if (number == nullptr) return nullptr;
  take_content(as_movable(self), MovableState::detached);
  (void)owned->release();
  delete owned;
  return number;
}

// Closing is the end of every Descriptor, also of one that was sent: `with` blocks call it.
PyObject* descriptor_close(PyObject* self, PyObject*) noexcept {
  const MovableState condition = as_movable(self)->condition;
  if (condition != MovableState::usable && condition != MovableState::sending) Py_RETURN_NONE;
  if (usable_descriptor(self) == nullptr) return nullptr;
  destroy(take_content(as_movable(self), MovableState::closed));
  Py_RETURN_NONE;
}

PyObject* descriptor_exit(PyObject* self, PyObject*) noexcept { return descriptor_close(self, nullptr); }

PyObject* descriptor_enter(PyObject* self, PyObject*) noexcept {
  return usable_descriptor(self) == nullptr ? nullptr : Py_NewRef(self);
}

PyObject* descriptor_closed(PyObject* self, void*) noexcept {
  const MovableState condition = as_movable(self)->condition;
  return PyBool_FromLong(condition != MovableState::usable && condition != MovableState::sending);
}

// Makes a Descriptor that owns a duplicate of an open descriptor. Null with an exception set.
PyObject* new_duplicate(ModuleState& state, int number, double timeout) noexcept {
  MovableObject* const descriptor = new_descriptor(state);
  if (descriptor == nullptr) return nullptr;
  const int duplicate = OwnedDescriptor::duplicate(number);
  if (duplicate < 0) {
    PyErr_SetFromErrno(PyExc_OSError);
  } else if (auto* owned = new (std::nothrow) OwnedDescriptor(duplicate, timeout)) {
    put_content(descriptor, owned);
    return as_object(descriptor);
  } else {
    close(duplicate);
    PyErr_NoMemory();
  }
  Py_DECREF(descriptor);
  return nullptr;
}

// _new_descriptor(source, timeout): for xichan._descriptor. `source`: a Descriptor, or the number of an open
// descriptor. `timeout`: of a socket, as settimeout() takes it; absent if it is not known.
PyObject* make_descriptor(PyObject* module, PyObject* const* args, Py_ssize_t count) noexcept {
  if (count < 1 || count > 2) return PyErr_Format(PyExc_TypeError, "_new_descriptor() takes 1 or 2 arguments");
  ModuleState& state = *state_of(module);
  if (is_a(state, args[0], ValueType::descriptor)) {
    const OwnedDescriptor* const owned = usable_descriptor(args[0]);
    return owned == nullptr ? nullptr : new_duplicate(state, owned->number(), owned->timeout());
  }
  double timeout = OwnedDescriptor::unknown;
  if (count == 2) {
    timeout = args[1] == Py_None ? OwnedDescriptor::blocking : PyFloat_AsDouble(args[1]);
    if (timeout == -1 && PyErr_Occurred() != nullptr) return nullptr;
    if (!(timeout >= 0) && timeout != OwnedDescriptor::blocking) timeout = OwnedDescriptor::unknown;
  }
  const int number = PyLong_AsInt(args[0]);
  if (number == -1 && PyErr_Occurred() != nullptr) return nullptr;
  return new_duplicate(state, number, timeout);
}

PyDoc_STRVAR(descriptor_doc,
"A file descriptor of a socket, pipe or file, which moves to the receiver when it is sent. descriptor() makes one.\n\n"
"Owns the descriptor, and closes it with the last reference to this object; that is a ResourceWarning. Afterwards, and\n"
"once it was sent, detached, or made a socket or file, every use except close() and `closed` raises ValueError. If the\n"
"send fails, the Descriptor is usable as before. A message that is discarded closes its descriptors.\n\n"
"A context manager that closes it. Any thread of its interpreter may use it. No method waits for another thread.");

PyDoc_STRVAR(socket_doc,
"socket($self, /)\n--\n\n"
"Return a socket.socket that owns the descriptor, with the family, type, protocol and timeout of the original.\n\n"
"A descriptor that was not made of a socket object is blocking, or has the timeout 0 if it is non-blocking.\n\n"
"Raises OSError if it is not a socket, which leaves the Descriptor usable, and ValueError if it owns nothing. Does not\n"
"block.");

PyDoc_STRVAR(open_doc,
"open($self, /, mode='r', buffering=-1, encoding=None, errors=None, newline=None)\n--\n\n"
"Return a file object that owns the descriptor. The parameters are those of os.fdopen().\n\n"
"The file has a duplicate, and so another number than fileno() returned; the descriptor itself is closed.\n\n"
"Raises io.UnsupportedOperation (an OSError and ValueError) if the descriptor cannot be read or written as the mode\n"
"says, OSError if no more descriptors can be opened, and what open() raises. Then the Descriptor stays usable. Raises\n"
"ValueError if it owns nothing. Does not block.");

PyDoc_STRVAR(fileno_doc,
"fileno($self, /)\n--\n\n"
"Return the number of the descriptor, an int, which the Descriptor continues to own. Raises ValueError if it owns\n"
"nothing.");

PyDoc_STRVAR(detach_doc,
"detach($self, /)\n--\n\n"
"Return the number of the descriptor, an int, which the caller owns from then on. Raises ValueError if it owns nothing.");

PyDoc_STRVAR(close_doc,
"close($self, /)\n--\n\n"
"Close the descriptor, if the Descriptor still owns it. Raises ValueError while another call sends or uses it. May\n"
"block as close() of the system does.");

PyMethodDef methods[] = {
    {"socket", descriptor_socket, METH_NOARGS, socket_doc},
    {"open", as_method(descriptor_open), METH_FASTCALL | METH_KEYWORDS, open_doc},
    {"fileno", descriptor_fileno, METH_NOARGS, fileno_doc},
    {"detach", descriptor_detach, METH_NOARGS, detach_doc},
    {"close", descriptor_close, METH_NOARGS, close_doc},
    {"__enter__", descriptor_enter, METH_NOARGS, nullptr},
    {"__exit__", descriptor_exit, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef properties[] = {
    {"closed", descriptor_closed, nullptr, "bool: True once it owns nothing: closed, sent or detached.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyMemberDef members[] = {
    {"__weaklistoffset__", Py_T_PYSSIZET, offsetof(MovableObject, weak_references), Py_READONLY, nullptr},
    {nullptr, 0, 0, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>(descriptor_doc)},
    {Py_tp_finalize, reinterpret_cast<void*>(descriptor_finalize)},
    {Py_tp_dealloc, reinterpret_cast<void*>(descriptor_dealloc)},
    {Py_tp_repr, reinterpret_cast<void*>(descriptor_repr)},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {Py_tp_members, members},
    {0, nullptr},
};

}  // namespace

OwnedDescriptor* usable_descriptor(PyObject* self) noexcept {
  const MovableObject* const descriptor = as_movable(self);
  if (is_movable(descriptor)) return owned_by(descriptor);
  PyErr_SetString(PyExc_ValueError, condition_of(descriptor));
  return nullptr;
}

MovableObject* new_descriptor(ModuleState& state) noexcept {
  if (state.endpoints->owner.has_ended()) {
    raise(state, Status::closed, "the interpreter is shutting down");
    return nullptr;
  }
  auto* const descriptor = PyObject_New(MovableObject, state.type_of(ValueType::descriptor));
  if (descriptor != nullptr) initialize(descriptor, state, kind);
  return descriptor;
}

PyMethodDef descriptor_functions[] = {
    {"_new_descriptor", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(make_descriptor)), METH_FASTCALL,
     nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Spec descriptor_spec = {"xichan.Descriptor", sizeof(MovableObject), 0,
                               Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                               slots};

}  // namespace xichan::python

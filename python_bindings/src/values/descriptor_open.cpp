// Descriptor.socket() and Descriptor.open(): objects of the standard library that take a descriptor over.
//
// Both run Python code, which may raise at any point, also because of a signal. So neither hands over the descriptor
// before the object is complete: socket() takes it out of a socket that could not be completed, and open() gives the
// file a duplicate. Meanwhile `uses` keeps other calls from closing or sending it.
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <string_view>

#include "base/arguments.h"
#include "base/ref.h"
#include "values/descriptor.h"

namespace xichan::python {
namespace {

/// Keeps a usable Descriptor as it is during a call.
class Use {
 public:
  explicit Use(PyObject* self) noexcept : descriptor_(as_movable(self)) { ++descriptor_->uses; }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  ~Use() { --descriptor_->uses; }

 private:
  MovableObject* const descriptor_;
};

const char* kind_of(mode_t mode) noexcept {
  switch (mode & S_IFMT) {
    case S_IFREG: return "a file";
    case S_IFDIR: return "a directory";
    case S_IFIFO: return "a pipe";
    case S_IFCHR:
    case S_IFBLK: return "a device";
    default: return "something else";
  }
}

// Returns false with OSError set for anything other than a socket.
bool check_is_socket(int number) noexcept {
  struct stat status;
  if (fstat(number, &status) != 0) {
    PyErr_SetFromErrno(PyExc_OSError);
    return false;
  }
  if (S_ISSOCK(status.st_mode)) return true;
  const Ref text(PyUnicode_FromFormat("the descriptor is %s, not a socket; call open()", kind_of(status.st_mode)));
  const Ref args(text ? Py_BuildValue("(iO)", ENOTSOCK, text.get()) : nullptr);
  if (args) PyErr_SetObject(PyExc_OSError, args.get());
  return false;
}

// Calls socket.__init__(fileno=number) and socket.settimeout(). False with an exception set.
bool complete_socket(PyObject* socket, int number, double timeout) noexcept {
  const Ref init(PyObject_GetAttrString(socket, "__init__"));
  const Ref none(PyTuple_New(0));
  const Ref keywords(Py_BuildValue("{si}", "fileno", number));
  if (!init || !none || !keywords || !Ref(PyObject_Call(init.get(), none.get(), keywords.get()))) return false;
  const Ref seconds(timeout == OwnedDescriptor::blocking ? Py_NewRef(Py_None) : PyFloat_FromDouble(timeout));
  return seconds && Ref(PyObject_CallMethod(socket, "settimeout", "O", seconds.get()));
}

// Returns false with io.UnsupportedOperation set if the descriptor does not allow what a mode of open() needs.
bool check_access(int number, PyObject* mode) noexcept {
  const char* const text = mode == nullptr ? "r" : PyUnicode_Check(mode) ? PyUnicode_AsUTF8(mode) : "";
  if (text == nullptr) return false;
  const int flags = fcntl(number, F_GETFL);
  const int access = flags & O_ACCMODE;
  const std::string_view wanted(text);
  const bool writes = wanted.find_first_of("wax+") != std::string_view::npos;
  const bool reads = wanted.find_first_of("r+") != std::string_view::npos;
  if (flags < 0 || !((writes && access == O_RDONLY) || (reads && access == O_WRONLY))) return true;
  const Ref error = import_attribute("io", "UnsupportedOperation");
  if (error) {
    PyErr_Format(error.get(), "cannot open with mode '%s': the descriptor is open for %s only", text,
                 access == O_RDONLY ? "reading" : "writing");
  }
  return false;
}

// The `opener` of open(): returns a duplicate, which the file owns from then on.
PyObject* open_duplicate(PyObject* self, PyObject*) noexcept {
  if (as_movable(self)->condition != MovableState::usable) return PyErr_Format(PyExc_ValueError, "open() has returned");
  const int number = OwnedDescriptor::duplicate(static_cast<OwnedDescriptor*>(as_movable(self)->content)->number());
  if (number < 0) return PyErr_SetFromErrno(PyExc_OSError);
  PyObject* const result = PyLong_FromLong(number);
  if (result == nullptr) const OwnedDescriptor closes{number};
  return result;
}

PyMethodDef opener_method = {"opener", open_duplicate, METH_VARARGS, nullptr};

// Calls open() with those of the arguments that are present. Null with an exception set.
Ref open_file(PyObject* self, const Ref& open, std::span<const char* const> names, PyObject* const* values) noexcept {
  const Ref opener(PyCFunction_New(&opener_method, self));
  const Ref name(PyObject_Repr(self));  // for messages
  const Ref args(name ? PyTuple_Pack(1, name.get()) : nullptr);
  const Ref keywords(PyDict_New());
  if (!opener || !args || !keywords || PyDict_SetItemString(keywords.get(), "opener", opener.get()) < 0) return Ref();
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (values[i] != nullptr && PyDict_SetItemString(keywords.get(), names[i], values[i]) < 0) return Ref();
  }
  return Ref(PyObject_Call(open.get(), args.get(), keywords.get()));
}

// Sets the `name` of a file to its number, as os.fdopen() does. False with an exception set.
bool set_name(const Ref& file) noexcept {
  Ref raw(Py_NewRef(file.get()));
  for (const char* inner : {"buffer", "raw"}) {
    PyObject* found;
    if (PyObject_GetOptionalAttrString(raw.get(), inner, &found) < 0) return false;
    if (found != nullptr) raw = Ref(found);
  }
  const Ref number(PyObject_CallMethod(raw.get(), "fileno", nullptr));
  return number && PyObject_SetAttrString(raw.get(), "name", number.get()) == 0;
}

}  // namespace

PyObject* descriptor_socket(PyObject* self, PyObject*) noexcept {
  const Ref base = import_attribute("_socket", "socket");
  const Ref detach(base ? PyObject_GetAttrString(base.get(), "detach") : nullptr);  // calling it needs no memory
  const Ref type = import_attribute("socket", "socket");
  OwnedDescriptor* const owned = detach && type ? usable_descriptor(self) : nullptr;
  if (owned == nullptr || !check_is_socket(owned->number())) return nullptr;
  double timeout = owned->timeout();
  if (timeout == OwnedDescriptor::unknown) {
    timeout = (fcntl(owned->number(), F_GETFL) & O_NONBLOCK) != 0 ? 0 : OwnedDescriptor::blocking;
  }
  Ref socket;
  {
    const Use use(self);
    socket = Ref(PyObject_CallMethod(type.get(), "__new__", "O", type.get()));
    if (!socket) return nullptr;
    if (!complete_socket(socket.get(), owned->number(), timeout)) {
      PyObject* const error = PyErr_GetRaisedException();
      Py_XDECREF(PyObject_CallOneArg(detach.get(), socket.get()));
      PyErr_SetRaisedException(error);
      return nullptr;
    }
  }
  take_content(as_movable(self), MovableState::detached);
  (void)owned->release();
  delete owned;
  return socket.release();
}

PyObject* descriptor_open(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"mode", "buffering", "encoding", "errors", "newline"};
  static constexpr Signature signature{"open", names, 0, 5};
  PyObject* values[5];
  if (!parse_arguments(signature, args, count, keywords, values)) return nullptr;
  const Ref open = import_attribute("io", "open");
  OwnedDescriptor* const owned = open ? usable_descriptor(self) : nullptr;
  if (owned == nullptr || !check_access(owned->number(), values[0])) return nullptr;
  Ref file;
  {
    const Use use(self);
    file = open_file(self, open, names, values);
    if (!file || !set_name(file)) return nullptr;
  }
  take_content(as_movable(self), MovableState::detached);
  delete owned;
  return file.release();
}

}  // namespace xichan::python

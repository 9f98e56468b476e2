#include "values/dumps.h"

#include "base/arguments.h"
#include "base/errors.h"
#include "base/large_copy.h"
#include "base/ref.h"
#include "value/dump.h"
#include "value/message.h"
#include "values/decode.h"
#include "values/encode.h"
#include "values/encode_path.h"

namespace xichan::python {
namespace {

constexpr const char* cannot_leave = "cannot leave its process";

PyObject* raise_flatten(const ModuleState& state, Status status, const UnportableValue& found) noexcept {
  if (status != Status::invalid) return raise(state, status);
  const char* type = found.tag == Tag::record                 ? "a pickled value"
                     : found.tag == Tag::queue                ? "xichan.Queue"
                     : found.end == ReferenceKind::buffer     ? "xichan.Buffer"
                     : found.end == ReferenceKind::descriptor ? "xichan.Descriptor"
                     : found.end == ReferenceKind::state      ? "an object that interpreters share"
                     : found.end == ReferenceKind::sender     ? "xichan.Sender"
                                                              : "xichan.Receiver";
  raise_not_shareable(state, found.steps, type, cannot_leave);
  return nullptr;
}

PyObject* write(const Cell& flat) noexcept {
  const std::span<const std::byte> body = dump_body(flat);
  const DumpHeader header = dump_header(body.size());
  PyObject* bytes = PyBytes_FromStringAndSize(nullptr, static_cast<Py_ssize_t>(sizeof header + body.size()));
  if (bytes == nullptr) return nullptr;
  char* to = PyBytes_AS_STRING(bytes);
  std::memcpy(to, &header, sizeof header);
  copy_payload(to + sizeof header, body.data(), body.size());
  return bytes;
}

PyObject* dumps(PyObject* module, PyObject* value) noexcept {
  const ModuleState& state = *state_of(module);
  Cell cell;
  if (!encode(state, value, cell, Destination::outside)) return nullptr;
  Cell flat;
  UnportableValue found;
  const Status status = flatten(cell, flat, found);
  release(cell);
  if (status != Status::ok) return raise_flatten(state, status, found);
  PyObject* bytes = write(flat);
  release(flat);
  return bytes;
}

PyDoc_STRVAR(dumps_doc,
"dumps($module, value, /)\n--\n\n"
"Return a value as bytes that can leave the process.\n\n"
"loads() recreates the value, bit for bit, in this process or another, with this release of xichan or\n"
"a later one.\n\n"
"value: anything that can be sent, except Senders, Receivers and Queues, which belong to their process. A\n"
"container, object, str, bytes or large int that occurs more than once in the value is stored once.\n\n"
"Raises NotShareableError, which names the path to the part that cannot leave the process or cannot be sent;\n"
"MemoryLimitExceeded or MemoryError, because a copy of the value is held in memory that set_memory_limit() bounds.\n"
"Never blocks. Thread-safe.");

// Returns a tuple of (module, qualified name, class) for each class.
Ref parse_classes(PyObject* classes) noexcept {
  if (classes == nullptr) return Ref(PyTuple_New(0));
  if (PyType_Check(classes)) {
    PyErr_Format(PyExc_TypeError, "classes must be an iterable of classes, got the class %N", classes);
    return Ref();
  }
  Ref listed(PySequence_List(classes));
  for (Py_ssize_t i = 0; listed && i < PyList_GET_SIZE(listed.get()); ++i) {
    const Ref cls(Py_NewRef(PyList_GET_ITEM(listed.get(), i)));
    if (!PyType_Check(cls.get())) {
      PyErr_Format(PyExc_TypeError, "classes must be an iterable of classes, got an item of type %T", cls.get());
      return Ref();
    }
    const Ref module(PyType_GetModuleName(reinterpret_cast<PyTypeObject*>(cls.get())));
    const Ref name(module ? PyType_GetQualName(reinterpret_cast<PyTypeObject*>(cls.get())) : nullptr);
    PyObject* entry = name ? PyTuple_Pack(3, module.get(), name.get(), cls.get()) : nullptr;
    if (entry == nullptr || PyList_SetItem(listed.get(), i, entry) < 0) return Ref();
  }
  return Ref(listed ? PyList_AsTuple(listed.get()) : nullptr);
}

PyObject* loads(PyObject* module, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"data", "classes", "max_bytes"};
  static constexpr Signature signature{"loads", names, 1, 1};
  PyObject* values[3];
  std::uint64_t max_bytes = UINT64_MAX;
  ModuleState& state = *state_of(module);
  if (!parse_arguments(signature, args, count, keywords, values) ||
      !parse_optional_int("max_bytes", values[2], 0, UINT64_MAX, max_bytes)) {
    return nullptr;
  }
  const Ref classes = parse_classes(values[1]);
  if (!classes) return nullptr;
  PyObject* buffer = values[0];
  Py_buffer view;
  if (PyObject_GetBuffer(buffer, &view, PyBUF_SIMPLE) < 0) return nullptr;
  Cell cell;
  VerifyError error;
  const Status status =
      load({static_cast<const std::byte*>(view.buf), static_cast<std::size_t>(view.len)}, cell, error, max_bytes);
  PyBuffer_Release(&view);
  if (status == Status::too_large) {
    return PyErr_Format(PyExc_ValueError,
                        "xichan.loads: the value may take %llu bytes, more than max_bytes, which is %llu",
                        static_cast<unsigned long long>(error.offset), static_cast<unsigned long long>(max_bytes));
  }
  if (status == Status::invalid) {
    const auto offset = static_cast<unsigned long long>(error.offset);
    return PyErr_Format(PyExc_ValueError, "xichan.loads: %s (at byte %llu)", error.what, offset);
  }
  if (status != Status::ok) return raise(state, status);
  PyObject* value = decode_untrusted(state, cell, classes.get());
  release(cell);
  return value;
}

PyDoc_STRVAR(loads_doc,
"loads($module, /, data, *, classes=(), max_bytes=None)\n--\n\n"
"Return the value that dumps() was called with.\n\n"
"data: bytes, bytearray, memoryview, mmap or any other object with a contiguous buffer, holding exactly one dump. It\n"
"may come from an untrusted source, and may even be modified during the call.\n"
"classes: an iterable of classes. Objects of these, of the standard types and of builtin exceptions are made; any\n"
"other object arrives as a RecordView. Only the modules of the standard types are imported, and only their code and\n"
"that of the classes runs.\n"
"max_bytes: int; the most bytes that the objects of the value may take, as sys.getsizeof() counts them. A larger value\n"
"is refused before any object is made. None: no limit; loading takes time and memory proportional to the length of the\n"
"data.\n\n"
"Raises ValueError, with a reason and the offset of the offending byte, if the data does not hold a valid dump, and if\n"
"the value may take more than max_bytes; DecodeError, a ValueError, if an object refuses its content; TypeError if\n"
"the data has no buffer; BufferError if the memory is not contiguous; MemoryLimitExceeded or MemoryError. Never blocks.\n"
"Thread-safe.");

}  // namespace

PyMethodDef dumps_functions[] = {
    {"dumps", dumps, METH_O, dumps_doc},
    {"loads", as_method(loads), METH_FASTCALL | METH_KEYWORDS, loads_doc},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace xichan::python

#include "values/dumps.h"

#include "base/errors.h"
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
  const char* type = found.tag == Tag::record             ? "a pickled value"
                     : found.tag == Tag::queue            ? "xichan.Queue"
                     : found.end == ReferenceKind::sender ? "xichan.Sender"
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
  std::memcpy(to + sizeof header, body.data(), body.size());
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
"value: anything that can be sent, except Senders, Receivers and Queues, which belong to their process. A str,\n"
"bytes or large int that occurs more than once in the value is stored once.\n\n"
"Raises NotShareableError, which names the path to the part that cannot leave the process or cannot be sent;\n"
"MemoryLimitExceeded or MemoryError, because a copy of the value is held in memory that set_memory_limit() bounds.\n"
"Never blocks. Thread-safe.");

PyObject* loads(PyObject* module, PyObject* buffer) noexcept {
  ModuleState& state = *state_of(module);
  Py_buffer view;
  if (PyObject_GetBuffer(buffer, &view, PyBUF_SIMPLE) < 0) return nullptr;
  Cell cell;
  VerifyError error;
  const Status status =
      load({static_cast<const std::byte*>(view.buf), static_cast<std::size_t>(view.len)}, cell, error);
  PyBuffer_Release(&view);
  if (status == Status::invalid) {
    const auto offset = static_cast<unsigned long long>(error.offset);
    return PyErr_Format(PyExc_ValueError, "xichan.loads: %s (at byte %llu)", error.what, offset);
  }
  if (status != Status::ok) return raise(state, status);
  PyObject* value = decode(state, cell);
  release(cell);
  return value;
}

PyDoc_STRVAR(loads_doc,
"loads($module, buffer, /)\n--\n\n"
"Return the value that dumps() was called with.\n\n"
"buffer: bytes, bytearray, memoryview, mmap or any other object with a contiguous buffer, holding exactly one\n"
"dump. It may come from an untrusted source, and may even be modified during the call: loading runs no code, and\n"
"takes time and memory proportional to the length of the buffer.\n\n"
"Raises ValueError, with a reason and the offset of the offending byte, if the buffer does not hold a valid dump;\n"
"TypeError if the object has no buffer; BufferError if the memory is not contiguous; MemoryLimitExceeded or\n"
"MemoryError. Never blocks. Thread-safe.");

}  // namespace

PyMethodDef dumps_functions[] = {
    {"dumps", dumps, METH_O, dumps_doc},
    {"loads", loads, METH_O, loads_doc},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace xichan::python

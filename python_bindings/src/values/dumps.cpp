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

PyObject* raise_flatten(const ModuleState& state, Status status, const UnportableValue& stay) noexcept {
  if (status != Status::invalid) return raise(state, status);
  const char* what = stay.tag == Tag::queue ? "Queue" : stay.end == ReferenceKind::sender ? "Sender" : "Receiver";
  raise_not_shareable(state, stay.steps, what, cannot_leave);
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

}  // namespace

PyObject* dumps(PyObject* module, PyObject* value) noexcept {
  const ModuleState& state = *state_of(module);
  Cell cell;
  if (!encode(state, value, cell, Destination::outside)) return nullptr;
  Cell flat;
  UnportableValue stay;
  const Status status = flatten(cell, flat, stay);
  release(cell);
  if (status != Status::ok) return raise_flatten(state, status, stay);
  PyObject* bytes = write(flat);
  release(flat);
  return bytes;
}

PyObject* loads(PyObject* module, PyObject* buffer) noexcept {
  ModuleState& state = *state_of(module);
  Py_buffer view;
  if (PyObject_GetBuffer(buffer, &view, PyBUF_SIMPLE) < 0) return nullptr;
  Cell cell;
  VerifyError flaw;
  const Status status = load({static_cast<const std::byte*>(view.buf), static_cast<std::size_t>(view.len)}, cell, flaw);
  PyBuffer_Release(&view);
  if (status == Status::invalid) {
    const auto offset = static_cast<unsigned long long>(flaw.offset);
    return PyErr_Format(PyExc_ValueError, "xichan.loads: %s (at byte %llu)", flaw.what, offset);
  }
  if (status != Status::ok) return raise(state, status);
  PyObject* value = decode(state, cell);
  release(cell);
  return value;
}

const char dumps_doc[] = PyDoc_STR(
    "dumps($module, value, /)\n--\n\n"
    "A value as bytes that may leave the process; loads() makes the value again, to the last bit, in this\n"
    "process or another, with this release of xichan or a later one.\n\n"
    "Takes what channels take but for ends and Queues, which belong to their process: NotShareableError\n"
    "names the place of such a one, as of anything else that cannot be sent. A str, bytes or large int that\n"
    "occurs more than once in the value is stored once. On the way the value is held in memory that\n"
    "set_memory_limit() bounds: MemoryLimitExceeded or another MemoryError. Never waits.");

const char loads_doc[] = PyDoc_STR(
    "loads($module, buffer, /)\n--\n\n"
    "The value that dumps() made these bytes of.\n\n"
    "buffer: bytes, bytearray, memoryview, mmap or whatever else shows contiguous memory, of exactly one\n"
    "dump. It may come from anywhere, and may even be written to meanwhile: what is no dump raises\n"
    "ValueError, which says what is wrong and at which byte, and runs no code. The work and the memory\n"
    "taken are proportional to the buffer's length. Raises TypeError for what is no buffer, BufferError for\n"
    "memory that is not contiguous, MemoryLimitExceeded or another MemoryError. Never waits.");

}  // namespace xichan::python

#include "ends/receive.h"

#include <memory>
#include <new>

#include "base/blocking_call.h"
#include "ends/failure.h"
#include "value/message.h"
#include "values/decode.h"
#include "values/decode_error.h"

namespace xichan::python {

namespace {

// Makes a received cell valid beyond the call: copies its line, if it has one. False without memory.
bool own(Cell& cell) noexcept {
  if (!has_line(cell)) return true;
  const Line* const line = new (std::nothrow) Line(line_of(cell));
  if (line == nullptr) return move_to_block(cell) == Status::ok;
  attach(cell, *line);
  return true;
}

// Keeps a value that was not decoded before all others that are unread, unless it can never be decoded. Returns null.
[[gnu::noinline]] PyObject* keep_undecoded(Handle* handle, Cell cell, bool keep_always) noexcept {
  if (!keep_always && is_undecodable(*handle->state)) {
    release(cell);
  } else {
    keep_first(handle, &cell, 1);
  }
  return nullptr;
}

// Releases a cell that owns a block, and returns the value that it described. Not inlined: so the path of a value
// without a block needs no stack.
[[gnu::noinline]] PyObject* released(const Cell& cell, PyObject* value) noexcept {
  release(cell);
  return value;
}

// Decodes a value, or keeps it if that fails; with `keep_always` also if it can never be decoded. Python code may run,
// and use the handle: so the value is not among the unread ones.
inline PyObject* decode_or_keep(Handle* handle, const Cell& cell, bool copy, bool keep_always) noexcept {
  PyObject* value = decode(*handle->state, cell, copy);
  if (value == nullptr) [[unlikely]]
    return keep_undecoded(handle, cell, keep_always);
  return cell.owns_block() ? released(cell, value) : value;
}

}  // namespace

void keep_unread(Handle* handle, const Cell& cell) noexcept {
  Cell kept = cell;
  if (handle->unread == nullptr) handle->unread = new (std::nothrow) Unread;
  if (!own(kept)) return;
  if (handle->unread == nullptr || !handle->unread->push(kept)) release_unread(kept);
}

void keep_first(Handle* handle, Cell* cells, std::size_t count) noexcept {
  if (handle->unread == nullptr) handle->unread = new (std::nothrow) Unread;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (own(cells[i])) cells[kept++] = cells[i];
  }
  if (handle->unread != nullptr && handle->unread->insert_first(cells, kept)) return;
  for (std::size_t i = 0; i < kept; ++i) release_unread(cells[i]);
}

bool reserve_unread(Handle* handle, std::size_t count) noexcept {
  if (handle->unread == nullptr) handle->unread = new (std::nothrow) Unread;
  return handle->unread != nullptr && handle->unread->reserve(count);
}

PyObject* deliver_unread(Handle* handle, bool copy, bool keep_always) noexcept {
  const Cell cell = handle->unread->remove_first();
  if (is_decoded(cell)) return decoded_object(cell);
  const std::unique_ptr<const Line> line(has_line(cell) ? &line_of(cell) : nullptr);
  return decode_or_keep(handle, cell, copy, keep_always);
}

PyObject* deliver(Handle* handle, const Cell& cell, bool copy) noexcept {
  if (has_unread(handle)) {
    keep_unread(handle, cell);
    return deliver_unread(handle, copy);
  }
  return decode_or_keep(handle, cell, copy, false);
}

PyObject* receive(Handle* handle, const Timeout& timeout, bool copy, bool* finished) noexcept {
  if (!check_receiver(handle)) return nullptr;
  if (has_unread(handle)) return deliver_unread(handle, copy);
  Cell cell;
  Line line;
  Status status;
  if (!call(
          owner_of(handle), *handle->endpoint, Side::receiver, cell, timeout, status, []() noexcept {}, DoNothing{},
          &line)) {
    return nullptr;
  }
  if (status == Status::ok) return deliver(handle, cell, copy);
  if (status == Status::interrupted) {
    keep_unread(handle, cell);
    (void)check_interrupts();
    return nullptr;
  }
  if (status == Status::closed && finished != nullptr && !has_failed(handle)) {
    *finished = true;
    return nullptr;
  }
  return raise_outcome(handle, status == Status::empty ? Status::timeout : status);
}

PyObject* receive_nowait(Handle* handle, bool copy) noexcept {
  if (!check_receiver(handle)) return nullptr;
  if (has_unread(handle)) return deliver_unread(handle, copy);
  Cell cell;
  Line line;
  Status status = handle->endpoint->try_recv(cell, &line);
  if (status == Status::empty && handle->endpoint->arm()) status = handle->endpoint->try_recv(cell, &line);
  return status == Status::ok ? deliver(handle, cell, copy) : raise_outcome(handle, status);
}

}  // namespace xichan::python

#include "ends/receive.h"

#include <algorithm>
#include <new>

#include "base/blocking_call.h"
#include "ends/failure.h"
#include "value/message.h"
#include "values/decode.h"

namespace xichan::python {

void keep_unread(Handle* handle, const Cell& cell) noexcept {
  if (handle->unread == nullptr) handle->unread = new (std::nothrow) Unread;
  if (handle->unread == nullptr || !handle->unread->push(cell)) release(cell);
}

bool reserve_unread(Handle* handle, std::size_t count) noexcept {
  if (handle->unread == nullptr) handle->unread = new (std::nothrow) Unread;
  return handle->unread != nullptr && handle->unread->reserve(count);
}

PyObject* deliver_unread(Handle* handle, bool copy) noexcept {
  // Removed first: decoding may run Python code, which may receive too.
  const Cell cell = handle->unread->remove_first();
  PyObject* value = decode(*handle->state, cell, copy);
  if (value == nullptr && PyErr_ExceptionMatches(PyExc_MemoryError)) {
    keep_unread(handle, cell);
    if (has_unread(handle)) std::rotate(handle->unread->begin(), handle->unread->end() - 1, handle->unread->end());
  } else {
    release(cell);
  }
  return value;
}

PyObject* deliver(Handle* handle, const Cell& cell, bool copy) noexcept {
  if (has_unread(handle)) {
    keep_unread(handle, cell);
    return deliver_unread(handle, copy);
  }
  PyObject* value = decode(*handle->state, cell, copy);
  if (value == nullptr && PyErr_ExceptionMatches(PyExc_MemoryError)) {
    keep_unread(handle, cell);
  } else {
    release(cell);
  }
  return value;
}

PyObject* receive(Handle* handle, const Timeout& timeout, bool copy, bool* finished) noexcept {
  if (!check_open(handle)) return nullptr;
  if (has_unread(handle)) return deliver_unread(handle, copy);
  Cell cell;
  Status status;
  if (!call(owner_of(handle), *handle->endpoint, Side::receiver, cell, timeout, status, []() noexcept {}))
    return nullptr;
  if (status == Status::ok) return deliver(handle, cell, copy);
  if (status == Status::closed && finished != nullptr && !has_failed(handle)) {
    *finished = true;
    return nullptr;
  }
  return raise_outcome(handle, status == Status::empty ? Status::timeout : status);
}

PyObject* receive_nowait(Handle* handle, bool copy) noexcept {
  if (!check_open(handle)) return nullptr;
  if (has_unread(handle)) return deliver_unread(handle, copy);
  Cell cell;
  Status status = handle->endpoint->try_recv(cell);
  if (status == Status::empty && handle->endpoint->arm()) status = handle->endpoint->try_recv(cell);
  return status == Status::ok ? deliver(handle, cell, copy) : raise_outcome(handle, status);
}

}  // namespace xichan::python

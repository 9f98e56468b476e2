#include "ends/select_receivers.h"

#include "ends/cases.h"
#include "ends/receive.h"

namespace xichan::python {
namespace {

// Identifies some Receivers, if all are open Receivers without unread values; else returns false.
bool identify(const ModuleState& state, PyObject* const* items, Py_ssize_t count, std::uint64_t& receivers) noexcept {
  std::uint64_t sum = 0;
  for (Py_ssize_t i = 0; i < count; ++i) {
    PyObject* const item = items[i];
    if (!Py_IS_TYPE(item, state.receiver_type)) return false;
    const Handle* const handle = as_handle(item);
    if (handle->endpoint->is_closed() || has_unread(handle)) return false;
    sum = sum * 31 + reinterpret_cast<std::uintptr_t>(item) / 16;
  }
  receivers = sum * 0x9e3779b97f4a7c15u;
  return true;
}

}  // namespace

Received receive_from_ready(ModuleState& state, PyObject* cases, bool copy, PyObject*& result) noexcept {
  if (!PyList_CheckExact(cases) && !PyTuple_CheckExact(cases)) return Received::not_handled;
  const Py_ssize_t count = Py_SIZE(cases);
  PyObject* const* const items = PySequence_Fast_ITEMS(cases);
  std::uint64_t receivers;
  if (count == 0 || count > INT32_MAX || !identify(state, items, count, receivers)) return Received::not_handled;
  std::uint32_t& turn = state.select_turns.of(receivers, static_cast<std::uint32_t>(count));
  for (Py_ssize_t i = turn, left = count; left > 0; --left) {
    PyObject* const item = items[i];
    Cell cell;
    const Status status = as_handle(item)->endpoint->try_recv(cell);
    i = i + 1 == count ? 0 : i + 1;
    if (status == Status::empty) continue;
    turn = static_cast<std::uint32_t>(i);
    // From here on Python code may run, and change the list.
    result = status == Status::ok ? deliver_case(item, cell, copy) : raise_for_case(item, as_handle(item), status);
    return Received::decided;
  }
  return Received::none_ready;
}

}  // namespace xichan::python

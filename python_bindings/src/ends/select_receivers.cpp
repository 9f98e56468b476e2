#include "ends/select_receivers.h"

#include "ends/cases.h"
#include "ends/receive.h"

namespace xichan::python {
namespace {

// Identifies some Receivers, if all are open Receivers without unread values and no trace records; else returns false.
bool identify(const ModuleState& state, PyObject* const* items, Py_ssize_t count, std::uint64_t& receivers) noexcept {
  auto mixed = static_cast<std::uint64_t>(count);
  for (Py_ssize_t i = 0; i < count; ++i) {
    PyObject* const item = items[i];
    if (!Py_IS_TYPE(item, state.receiver_type)) return false;
    const Handle* const handle = as_handle(item);
    if (!handle->endpoint->is_plain() || has_unread(handle)) return false;
    mixed = (mixed ^ reinterpret_cast<std::uintptr_t>(item)) * 0x9e3779b97f4a7c15u;
    mixed ^= mixed >> 29;  // a linear function would give the same turn to other Receivers
  }
  receivers = mixed * 0x9e3779b97f4a7c15u;
  return true;
}

}  // namespace

Received receive_from_ready(ModuleState& state, PyObject* cases, bool copy, PyObject*& result,
                            std::uint64_t& receivers) noexcept {
  receivers = 0;
  if (!PyList_CheckExact(cases) && !PyTuple_CheckExact(cases)) return Received::not_handled;
  const Py_ssize_t count = Py_SIZE(cases);
  PyObject* const* const items = PySequence_Fast_ITEMS(cases);
  if (count == 0 || count > INT32_MAX || !identify(state, items, count, receivers)) return Received::not_handled;
  // The general select chooses at random among those that are ready.
  std::uint32_t* const turn = state.select_turns.of(receivers);
  if (turn == nullptr) return Received::not_handled;
  Line line;
  for (Py_ssize_t i = *turn < count ? *turn : 0, left = count; left > 0; --left) {
    PyObject* const item = items[i];
    Cell cell;
    const Status status = as_handle(item)->endpoint->try_recv(cell, &line);
    i = i + 1 == count ? 0 : i + 1;
    if (status == Status::empty) continue;
    *turn = static_cast<std::uint32_t>(i);
    // From here on Python code may run, and change the list.
    result = status == Status::ok ? deliver_case(item, cell, copy) : raise_for_case(item, as_handle(item), status);
    return Received::decided;
  }
  return Received::none_ready;
}

}  // namespace xichan::python

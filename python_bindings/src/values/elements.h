// The values inside a value.
#pragma once

#include "base/state.h"

namespace xichan::python {

/// Where a Queue holds its parts. Read and written directly: looking the attribute up could run Python code.
inline PyObject*& queue_slot(const ModuleState& state, PyObject* queue) noexcept {
  return *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(queue) + state.queue_slot);
}

/// The parts of a Queue (xichan/_queue.py): both endpoints of each of its channels, and `maxsize`.
enum class QueuePart : std::uint8_t { items_tx, items_rx, joiners_tx, joiners_rx, maxsize };

/// Returns true if an object is the parts of a Queue, which is a tuple that only Queue makes.
bool are_queue_parts(const ModuleState& state, PyObject* object) noexcept;
inline PyObject* queue_part(PyObject* parts, QueuePart which) noexcept {
  return PyTuple_GET_ITEM(parts, static_cast<Py_ssize_t>(which));
}

/// Returns the parts of a Queue, as a tuple; null for any other value.
PyObject* queue_parts(const ModuleState& state, PyObject* value) noexcept;

}  // namespace xichan::python

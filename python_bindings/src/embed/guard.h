// Gates, through which C++ threads enter an interpreter: one per interpreter that has imported this module.
#pragma once

#include "xichan/python.h"

namespace xichan::python {

/// Opens the gate of the attached interpreter, unless it is open. -1 with an exception set.
int open_gate() noexcept;

/// Removes the gate of an interpreter that is being finalized, so that no thread finds it.
void remove_gate(PyInterpreterState* interpreter) noexcept;

// For the capsule; see xichan/python.h. `current_gate` and `find_gate` return a new reference.
Gate* current_gate() noexcept;
Gate* find_gate(std::int64_t id) noexcept;
void retain_gate(Gate* gate) noexcept;
void release_gate(Gate* gate) noexcept;
std::int64_t gate_id(const Gate* gate) noexcept;
Status enter_gate(Gate* gate, Attachment& attachment) noexcept;
void leave_gate(const Attachment& attachment) noexcept;

}  // namespace xichan::python

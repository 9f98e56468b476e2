// How C++ threads go into an interpreter: one gate per interpreter that has imported this module.
#pragma once

#include "xichan/python.h"

namespace xichan::python {

/// Opens the gate of the interpreter that is attached, if it is not open. -1 with an exception set.
int open_gate() noexcept;

/// For the interpreter's very end: nobody finds its gate any more.
void remove_gate(PyInterpreterState* interpreter) noexcept;

// For the capsule; see xichan/python.h. `current_gate` and `find_gate` give a reference.
Gate* current_gate() noexcept;
Gate* find_gate(std::int64_t id) noexcept;
void retain_gate(Gate* gate) noexcept;
void release_gate(Gate* gate) noexcept;
std::int64_t gate_id(const Gate* gate) noexcept;
Status enter_gate(Gate* gate, Attachment& attachment) noexcept;
void leave_gate(const Attachment& attachment) noexcept;

}  // namespace xichan::python

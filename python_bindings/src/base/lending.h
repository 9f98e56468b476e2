// Lends large str and bytes objects of an interpreter to messages (arena/lender.h).
#pragma once

#include <Python.h>

#include "arena/lender.h"
#include "endpoint/endpoint.h"

namespace xichan::python {

using namespace internal;

/// Gives the interpreter a Lender, unless its objects are allocated in another way than CPython does by default: then
/// large objects are copied. Without memory for a Lender, too.
void begin_lending(EndpointOwner& owner) noexcept;
/// Called when the interpreter is freed, attached.
void end_lending(EndpointOwner& owner) noexcept;

/// Returns true if an exact str or bytes may be lent.
bool is_lendable(PyObject* value) noexcept;

/// Drops the references to objects whose loans were returned. Attached. Runs no Python code, because it frees str and
/// bytes only.
inline void take_back_loans(const EndpointOwner& owner) noexcept {
  if (owner.lender != nullptr) owner.lender->drain();
}

}  // namespace xichan::python

// The short path of a select over Receivers alone: it needs no cases in memory.
#pragma once

#include "base/state.h"

namespace xichan::python {

/// What `receive_from_ready` has done.
enum class Received : std::uint8_t {
  decided,      // the call returns `result`
  none_ready,   // each attempt has failed, one after the other
  not_handled,  // not a list or tuple of open Receivers alone, one of them has an unread value, or it is their first
                // turn
};

/// Attempts to receive from each of the Receivers in a list or tuple until one attempt is final. Stores (case, value),
/// or null with an exception set, as Cases::result and Cases::raise return it. Runs no Python code before an attempt is
/// final. Requires the GIL throughout, and no reference to the Receivers but that of the list. Stores in `receivers`
/// what identifies the Receivers, for SelectTurns; 0 if it does not know them.
Received receive_from_ready(ModuleState& state, PyObject* cases, bool copy, PyObject*& result,
                            std::uint64_t& receivers) noexcept;

}  // namespace xichan::python

// Pickled values: what is not shareable travels as its pickle, through channels that were created with pickle=True.
//
// A pickled value is a record whose first cell is None. Then come the pickle (bytes) and what lies outside it, in the
// order in which the pickle takes it out of the `buffers` argument of pickle.loads(): endpoints and Queues, and a
// Shared for each large buffer. So endpoints travel as in any other message, and are released if it is discarded
// unread.
#pragma once

#include "value/pickled.h"
#include "values/encode.h"

namespace xichan::python {

/// Encodes a value, or its pickle if it is not shareable; then sets `pickled`. Runs Python code. False with an
/// exception set: NotShareableError also if it cannot be pickled, with the reason.
bool encode_or_pickle(ModuleState& state, PyObject* value, Cell& cell, bool& pickled) noexcept;
/// Does the same for functions with an argument `pickle`, and only encodes if it is false.
inline bool encode_by_policy(ModuleState& state, PyObject* value, bool pickle, Cell& cell) noexcept {
  bool pickled;
  return pickle ? encode_or_pickle(state, value, cell, pickled) : encode(state, value, cell);
}

extern PyMethodDef pickling_functions[];

}  // namespace xichan::python

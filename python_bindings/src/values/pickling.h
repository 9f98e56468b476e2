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

/// Encodes a value for `process` or `receiver`, or its pickle if it is not shareable; then sets `pickled`. Runs Python
/// code. No with an exception set: NotShareableError also if it cannot be pickled, with the reason.
Encoded encode_or_pickle(ModuleState& state, PyObject* value, Cell& cell, bool& pickled,
                         Destination destination) noexcept;
/// Does the same for functions with an argument `pickle`, and only encodes if it is false.
inline bool encode_by_policy(ModuleState& state, PyObject* value, bool pickle, Cell& cell) noexcept {
  bool pickled;
  if (!pickle) return encode(state, value, cell);
  return encode_or_pickle(state, value, cell, pickled, Destination::process) != Encoded::no;
}

extern PyMethodDef pickling_functions[];

}  // namespace xichan::python

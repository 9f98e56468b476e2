// Pickled values: what is not shareable travels as its pickle, through channels that were created with pickle=True.
//
// A pickled value is a record whose first cell is None. Then come the pickle (bytes) and what lies outside it, in the
// order in which the pickle takes it out of the `buffers` argument of pickle.loads(): endpoints and Queues, and a Shared
// for each large buffer. So endpoints travel as in any other message, and are released if it is discarded unread.
#pragma once

#include "base/handle.h"
#include "value/block_reader.h"

namespace xichan::python {

/// Encodes a value, or its pickle if it is not shareable, for the channel of `handle`, which counts the pickle. Runs
/// Python code. False with an exception set: NotShareableError also if it cannot be pickled, with the reason.
bool encode_or_pickle(Handle* handle, PyObject* value, Cell& cell) noexcept;

/// Pickles and encodes a value that is not shareable.
bool encode_pickled(ModuleState& state, PyObject* value, Cell& cell) noexcept;

/// Returns true for a record that is a pickled value.
inline bool is_pickled(BlockReader reader, const Cell& cell) noexcept {
  return cell.tag() == Tag::record && reader.elements(cell)[0].tag() == Tag::none;
}

/// Returns the value of a record that `is_pickled`. Runs Python code, so the caller holds a reference to the block.
/// Large buffers are copied, or read in place if `copy` is false. Null with an exception set.
PyObject* unpickle(ModuleState& state, BlockReader reader, const Cell& cell, bool copy) noexcept;

extern PyType_Spec pickle_sink_spec;
extern PyMethodDef pickling_functions[];

}  // namespace xichan::python

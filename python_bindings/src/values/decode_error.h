// DecodeError: a value arrived that cannot be made here.
#pragma once

#include "base/state.h"
#include "value/block_reader.h"

namespace xichan::python {

/// Raises DecodeError for a record, with the exception that is set as its cause and a view of the record as its
/// attribute `record`. An exception that is not an Exception (KeyboardInterrupt) passes through, and so does a
/// MemoryError. Returns null.
PyObject* raise_for_record(ModuleState& state, const CellRef& record) noexcept;

/// Replaces the exception that is set by DecodeError, unless it does not concern the value: MemoryError, what closed
/// an endpoint, or an interruption. The attribute `_message` of DecodeError is a view of the whole value, a tuple: the
/// pool finds in it which task the value belongs to. Returns null.
PyObject* raise_decode_error(ModuleState& state, const CellRef& value) noexcept;

/// Returns true if the exception that is set means that a message was consumed: it can never be decoded.
inline bool is_undecodable(const ModuleState& state) noexcept {
  return PyErr_ExceptionMatches(state.error(ErrorClass::decode)) != 0;
}

}  // namespace xichan::python

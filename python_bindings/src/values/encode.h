// Encoding: makes the cell that describes a Python value. Objects of classes may need Python code, which runs first
// (prepare.h). Then the value is read in one go: nothing can change it, close an endpoint or switch threads meanwhile.
#pragma once

#include "base/state.h"
#include "value/line.h"
#include "values/encode_short.h"

namespace xichan::python {

/// Whether a value was encoded. After Python code has run, any endpoint may be closed. `moving`: likewise, and the
/// value has Buffers or Descriptors. Then the caller must take the Transfer, with Transfers::take, before anything
/// else. `in_line`: see encode_line.h.
enum class Encoded : std::uint8_t { no, yes, after_python_code, moving, in_line };

/// Encodes `value`; the cell owns what it needs (see xichan::release). False with an exception set, and nothing
/// allocated: NotShareableError, which names the path to the offending part, ChannelClosed if the value contains a
/// closed endpoint, MemoryError, MemoryLimitExceeded, ValueError if the value is too large, or what the function that
/// reduces an object raised; for a Buffer or Descriptor that is not movable BufferError or ValueError. Python code may
/// have run, and closed endpoints. An object that occurs more than once in the value is stored once, unless it fits in
/// a cell. `encode_block` is for values that `encode_short` does not encode.
Encoded encode_block(const ModuleState& state, PyObject* value, Cell& cell, Destination destination) noexcept;
inline bool encode(const ModuleState& state, PyObject* value, Cell& cell,
                   Destination destination = Destination::process) noexcept {
  return encode_short(value, &cell) || encode_block(state, value, cell, destination) != Encoded::no;
}

/// Does what `encode_block` does for a receiver, for a tuple that `is_small` (encode_line.h). If it fits, encodes it in
/// the line and returns `in_line`.
Encoded encode_small_tuple(const ModuleState& state, PyObject* tuple, Cell& cell, Line& line) noexcept;
/// Encodes an int that `fits_line`.
void write_int_line(PyObject* value, Cell& cell, Line& line) noexcept;

/// Returns true if a value can be encoded for `process`, or with `nowhere` for a receiver. Else raises as
/// `encode_block` does, but NotShareableError for a Buffer or Descriptor.
bool check_shareable(const ModuleState& state, PyObject* value, Destination destination) noexcept;

/// Returns 1 if every part of the value is shareable, 0 if not, and -1 with an exception set: MemoryError,
/// MemoryLimitExceeded, or what the function that reduces an object raised.
int is_shareable(const ModuleState& state, PyObject* value) noexcept;

}  // namespace xichan::python

// Encoding: makes the cell that describes a Python value. Runs no Python code, so nothing can change the value, close
// an endpoint or switch threads while the value is read.
#pragma once

#include "base/state.h"
#include "values/encode_short.h"

namespace xichan::python {

/// Where an encoded value goes: through a channel; outside the process, where endpoints and Queues cannot go; or through
/// a channel that pickles what is not shareable: a refused value then sets no exception.
enum class Destination { process, outside, or_pickle };

/// Whether a value was encoded. After Python code has run, any endpoint may be closed.
enum class Encoded : std::uint8_t { no, yes, after_python_code };

/// Encodes `value`; the cell owns what it needs (see xichan::release). False with an exception set, and nothing
/// allocated: NotShareableError, which names the path to the offending part, ChannelClosed if the value contains a
/// closed endpoint, MemoryError, MemoryLimitExceeded, or ValueError if the value is too large. A str, bytes or int that
/// does not fit in a cell is stored once, however often it occurs in the value; a tuple is written out each time it
/// occurs. `encode_block` is for values that `encode_short` does not encode.
Encoded encode_block(const ModuleState& state, PyObject* value, Cell& cell, Destination destination) noexcept;
inline bool encode(const ModuleState& state, PyObject* value, Cell& cell,
                   Destination destination = Destination::process) noexcept {
  return encode_short(value, &cell) || encode_block(state, value, cell, destination) != Encoded::no;
}

/// Returns 1 if every part of the value is shareable, 0 if not, and -1 with MemoryError or MemoryLimitExceeded set.
int is_shareable(const ModuleState& state, PyObject* value) noexcept;

}  // namespace xichan::python

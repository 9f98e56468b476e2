// From a Python value to a cell. Runs no Python code: nothing can change the value, close the end or switch threads
// while it is read.
#pragma once

#include "values/encode_short.h"

namespace xichan::python {

/// Where a value goes: through a channel, or out of the process, where no end and no Queue can go.
enum class Destination { process, outside };

/// Encodes `value`; the cell owns what it needs (see xichan::release). False with an exception set: NotShareableError
/// that names the place of what cannot be shared, ChannelClosed for a closed end inside, MemoryError,
/// MemoryLimitExceeded or ValueError (too large). Then nothing is left behind. An object that occurs more than once in
/// a value is stored once if it is a str, bytes or int that does not fit a cell, and written out each time if it is a
/// tuple.
bool encode_block(const ModuleState& state, PyObject* value, Cell& cell,
                  Destination destination) noexcept;  // what is not short
inline bool encode(const ModuleState& state, PyObject* value, Cell& cell,
                   Destination destination = Destination::process) noexcept {
  return encode_short(value, &cell) || encode_block(state, value, cell, destination);
}

/// Whether `encode` would find every part of the value shareable: 1 or 0, or -1 with MemoryError or MemoryLimitExceeded
/// set.
int is_shareable(const ModuleState& state, PyObject* value) noexcept;

/// The elements that an encode visits in a value: a tuple itself, the parts of a Queue; else null. Borrowed. Reading
/// the slot of a Queue runs no Python code.
PyObject* elements_of(const ModuleState& state, PyObject* value) noexcept;

}  // namespace xichan::python

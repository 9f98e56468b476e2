// Decoding: makes the Python value that a cell describes.
#pragma once

#include "base/state.h"
#include "value/block_reader.h"
#include "values/record_types.h"

namespace xichan::python {

/// Returns a new value, equal to the encoded one to the last bit. The cell keeps what it owns. Without `copy`, a value
/// that `deserves_view` (view.h) is returned as a view. Null with DecodeError set if the value can never be made here;
/// with MemoryError set, or with ChannelClosed set for an endpoint while the interpreter shuts down; or with an
/// exception that interrupted Python code.
///
/// Python code runs only for records: to import a class, to create an object, to hash it.
PyObject* decode_any(ModuleState& state, const Cell& cell, bool copy) noexcept;
inline PyObject* decode(ModuleState& state, const Cell& cell, bool copy = true) noexcept {
  if (cell.tag() == Tag::integer) return PyLong_FromLongLong(cell.as_integer());  // fast path
  return decode_any(state, cell, copy);
}
/// Does the same for a value from an untrusted source: imports no module but those of the standard types, and makes
/// only objects of these, of `classes`, and of exceptions that are builtins. Other records are returned as views.
PyObject* decode_untrusted(ModuleState& state, const Cell& cell, ClassList classes) noexcept;
/// Does the same as decode_any() for a cell in the body that `reader` reads.
PyObject* decode_at(ModuleState& state, BlockReader reader, const Cell& cell, bool copy) noexcept;

/// Does the same, with copies, for a pickle. A Buffer or Descriptor, which no pickle can hold, is refused with
/// TypeError and stays in the message.
PyObject* decode_to_pickle(ModuleState& state, BlockReader reader, const Cell& cell) noexcept;

/// Does the same for code that only looks at the value: returns null without an exception if it has a Buffer or
/// Descriptor, which stays in the message.
PyObject* decode_to_look(ModuleState& state, BlockReader reader, const Cell& cell) noexcept;

/// Returns a copy of the value that a view shows, as recv() returns it; a slice with a step needs more than this.
PyObject* view_value(PyObject* self, PyObject*) noexcept;
/// Does the same for a pickle.
PyObject* view_value_to_pickle(PyObject* self) noexcept;

}  // namespace xichan::python

// xichan.Buffer: writable memory of the arena, which freeze() turns into a Shared, and which sending moves.
//
// The content of a usable Buffer is a block whose root is a cell of tag `bytes`.
#pragma once

#include "values/movable.h"

namespace xichan::python {

/// Returns a Buffer without content; null with MemoryError set.
MovableObject* new_buffer(ModuleState& state) noexcept;

extern PyType_Spec buffer_spec;

}  // namespace xichan::python

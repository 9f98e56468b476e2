// Makes the objects that a message moves.
#pragma once

#include "values/movable.h"

namespace xichan::python {

/// Takes a Buffer or Descriptor out of a message. Null with ValueError set if it was taken before, with MemoryError
/// set, or with ChannelClosed set while the interpreter shuts down; then nothing was taken.
PyObject* receive_moved(ModuleState& state, Moved* moved) noexcept;

}  // namespace xichan::python

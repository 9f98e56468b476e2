// xichan.Buffer: writable memory of the arena, which freeze() turns into a Shared, and which sending moves.
//
// Invariants
//   U1  A Buffer owns its block while it is `usable`, and nothing in any other state. A block has one owner
//       (value/moved_buffer.h).
//   U2  A Buffer with exports is usable: it is neither frozen nor sent then.
#pragma once

#include "base/state.h"
#include "value/moved_buffer.h"

namespace xichan::python {

enum class BufferState : std::uint8_t {
  usable,
  frozen,
  sending,   // a Transfer has its block, and returns it if the send fails
  sent,      // another owner has its block
  returned,  // likewise: it was received with a message that could not be decoded
};

class Transfer;

/// Thread safety: guarded by the GIL.
struct BufferObject {
  PyObject_HEAD
  PyObject* weak_references;
  ModuleState* state;
  Block* block;  // null unless usable; its root is a cell of tag `bytes`
  std::uint64_t length;
  Py_ssize_t exports;   // buffers that may still be written to
  Transfer* transfer;   // that the Buffer is in while it is sent, else null
  std::size_t entry;    // in it
  MovedBuffer* origin;  // where its block was taken; compared only, and valid while the message is decoded
  BufferState condition;
};

inline BufferObject* as_buffer(PyObject* object) noexcept { return reinterpret_cast<BufferObject*>(object); }

/// Returns true if a Buffer can be sent now.
inline bool is_movable(const BufferObject* buffer) noexcept {
  return buffer->condition == BufferState::usable && buffer->exports == 0;
}
/// Raises the exception for a Buffer that cannot be sent now.
void raise_immovable(const BufferObject* buffer) noexcept;

/// Takes the block out of a message and returns a Buffer that owns it. Null with ValueError set if it was taken before,
/// or with MemoryError set; then nothing was taken.
PyObject* take_buffer(ModuleState& state, MovedBuffer* moved) noexcept;
/// Undoes `take_buffer`, for a message that cannot be decoded. A Buffer with exports keeps its block.
void return_buffer(BufferObject* buffer) noexcept;

extern PyType_Spec buffer_spec;

}  // namespace xichan::python

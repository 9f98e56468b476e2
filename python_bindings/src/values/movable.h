// What Buffers and Descriptors have in common: sending moves their content to one receiver (value/moved.h).
//
// Invariants
//   U1  An object owns its content while it is `usable`, and nothing in any other state. A content has one owner.
//   U2  An object in use is usable: it is neither sent nor given up then.
#pragma once

#include "value/moved.h"
#include "values/view.h"

namespace xichan::python {

enum class MovableState : std::uint8_t {
  usable,
  closed,    // frozen, if it is a Buffer
  detached,  // by detach(), socket() or open()
  sending,   // a Transfer has the content, and returns it if the send fails
  sent,      // another owner has the content
  returned,  // likewise: it was received with a message that could not be decoded
};

class Transfer;
struct MovableObject;

/// What a type of these objects does with its content. One constant object per type.
struct MovableKind {
  const MovedType& content;
  /// Called after an object was given its content, and with a content before the object loses it.
  void (*put)(MovableObject* object) noexcept;
  void (*taken)(void* content) noexcept;
  void (*raise_immovable)(const MovableObject* object) noexcept;
  /// Makes a duplicate of the content. Returns 0, or the number of the error. Null if there are no duplicates.
  int (*duplicate)(const void* content, void*& duplicate) noexcept;
};

/// The first part of these objects. Thread safety: guarded by the GIL.
struct MovableObject {
  PyObject_HEAD
  PyObject* weak_references;
  ModuleState* state;
  const MovableKind* kind;
  void* content;       // null unless usable
  Transfer* transfer;  // that the object is in while it is sent, else null
  std::size_t entry;   // in it
  Moved* origin;       // where the content was taken; compared only, and valid while the message is decoded
  Py_ssize_t uses;     // buffers of a Buffer that may still be written to; calls that use a Descriptor
  MovableState condition;
};

inline MovableObject* as_movable(PyObject* object) noexcept { return reinterpret_cast<MovableObject*>(object); }
inline PyObject* as_object(MovableObject* movable) noexcept { return reinterpret_cast<PyObject*>(movable); }

/// Returns true for a Buffer or Descriptor.
inline bool is_of_movable_type(const ModuleState& state, PyObject* object) noexcept {
  return is_a(state, object, ValueType::buffer) || is_a(state, object, ValueType::descriptor);
}
/// Returns true if an object can be sent now.
inline bool is_movable(const MovableObject* movable) noexcept {
  return movable->condition == MovableState::usable && movable->uses == 0;
}
/// Raises the exception for an object that cannot be sent now.
inline void raise_immovable(const MovableObject* movable) noexcept { movable->kind->raise_immovable(movable); }

/// Sets the members of a new object, which has no content.
void initialize(MovableObject* movable, ModuleState& state, const MovableKind& kind) noexcept;
/// Makes an object without content own one.
void put_content(MovableObject* movable, void* content) noexcept;
/// Takes the content out of a usable object.
void* take_content(MovableObject* movable, MovableState next) noexcept;

/// Takes the content out of a message for a new object, and returns it. Null with ValueError set if it was taken
/// before; then the object is released.
PyObject* receive_content(MovableObject* movable, Moved* moved) noexcept;
/// Undoes `receive_content`, for a message that cannot be decoded. An object in use keeps its content.
void return_moved(MovableObject* movable) noexcept;

}  // namespace xichan::python

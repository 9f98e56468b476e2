#include "values/movable.h"

#include <utility>

#include "values/buffer.h"
#include "values/descriptor.h"

namespace xichan::python {
namespace {

// Not by the types of the state, which the module may have released.
bool is_descriptor(const MovableObject* movable) noexcept { return Py_TYPE(movable)->tp_dealloc == descriptor_dealloc; }

}  // namespace

void raise_immovable(const MovableObject* movable) noexcept {
  is_descriptor(movable) ? raise_immovable_descriptor(movable) : raise_immovable_buffer(movable);
}

void initialize(MovableObject* movable, ModuleState& state) noexcept {
  movable->weak_references = nullptr;
  movable->state = &state;
  movable->content = nullptr;
  movable->transfer = nullptr;
  movable->entry = 0;
  movable->origin = nullptr;
  movable->uses = 0;
  movable->condition = MovableState::sent;
}

void put_content(MovableObject* movable, void* content) noexcept {
  movable->content = content;
  movable->condition = MovableState::usable;
  if (is_descriptor(movable)) static_cast<OwnedDescriptor*>(content)->join(movable->state->endpoints->owner);
}

void* take_content(MovableObject* movable, MovableState next) noexcept {
  if (is_descriptor(movable)) static_cast<OwnedDescriptor*>(movable->content)->leave();
  movable->condition = next;
  return std::exchange(movable->content, nullptr);
}

const MovedType& moved_type(const MovableObject* movable) noexcept {
  return is_descriptor(movable) ? moved_descriptor : moved_buffer;
}

PyObject* receive_moved(ModuleState& state, Moved* moved) noexcept {
  const bool is_buffer = &moved->type() == &moved_buffer;
  MovableObject* const movable = is_buffer ? new_buffer(state) : new_descriptor(state);
  if (movable == nullptr) return nullptr;
  void* const content = moved->take();
  if (content == nullptr) {
    Py_DECREF(movable);
    const char* const name = moved_name(moved);
    return PyErr_Format(PyExc_ValueError, "the %s was received before; each %s has one receiver", name, name);
  }
  put_content(movable, content);
  movable->origin = moved;
  if (is_buffer) note_length(movable);
  return as_object(movable);
}

void return_moved(MovableObject* movable) noexcept {
  if (!is_movable(movable) || movable->origin == nullptr) return;
  std::exchange(movable->origin, nullptr)->restore(take_content(movable, MovableState::returned));
}

const char* moved_name(const Moved* moved) noexcept {
  return &moved->type() == &moved_buffer ? "Buffer" : "Descriptor";
}

}  // namespace xichan::python

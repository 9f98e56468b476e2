#include "values/movable.h"

#include <utility>

namespace xichan::python {

void initialize(MovableObject* movable, ModuleState& state, const MovableKind& kind) noexcept {
  movable->weak_references = nullptr;
  movable->state = &state;
  movable->kind = &kind;
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
  movable->kind->put(movable);
}

void* take_content(MovableObject* movable, MovableState next) noexcept {
  movable->kind->taken(movable->content);
  movable->condition = next;
  return std::exchange(movable->content, nullptr);
}

PyObject* receive_content(MovableObject* movable, Moved* moved) noexcept {
  void* const content = moved->take();
  if (content == nullptr) {
    Py_DECREF(movable);
    const char* const name = moved->type().name;
    return PyErr_Format(PyExc_ValueError, "the %s was received before; each %s has one receiver", name, name);
  }
  put_content(movable, content);
  movable->origin = moved;
  return as_object(movable);
}

void return_moved(MovableObject* movable) noexcept {
  if (!is_movable(movable) || movable->origin == nullptr) return;
  std::exchange(movable->origin, nullptr)->restore(take_content(movable, MovableState::returned));
}

}  // namespace xichan::python

#include "values/receive_moved.h"

#include "values/buffer.h"
#include "values/descriptor.h"

namespace xichan::python {

PyObject* receive_moved(ModuleState& state, Moved* moved) noexcept {
  MovableObject* const made = &moved->type() == &moved_buffer ? new_buffer(state) : new_descriptor(state);
  return made == nullptr ? nullptr : receive_content(made, moved);
}

}  // namespace xichan::python

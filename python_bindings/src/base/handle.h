// The Python object that holds one end: what Sender and Receiver have in common.
#pragma once

#include "base/arguments.h"
#include "base/errors.h"
#include "base/state.h"
#include "base/worklist.h"

namespace xichan::python {

/// Items taken but not decoded, for want of memory: the next receive gives them.
using Unread = Worklist<Cell, 1>;

struct Handle {
  PyObject_HEAD
  PyObject* weak_references;
  ModuleState* state;  // of the module that holds the type, which this object keeps alive
  Endpoint* end;       // never null
  Unread* unread;      // mostly null
};

inline Handle* as_handle(PyObject* object) noexcept { return reinterpret_cast<Handle*>(object); }

/// A new handle that takes over one counted end, also on failure. Null with an exception set.
PyObject* new_handle(ModuleState& state, Channel* channel, Side side) noexcept;

/// Gives back what `unread` holds.
void drop_unread(Handle* handle) noexcept;

/// The exception for an operation of this handle that ended with `status`; for `closed` it says why. Returns null.
PyObject* raise_for(const Handle* handle, Status status) noexcept;

/// Raises ChannelClosed and returns false if the handle is closed.
inline bool check_open(const Handle* handle) noexcept {
  if (!handle->end->is_closed()) [[likely]]
    return true;
  raise_for(handle, Status::end_closed);
  return false;
}

inline EndpointOwner& owner_of(const Handle* handle) noexcept { return handle->state->ends->owner; }

/// The base of both types, with all that they share, and the two.
extern PyType_Spec end_spec;
extern PyType_Spec sender_spec;
extern PyType_Spec receiver_spec;

/// A method of the vectorcall convention with keywords, as its table wants it.
using KeywordMethod = PyObject* (*)(PyObject*, PyObject* const*, Py_ssize_t, PyObject*);
inline PyCFunction as_method(KeywordMethod function) noexcept {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

/// In stats.cpp: the `stats()` of an end, and channels().
PyObject* end_stats(PyObject* self, PyObject*) noexcept;
PyObject* list_channels(PyObject* module, PyObject*) noexcept;
PyObject* arena_stats(PyObject* module, PyObject*) noexcept;
extern const char end_stats_doc[];
extern const char list_channels_doc[];
extern const char arena_stats_doc[];

/// In transport.cpp: how ends go through the standard library and pickle.
PyObject* end_reduce(PyObject* self, PyObject*) noexcept;
PyObject* unpickle_end(PyObject* module, PyObject* args) noexcept;
PyObject* register_queue(PyObject* module, PyObject* type) noexcept;
int register_with_interpreters(ModuleState& state) noexcept;

/// An id as Python sees it: one int of up to 128 bits. `parse_id` is false, with TypeError set, for what is no int; an
/// int that can be no id gives the id of nothing.
PyObject* id_as_int(const ChannelId& id) noexcept;
bool parse_id(PyObject* value, ChannelId& id) noexcept;

}  // namespace xichan::python

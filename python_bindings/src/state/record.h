// The record of a coroutine that waits for a Barrier or Condition.
#pragma once

#include "base/state.h"
#include "state/wait_record.h"

namespace xichan::python {

/// Returns a new `_StateRecord` for a call on the object, which `enter` then begins. Null with an exception set.
PyObject* new_record(ModuleState& state, RecordingTurnstile& object) noexcept;
/// Returns the record; null with TypeError set for any other object.
WaitRecord* record_of(PyObject* object) noexcept;

/// The method `_join(notifier, key, ticket, record)` of Barrier and Condition.
PyObject* join_by_record(PyObject* self, PyObject* args) noexcept;

extern PyType_Spec state_record_spec;

}  // namespace xichan::python

// What one instance of the module holds: one per interpreter that imports it. No PyObject lives in a global.
#pragma once

#include <Python.h>

#include "endpoint/endpoint.h"

namespace xichan::python {

using namespace internal;

/// The classes of xichan._errors, in the order of `error_names` in errors.cpp.
enum class ErrorClass { error, closed, full, empty, timeout, not_shareable, arena_full, not_found, count };

/// The classes of xichan._stats, in the order of `record_names` in stats.cpp.
enum class RecordType { channel, memory, memory_class, count };

/// Types of values that read a block in place, or fill one; in the order of `specs` in view.cpp.
enum class ValueType { tuple, bytes, str, shared, buffer, views, count };

/// The ends of an interpreter, given back when it ends. Shared by the module and the interpreter's exit callback,
/// because with a thread stuck in a call the module is never freed, and otherwise it is freed first. Guarded by the
/// GIL.
struct InterpreterEnds {
  EndpointOwner owner;
  PyInterpreterState* interpreter = nullptr;
  int users = 1;

  static void drop(InterpreterEnds* ends) noexcept {
    // A call that never came back from the end of its interpreter may still look at it: then it stays.
    if (ends != nullptr && --ends->users == 0 && !ends->owner.has_calls()) delete ends;
  }
};

struct ModuleState {
  PyTypeObject* sender_type;
  PyTypeObject* receiver_type;
  PyTypeObject* watch_type;
  PyTypeObject* value_types[static_cast<int>(ValueType::count)];
  PyObject* records[static_cast<int>(RecordType::count)];  // null until the first of the kind is made
  PyObject* queue_type;                                    // xichan._queue.Queue, once that is imported
  PyObject* parts_name;  // "_parts", the attribute in which a Queue keeps what it is made of
  PyObject* errors[static_cast<int>(ErrorClass::count)];
  PyObject* unpickle;  // the function that a pickled end names
  PyObject* share;     // and the one that a pickled Shared does
  InterpreterEnds* ends;

  PyTypeObject* type_of(Side side) const noexcept { return side == Side::sender ? sender_type : receiver_type; }
  PyTypeObject* type_of(ValueType which) const noexcept { return value_types[static_cast<int>(which)]; }
  PyObject* error(ErrorClass which) const noexcept { return errors[static_cast<int>(which)]; }
};

extern PyModuleDef module_definition;

inline ModuleState* state_of(PyObject* module) noexcept { return static_cast<ModuleState*>(PyModule_GetState(module)); }

/// The state in the interpreter that is attached now, importing the package if need be. Null with an exception set.
ModuleState* import_state() noexcept;

}  // namespace xichan::python

// Names of channels and published values: functions of the module, and class methods of Sender and Receiver.
#pragma once

#include <string_view>

#include "base/blocking_call.h"
#include "base/handle.h"
#include "directory/names.h"

namespace xichan::python {

PyObject* sender_lookup(PyObject* type, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;
PyObject* receiver_lookup(PyObject* type, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;
/// lookup(), publish() and unpublish() of the module.
extern PyMethodDef name_functions[];

/// How a class finds what was registered under a name.
struct NameLookup {
  const char* wanted;  // for the message of NotFound
  /// Returns what was found, of which it takes over nothing; null without an exception if that is something else.
  PyObject* (*open)(ModuleState& state, const Names::Found& found) noexcept;
};
/// The class method lookup(name, timeout=0) of a type of the module.
PyObject* look_up_class(PyObject* type, const NameLookup& lookup, PyObject* const* args, Py_ssize_t count,
                        PyObject* keywords) noexcept;

/// Parses the `name` argument of channel(): absent, None or a non-empty str. False with an exception set.
bool parse_channel_name(PyObject* object, std::string_view& name) noexcept;
/// Raises the exception for a name that could not be registered. Returns null.
PyObject* raise_name(const ModuleState& state, Status status, PyObject* name) noexcept;

}  // namespace xichan::python

// Names of channels and published values, as module functions.
#pragma once

#include <string_view>

#include "base/blocking_call.h"
#include "base/handle.h"

namespace xichan::python {

PyObject* lookup_sender(PyObject* module, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;
PyObject* lookup_receiver(PyObject* module, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;
PyObject* lookup(PyObject* module, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;
PyObject* publish(PyObject* module, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;
PyObject* unpublish(PyObject* module, PyObject* name) noexcept;
extern const char lookup_sender_doc[];
extern const char lookup_receiver_doc[];
extern const char lookup_doc[];
extern const char publish_doc[];
extern const char unpublish_doc[];

/// The `name` argument of channel(): absent, None or a non-empty str. False with an exception set.
bool parse_channel_name(PyObject* object, std::string_view& name) noexcept;
/// Raises for a name that could not be had. Returns null.
PyObject* raise_name(const ModuleState& state, Status status, PyObject* name) noexcept;

}  // namespace xichan::python

// The methods of Map that change several entries, or wait. The others are in map.cpp.
#pragma once

#include "state/map.h"
#include "state/map_key.h"
#include "state/state_type.h"
#include "value/message.h"
#include "values/decode.h"

namespace xichan::python {

/// Decodes a value that the caller owns, and releases it.
inline PyObject* decode_owned(ModuleState& state, const Cell& value, bool copy = true) noexcept {
  PyObject* object = decode(state, value, copy);
  internal::release(value);
  return object;
}

/// Parses a `ttl` in seconds; None or an absent argument leaves `ttl` unchanged. False with TypeError or ValueError
/// set.
bool parse_ttl(PyObject* value, std::int64_t& ttl) noexcept;

/// Stores a value under a key. -1 with an exception set.
int store_item(PyObject* self, PyObject* key, PyObject* value, std::int64_t ttl) noexcept;

/// Raises the exception for a write that ended with `status`. Returns null.
PyObject* raise_map(const ModuleState& state, Status status) noexcept;

PyObject* map_get_many(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;
PyObject* map_set_many(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;
PyObject* map_snapshot(PyObject* self, PyObject*) noexcept;
/// The methods _list_keys(), _list_values() and _list_items(): lists of all entries at one moment.
PyObject* map_list_keys(PyObject* self, PyObject*) noexcept;
PyObject* map_list_values(PyObject* self, PyObject*) noexcept;
PyObject* map_list_items(PyObject* self, PyObject*) noexcept;
PyObject* map_wait(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;
PyObject* map_join(PyObject* self, PyObject* args) noexcept;
PyObject* map_watch(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;
PyObject* map_get_with_version(PyObject* self, PyObject* args) noexcept;
PyObject* map_stats(PyObject* self, PyObject*) noexcept;

}  // namespace xichan::python

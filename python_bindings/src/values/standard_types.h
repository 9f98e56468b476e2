// The standard types that are encoded and decoded natively: date, time, datetime, timedelta, timezone, Decimal, UUID.
//
// Only objects of exactly these classes. What the standard library has in C is recognized by its name and verified once
// per interpreter; a UUID is read and made through its slots.
#pragma once

#include "base/ref.h"
#include "base/state.h"
#include "value/block_reader.h"
#include "value/records.h"

namespace xichan::python {

/// Encodes: sets `reduced` to a new tuple of the number of the type and the fields. Returns false, without an
/// exception, for any other value. If memory is exhausted, returns true with an exception set and `reduced` empty. Runs
/// no Python code.
bool reduce_standard(const ModuleState& state, PyObject* value, Ref& reduced) noexcept;

/// Returns the name of a standard type, as module.name, for messages.
const char* standard_name(std::int64_t number) noexcept;

/// Returns true if `build_standard` builds this type.
constexpr bool is_native(std::int64_t number) noexcept {
  return (number >= 1 && number <= 5) || number == 7 || number == 9;
}

/// Makes `build_standard` ready for a native type. Runs no Python code; returns false, without an exception, if that is
/// not possible, because the type is not imported yet or not implemented in C.
bool find_standard(const ModuleState& state, StandardType type) noexcept;
/// Does the same, but imports the module, which runs Python code. False, without an exception, if the type is not
/// implemented in C; or with one set.
bool import_standard(const ModuleState& state, StandardType type) noexcept;

/// Returns a new object of a native type that was found. Null with an exception set: ValueError or TypeError if the
/// fields are not those of an object. Runs no Python code.
PyObject* build_standard(const ModuleState& state, StandardType type, PyObject* const* fields,
                         Py_ssize_t count) noexcept;
/// Does the same for cells of the form that the encoder writes, if they contain no other values; null without an
/// exception if they do.
PyObject* build_standard(const ModuleState& state, StandardType type, BlockReader reader,
                         std::span<const Cell> fields) noexcept;

}  // namespace xichan::python

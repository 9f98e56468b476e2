// Arguments of the vectorcall convention, and the time-outs they carry.
#pragma once

#include <span>

#include "base/deadline.h"
#include "base/state.h"

namespace xichan::python {

/// What a method takes, in order. `positional` of them may come without a name, the first `required` must come.
struct Signature {
  const char* function;
  std::span<const char* const> names;
  Py_ssize_t required;
  Py_ssize_t positional;
};

/// The usual call, which needs no sorting: so many arguments, none of them by name.
constexpr bool is_plain_call(Py_ssize_t count, PyObject* keywords, Py_ssize_t wanted) noexcept {
  return count == wanted && keywords == nullptr;
}

/// Sorts the arguments into `values` (one per name, null where absent; borrowed). False with a TypeError set.
bool parse_arguments(const Signature& signature, PyObject* const* args, Py_ssize_t count, PyObject* keywords,
                     PyObject** values) noexcept;

struct Timeout {
  Deadline deadline = Deadline::never();
  bool now = false;  // zero: try once
};

/// An int from `least` to `most`. False with TypeError or ValueError set, which name `what`.
bool parse_int(const char* what, PyObject* value, std::uint64_t least, std::uint64_t most, std::uint64_t& number,
               const char* wanted = "an int") noexcept;
/// The same; absent or None, the number stays as it is.
inline bool parse_optional_int(const char* what, PyObject* value, std::uint64_t least, std::uint64_t most,
                               std::uint64_t& number) noexcept {
  return value == nullptr || value == Py_None || parse_int(what, value, least, most, number, "an int or None");
}

/// The truth of a value; absent, the flag stays as it is. False with an exception set.
bool parse_flag(PyObject* value, bool& flag) noexcept;

/// None (or absent) means for ever; else seconds, fractional, not negative. False with TypeError or ValueError set.
bool parse_timeout(PyObject* value, Timeout& timeout) noexcept;

}  // namespace xichan::python

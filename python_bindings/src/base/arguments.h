// Parsing of arguments passed by the vectorcall convention.
#pragma once

#include <span>

#include "base/deadline.h"
#include "base/state.h"

namespace xichan::python {

/// The parameters of a method, in order. The first `positional` may be passed by position; the first `required` must be
/// passed.
struct Signature {
  const char* function;
  std::span<const char* const> names;
  Py_ssize_t required;
  Py_ssize_t positional;
};

/// Returns true for the common call: exactly `wanted` arguments, none passed by keyword.
constexpr bool is_plain_call(Py_ssize_t count, PyObject* keywords, Py_ssize_t wanted) noexcept {
  return count == wanted && keywords == nullptr;
}

/// Matches the arguments to `values` (one per name, null where absent; borrowed). False with TypeError set.
bool parse_arguments(const Signature& signature, PyObject* const* args, Py_ssize_t count, PyObject* keywords,
                     PyObject** values) noexcept;

/// A method of the vectorcall convention with keywords, cast to the type that PyMethodDef expects.
using KeywordMethod = PyObject* (*)(PyObject*, PyObject* const*, Py_ssize_t, PyObject*);
inline PyCFunction as_method(KeywordMethod function) noexcept {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

struct Timeout {
  Deadline deadline = Deadline::never();
  bool now = false;  // the timeout is zero: try once, never block
};
inline constexpr Timeout indefinitely;
inline constexpr Timeout no_time{.now = true};

/// Parses an int from `least` to `most`. False with TypeError or ValueError set; the message names `what`.
bool parse_int(const char* what, PyObject* value, std::uint64_t least, std::uint64_t most, std::uint64_t& number,
               const char* wanted = "an int") noexcept;
/// Does the same, but leaves `number` unchanged if the argument is absent or None.
inline bool parse_optional_int(const char* what, PyObject* value, std::uint64_t least, std::uint64_t most,
                               std::uint64_t& number) noexcept {
  return value == nullptr || value == Py_None || parse_int(what, value, least, most, number, "an int or None");
}

/// Stores the truth of a value; leaves `flag` unchanged if the argument is absent. False with an exception set.
bool parse_flag(PyObject* value, bool& flag) noexcept;

/// Parses a timeout in seconds, an int or float that is not negative. None or an absent argument blocks indefinitely.
/// False with TypeError or ValueError set.
bool parse_timeout(PyObject* value, Timeout& timeout) noexcept;

}  // namespace xichan::python

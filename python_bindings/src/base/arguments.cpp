#include "base/arguments.h"

#include <cmath>
#include <cstring>

#include "base/ref.h"

namespace xichan::python {
namespace {

Py_ssize_t index_of(const Signature& signature, PyObject* keyword) noexcept {
  for (std::size_t i = 0; i < signature.names.size(); ++i) {
    if (PyUnicode_EqualToUTF8(keyword, signature.names[i])) return static_cast<Py_ssize_t>(i);
  }
  return -1;
}

// Parameters as other libraries call them.
struct KeywordHint {
  const char* function;
  const char* keyword;
  const char* hint;
};

constexpr KeywordHint keyword_hints[] = {
    {"channel", "maxsize", "use 'capacity'"},
    {"channel", "max_size", "use 'capacity'"},
    {"channel", "size", "use 'capacity'"},
    {"channel", "maxlen", "use 'capacity'"},
    {"channel", "max_buffer_size", "use 'capacity'"},
    {"channel", "buffer_size", "use 'capacity'"},
    {"send", "block", "call send_nowait() instead"},
    {"recv", "block", "call recv_nowait() instead"},
    {"send_nowait", "timeout", "call send() instead"},
    {"recv_nowait", "timeout", "call recv() instead"},
    {"recv_many", "n", "use 'max_items'"},
    {"recv_many", "count", "use 'max_items'"},
};

void raise_unexpected(const char* function, PyObject* keyword) noexcept {
  for (const KeywordHint& known : keyword_hints) {
    if (std::strcmp(known.function, function) != 0 || !PyUnicode_EqualToUTF8(keyword, known.keyword)) continue;
    PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'; %s", function, keyword, known.hint);
    return;
  }
  PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'", function, keyword);
}

}  // namespace

bool parse_arguments(const Signature& signature, PyObject* const* args, Py_ssize_t count, PyObject* keywords,
                     PyObject** values) noexcept {
  if (count > signature.positional) {
    PyErr_Format(PyExc_TypeError, "%s() takes at most %zd positional argument%s (%zd given)", signature.function,
                 signature.positional, signature.positional == 1 ? "" : "s", count);
    return false;
  }
  const auto total = static_cast<Py_ssize_t>(signature.names.size());
  for (Py_ssize_t i = 0; i < total; ++i) values[i] = i < count ? args[i] : nullptr;
  const Py_ssize_t named = keywords == nullptr ? 0 : PyTuple_GET_SIZE(keywords);
  for (Py_ssize_t i = 0; i < named; ++i) {
    PyObject* keyword = PyTuple_GET_ITEM(keywords, i);
    const Py_ssize_t place = index_of(signature, keyword);
    if (place < 0) {
      raise_unexpected(signature.function, keyword);
      return false;
    }
    if (values[place] != nullptr) {
      PyErr_Format(PyExc_TypeError, "%s() got multiple values for argument '%U'", signature.function, keyword);
      return false;
    }
    values[place] = args[count + i];
  }
  for (Py_ssize_t i = 0; i < signature.required; ++i) {
    if (values[i] == nullptr) {
      PyErr_Format(PyExc_TypeError, "%s() missing required argument '%s'", signature.function, signature.names[i]);
      return false;
    }
  }
  return true;
}

bool parse_int(const char* what, PyObject* value, std::uint64_t least, std::uint64_t most, std::uint64_t& number,
               const char* wanted) noexcept {
  if (!PyIndex_Check(value) || PyBool_Check(value)) {
    PyErr_Format(PyExc_TypeError, "%s must be %s, got %T", what, wanted, value);
    return false;
  }
  const Ref integer(PyNumber_Index(value));
  if (!integer) return false;
  const unsigned long long whole = PyLong_AsUnsignedLongLong(integer.get());
  const bool fits = !PyErr_Occurred();  // otherwise it is negative, or larger than any bound
  PyErr_Clear();
  if (!fits || whole < least || whole > most) {
    int overflow;
    const long long found = PyLong_AsLongLongAndOverflow(integer.get(), &overflow);
    const auto from = static_cast<unsigned long long>(least), to = static_cast<unsigned long long>(most);
    if (overflow == 0) {
      PyErr_Format(PyExc_ValueError, "%s must be from %llu to %llu, got %lld", what, from, to, found);
    } else {  // str() refuses an int of many digits
      PyErr_Format(PyExc_ValueError, "%s must be from %llu to %llu, got a %s int", what, from, to,
                   overflow < 0 ? "smaller" : "larger");
    }
    return false;
  }
  number = whole;
  return true;
}

bool parse_flag(PyObject* value, bool& flag) noexcept {
  if (value == nullptr) return true;
  const int truth = PyObject_IsTrue(value);
  flag = truth != 0;
  return truth >= 0;
}

bool parse_timeout(PyObject* value, Timeout& timeout) noexcept {
  if (value == nullptr || value == Py_None) return true;
  double seconds;
  if (PyFloat_Check(value)) {
    seconds = PyFloat_AS_DOUBLE(value);
  } else if (PyIndex_Check(value) && !PyBool_Check(value)) {
    const Ref integer(PyNumber_Index(value));
    if (!integer) return false;
    int overflow;
    const long long whole = PyLong_AsLongLongAndOverflow(integer.get(), &overflow);
    seconds = overflow != 0 ? overflow * HUGE_VAL : static_cast<double>(whole);
  } else {
    // bool is rejected too: recv(True) was meant as the `block` argument of queue.Queue.get(), not as one second.
    PyErr_Format(PyExc_TypeError, "timeout must be a number of seconds or None, got %T%s", value,
                 PyBool_Check(value) ? "; 0 does not block, None blocks indefinitely" : "");
    return false;
  }
  if (std::isnan(seconds) || seconds < 0) {
    const Ref found(PyFloat_FromDouble(seconds));
    if (found) {
      PyErr_Format(PyExc_ValueError, "timeout must be 0 or more seconds, got %R; None blocks indefinitely",
                   found.get());
    }
    return false;
  }
  timeout.deadline = Deadline::in_seconds(seconds);
  timeout.now = seconds == 0;
  return true;
}

}  // namespace xichan::python

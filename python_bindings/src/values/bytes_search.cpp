#include "values/bytes_search.h"

#include <algorithm>
#include <cstring>

namespace xichan::python {
namespace {

/// What to search for in bytes: a byte, given as an int, or the content of a buffer.
class Needle {
 public:
  Needle() noexcept = default;
  Needle(const Needle&) = delete;
  Needle& operator=(const Needle&) = delete;
  ~Needle() {
    if (buffer_.obj != nullptr) PyBuffer_Release(&buffer_);
  }

  bool parse(PyObject* value) noexcept {
    if (PyIndex_Check(value)) {
      const Py_ssize_t number = PyNumber_AsSsize_t(value, nullptr);
      if (number == -1 && PyErr_Occurred()) return false;
      if (number < 0 || number > 255) {
        PyErr_Format(PyExc_ValueError, "byte must be from 0 to 255, got %zd", number);
        return false;
      }
      byte_ = static_cast<unsigned char>(number);
      return true;
    }
    if (PyObject_GetBuffer(value, &buffer_, PyBUF_SIMPLE) < 0) return false;
    data_ = {static_cast<const unsigned char*>(buffer_.buf), static_cast<std::size_t>(buffer_.len)};
    return true;
  }

  std::size_t size() const noexcept { return data_.size(); }
  /// Returns the index of the first occurrence at or after `from`, or -1.
  Py_ssize_t find_in(std::span<const unsigned char> all, std::size_t from = 0) const noexcept {
    if (from > all.size()) return -1;
    const auto rest = all.subspan(from);
    const void* found = data_.empty() ? rest.data() : memmem(rest.data(), rest.size(), data_.data(), data_.size());
    return found == nullptr ? -1 : static_cast<const unsigned char*>(found) - all.data();
  }

 private:
  unsigned char byte_ = 0;
  std::span<const unsigned char> data_{&byte_, 1};
  Py_buffer buffer_{};
};

// Converts a bound: None leaves it unchanged. Returns 0 with an exception set, as PyArg_ParseTuple requires.
int parse_bound(PyObject* value, void* bound) noexcept {
  if (value == Py_None) return 1;
  if (!PyIndex_Check(value)) {
    PyErr_Format(PyExc_TypeError, "start and stop must be ints or None, got %T", value);
    return 0;
  }
  const Py_ssize_t number = PyNumber_AsSsize_t(value, nullptr);
  if (number == -1 && PyErr_Occurred()) return 0;
  *static_cast<Py_ssize_t*>(bound) = number;
  return 1;
}

/// The arguments of a search: what to find, and from where to where.
struct Search {
  Needle needle;
  Py_ssize_t start = 0;
  Py_ssize_t stop = PY_SSIZE_T_MAX;

  bool parse(const char* format, PyObject* args) noexcept {
    PyObject* value;
    return PyArg_ParseTuple(args, format, &value, parse_bound, &start, parse_bound, &stop) && needle.parse(value);
  }

  /// Clips the range to the bytes. Returns false if it is not even an empty range in them: then nothing is found, not
  /// even b"".
  bool fits(PyObject* self) noexcept {
    const auto length = static_cast<Py_ssize_t>(content(self).size());
    if (stop < 0) stop = std::max<Py_ssize_t>(stop + length, 0);
    if (start < 0) start = std::max<Py_ssize_t>(start + length, 0);
    stop = std::min(stop, length);
    return start <= stop;
  }
  std::span<const unsigned char> range(PyObject* self) const noexcept {
    return content(self).subspan(static_cast<std::size_t>(start), static_cast<std::size_t>(stop - start));
  }
};

}  // namespace

int bytes_contains(PyObject* self, PyObject* value) noexcept {
  Needle needle;
  return needle.parse(value) ? needle.find_in(content(self)) >= 0 : -1;
}

PyObject* bytes_count(PyObject* self, PyObject* args) noexcept {
  Search search;
  if (!search.parse("O|O&O&:count", args)) return nullptr;
  if (!search.fits(self)) return PyLong_FromLong(0);
  const auto range = search.range(self);
  const std::size_t step = std::max<std::size_t>(search.needle.size(), 1);
  Py_ssize_t count = 0;
  for (Py_ssize_t at = search.needle.find_in(range); at >= 0; ++count) {
    at = search.needle.find_in(range, static_cast<std::size_t>(at) + step);
  }
  return PyLong_FromSsize_t(count);
}

PyObject* bytes_index(PyObject* self, PyObject* args) noexcept {
  Search search;
  if (!search.parse("O|O&O&:index", args)) return nullptr;
  const Py_ssize_t at = search.fits(self) ? search.needle.find_in(search.range(self)) : -1;
  return at < 0 ? PyErr_Format(PyExc_ValueError, "subsection not found") : PyLong_FromSsize_t(search.start + at);
}

}  // namespace xichan::python

// Searching in a BytesView, by the rules of bytes.
#pragma once

#include <span>

#include "values/view.h"

namespace xichan::python {

/// The bytes that a BytesView shows.
inline std::span<const unsigned char> content(PyObject* self) noexcept {
  const BlockSlice& slice = as_view(self)->slice;
  return {static_cast<const unsigned char*>(slice.reader().payload(slice.cell)), slice.cell.length()};
}

int bytes_contains(PyObject* self, PyObject* value) noexcept;
/// The methods count() and index().
PyObject* bytes_count(PyObject* self, PyObject* args) noexcept;
PyObject* bytes_index(PyObject* self, PyObject* args) noexcept;

}  // namespace xichan::python

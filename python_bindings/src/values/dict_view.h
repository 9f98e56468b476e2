// xichan.DictView: a dict read in place.
#pragma once

#include <Python.h>

namespace xichan::python {

/// Returns true for a dict or, on 3.15, a frozendict.
inline bool is_any_dict(PyObject* object) noexcept {
#if PY_VERSION_HEX >= 0x030F0000
  return PyAnyDict_Check(object);
#else
  return PyDict_Check(object);
#endif
}

extern PyType_Spec dict_spec;

}  // namespace xichan::python

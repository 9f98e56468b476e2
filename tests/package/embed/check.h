// A check that ends the program. The caller may be attached to an interpreter.
#pragma once

#include <Python.h>

#include <cstdio>
#include <cstdlib>

#define CHECK(condition)                                                              \
  do {                                                                                \
    if (!(condition)) {                                                               \
      std::fprintf(stderr, "line %d: not %s\n", __LINE__, #condition);                \
      if (PyThreadState_GetUnchecked() != nullptr && PyErr_Occurred()) PyErr_Print(); \
      std::_Exit(1);                                                                  \
    }                                                                                 \
  } while (false)

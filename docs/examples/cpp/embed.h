// Python inside a C++ program: the one Python of the process, and interpreters with their own GIL in their own threads.
#pragma once

#include <xichan/python.h>

#include <cstdio>
#include <cstdlib>

/// Initializes Python, and finalizes it at the end of the scope. The main thread is attached during these two steps
/// only.
class Python {
 public:
  Python() {
    Py_InitializeEx(0);                              // leaves signal handling to the program
    handle_ = xichan::InterpreterHandle::current();  // imports xichan
    if (!handle_) {
      PyErr_Print();
      std::exit(1);
    }
    thread_ = PyEval_SaveThread();
  }
  Python(const Python&) = delete;
  Python& operator=(const Python&) = delete;
  ~Python() {
    PyEval_RestoreThread(thread_);
    if (Py_FinalizeEx() < 0) std::fputs("Py_FinalizeEx failed\n", stderr);
  }

  const xichan::InterpreterHandle& main() const { return handle_; }

 private:
  xichan::InterpreterHandle handle_;
  PyThreadState* thread_;
};

/// An interpreter with its own GIL. The creating thread is attached to it until the end of the scope, which ends the
/// interpreter.
class OwnInterpreter {
 public:
  OwnInterpreter() {
    PyInterpreterConfig config = {};
    config.allow_threads = 1;
    config.check_multi_interp_extensions = 1;
    config.gil = PyInterpreterConfig_OWN_GIL;
    const PyStatus status = Py_NewInterpreterFromConfig(&thread_, &config);
    if (PyStatus_Exception(status)) thread_ = nullptr;
  }
  OwnInterpreter(const OwnInterpreter&) = delete;
  OwnInterpreter& operator=(const OwnInterpreter&) = delete;
  ~OwnInterpreter() {
    if (thread_ != nullptr) Py_EndInterpreter(thread_);
  }

  explicit operator bool() const { return thread_ != nullptr; }

 private:
  PyThreadState* thread_ = nullptr;
};

/// Sets a global of the interpreter's __main__. Prints the Python error and returns false on failure.
inline bool set_global(const char* name, const xichan::Value& value) {
  PyObject* main = PyImport_AddModule("__main__");  // borrowed
  PyObject* object = main == nullptr ? nullptr : xichan::to_python(value);
  const bool done = object != nullptr && PyObject_SetAttrString(main, name, object) == 0;
  Py_XDECREF(object);
  if (!done) PyErr_Print();
  return done;
}

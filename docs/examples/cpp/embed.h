// Python inside a C++ program: the process's one Python, and interpreters with a GIL of their own on threads of their
// own.
#pragma once

#include <xichan/python.h>

#include <cstdio>
#include <cstdlib>

/// Python, from here to the end of the scope. The main thread is attached only while it starts and ends.
class Python {
 public:
  Python() {
    Py_InitializeEx(0);                              // signals stay the program's
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
    if (Py_FinalizeEx() < 0) std::fputs("Python ended with an error\n", stderr);
  }

  const xichan::InterpreterHandle& main() const { return handle_; }

 private:
  xichan::InterpreterHandle handle_;
  PyThreadState* thread_;
};

/// An interpreter with a GIL of its own, for the thread that makes it: attached from here to the end of the scope, when
/// the interpreter ends.
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

/// Puts a value into the interpreter's __main__. Prints what went wrong.
inline bool set_global(const char* name, const xichan::Value& value) {
  PyObject* main = PyImport_AddModule("__main__");  // borrowed
  PyObject* object = main == nullptr ? nullptr : xichan::to_python(value);
  const bool done = object != nullptr && PyObject_SetAttrString(main, name, object) == 0;
  Py_XDECREF(object);
  if (!done) PyErr_Print();
  return done;
}

// Where Python code calls xichan: the code that is shown for waits (page/wait_report.h) and endpoints.
#pragma once

#include <Python.h>

#include <string_view>

#include "page/wait_report.h"

namespace xichan::python {

/// A place in the code of a caller. Borrowed: valid while its frame runs.
struct CallSite {
  PyCodeObject* code = nullptr;     // of the innermost frame outside of the package; null if there is none
  PyCodeObject* library = nullptr;  // of the outermost frame of the package between it and this call; null: none
  int offset = 0;                   // of the instruction in `code`, in bytes

  /// Returns what is shown of a wait in the interpreter with this id.
  internal::WaitCaller as_caller(std::int64_t interpreter) const noexcept;
  /// Returns the line of the instruction. Needs no lock of the interpreter.
  int line() const noexcept;
};

/// Finds the caller of the running C function: some loads per frame of the package. Attached.
CallSite find_call_site() noexcept;

/// Returns true if nothing but the package and code that starts its threads calls the running function. Attached.
bool is_called_by_package_alone() noexcept;

/// Returns true if a function of xichan.nats, called by the program, calls the running function. Attached.
bool is_called_by_nats() noexcept;

/// Learns the folder of the package, whose frames are skipped; the first call in the process does. -1 with an exception
/// set.
int find_package_folder() noexcept;

/// The text of a str as UTF-8, without touching its object. Of long ones only the end is kept.
class StrText {
 public:
  explicit StrText(PyObject* text) noexcept;
  std::string_view view() const noexcept { return view_; }

 private:
  static constexpr std::size_t most = 512;

  std::string_view view_;
  char buffer_[most];
};

}  // namespace xichan::python

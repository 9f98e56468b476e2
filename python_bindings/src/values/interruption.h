// Ctrl-C during long operations on a value.
#pragma once

#include <Python.h>

#include <cstdint>

namespace xichan::python {

/// Runs the handlers of pending signals every megabyte of work. Handlers are Python code, so the caller must hold
/// references to the blocks that it reads. Thread safety: one thread at a time, attached.
class Interruption {
 public:
  /// Counts the work of one cell and `bytes` of payload. False with an exception set if a handler raised.
  bool check(std::uint64_t bytes) noexcept {
    done_ += 64 + bytes;
    if (done_ < 1 << 20) return true;
    done_ = 0;
    return PyErr_CheckSignals() == 0;
  }

 private:
  std::uint64_t done_ = 0;
};

}  // namespace xichan::python

// For C++ programs that embed Python: attaching C++ threads to interpreters, and converting values to Python objects
// and back. Header-only. The extension module xichan._core does the work through a capsule, so one program supports
// CPython 3.13 to 3.15.
//
// Sending and receiving need none of this: channels take no interpreter lock.
#pragma once

#include <Python.h>

#include <atomic>
#include <cstdint>
#include <utility>

#include "xichan/status.h"
#include "xichan/value.h"

namespace xichan {
namespace python {

/// The state of one interpreter; outlives the interpreter.
class Gate;

/// The state of a held guard; private to the module.
struct Attachment {
  Gate* gate;
  void* thread;
  void* other;
};

/// The capsule `xichan._core._C_API`. Later versions only append members.
struct Api {
  static constexpr const char* name = "xichan._core._C_API";
  static constexpr std::uint32_t current_version = 1;

  std::uint32_t version;
  PyObject* (*to_python)(const Value& value) noexcept;
  PyObject* (*view_to_python)(ValueView view) noexcept;
  bool (*from_python)(PyObject* object, Value& value) noexcept;
  Gate* (*current_gate)() noexcept;
  Gate* (*find_gate)(std::int64_t id) noexcept;
  void (*retain_gate)(Gate* gate) noexcept;
  void (*release_gate)(Gate* gate) noexcept;
  std::int64_t (*gate_id)(const Gate* gate) noexcept;
  Status (*enter)(Gate* gate, Attachment& attachment) noexcept;
  void (*leave)(const Attachment& attachment) noexcept;
};

/// Stored with release, for the acquire of `find_api`. The functions are constant and never destroyed.
inline std::atomic<const Api*> loaded_api{nullptr};

/// Returns the functions, or null if they have not been loaded. Any thread.
inline const Api* find_api() noexcept { return loaded_api.load(std::memory_order_acquire); }

/// Returns the functions; imports the module if necessary. Returns null with an exception set on failure. The thread
/// must be attached.
inline const Api* load_api() noexcept {
  if (const Api* api = find_api()) return api;
  const auto* api = static_cast<const Api*>(PyCapsule_Import(Api::name, 0));
  if (api != nullptr && api->version < Api::current_version) {
    PyErr_SetString(PyExc_ImportError, "this program was built for a newer xichan than the one imported");
    return nullptr;
  }
  if (api != nullptr) loaded_api.store(api, std::memory_order_release);
  return api;
}

}  // namespace python

/// Identifies an interpreter for guards; does not keep it alive. Copies are cheap.
///
/// Thread safety: one thread at a time per handle; copies for other threads. Only `current` needs an attached thread.
/// Nothing here blocks.
class InterpreterHandle {
 public:
  /// Makes an empty handle.
  InterpreterHandle() noexcept = default;
  InterpreterHandle(const InterpreterHandle& other) noexcept : gate_(other.gate_) {
    if (gate_ != nullptr) python::find_api()->retain_gate(gate_);
  }
  InterpreterHandle(InterpreterHandle&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
  InterpreterHandle& operator=(InterpreterHandle other) noexcept {
    std::swap(gate_, other.gate_);
    return *this;
  }
  ~InterpreterHandle() {
    if (gate_ != nullptr) python::find_api()->release_gate(gate_);
  }

  /// Returns the interpreter that this thread is attached to; imports xichan into it if necessary. Returns an empty
  /// handle with an exception set if that fails or if the interpreter is being finalized.
  static InterpreterHandle current() noexcept {
    const python::Api* api = python::load_api();
    return InterpreterHandle(api == nullptr ? nullptr : api->current_gate());
  }

  /// Returns the interpreter with this id (`PyInterpreterState_GetID`; in Python `Interpreter.id`). Returns an empty
  /// handle if there is none, if xichan has not been imported into it, or if this program has not yet called `current`
  /// or converted a value.
  static InterpreterHandle find(std::int64_t id) noexcept {
    const python::Api* api = python::find_api();
    return InterpreterHandle(api == nullptr ? nullptr : api->find_gate(id));
  }

  explicit operator bool() const noexcept { return gate_ != nullptr; }
  /// Returns the interpreter's id; -1 for an empty handle.
  std::int64_t id() const noexcept { return gate_ == nullptr ? -1 : python::find_api()->gate_id(gate_); }

 private:
  friend class InterpreterGuard;
  explicit InterpreterHandle(python::Gate* gate) noexcept : gate_(gate) {}

  python::Gate* gate_ = nullptr;
};

/// Attaches this thread to an interpreter for a scope, and delays that interpreter's finalization.
///
///     if (InterpreterGuard guard(plugin); guard) PyRun_SimpleString("...");
///
/// Guards nest, for the same and for other interpreters, and must be destroyed in reverse order. A thread that is
/// attached elsewhere is detached there, and attached again at the end of the scope.
///
/// Never block while holding a guard, on a channel or otherwise: the interpreter's other threads stop, and it cannot be
/// finalized. Do not finalize an interpreter while holding a guard of it. Blocks only on that interpreter's GIL.
class [[nodiscard]] InterpreterGuard {
 public:
  explicit InterpreterGuard(const InterpreterHandle& interpreter) noexcept {
    if (interpreter) status_ = python::find_api()->enter(interpreter.gate_, attachment_);
  }
  explicit InterpreterGuard(std::int64_t id) noexcept : InterpreterGuard(InterpreterHandle::find(id)) {}
  InterpreterGuard(const InterpreterGuard&) = delete;
  InterpreterGuard& operator=(const InterpreterGuard&) = delete;
  ~InterpreterGuard() {
    if (status_ == Status::ok) python::find_api()->leave(attachment_);
  }

  /// Returns true if the thread was attached. If not, its attachment is unchanged.
  explicit operator bool() const noexcept { return status_ == Status::ok; }
  /// Returns `ok`; `not_found` if there is no such interpreter; `exiting` if it has been or is being finalized;
  /// `no_memory`. From 3.15 on, an interpreter whose finalization waits for guards admits more of them until none is
  /// held (PEP 788).
  Status status() const noexcept { return status_; }

 private:
  Status status_ = Status::not_found;
  python::Attachment attachment_{};
};

/// Returns a new reference to the object that a Receiver in this interpreter would return for the value, or null with
/// an exception set. The thread must be attached. Imports xichan if necessary.
inline PyObject* to_python(const Value& value) noexcept {
  const python::Api* api = python::load_api();
  return api == nullptr ? nullptr : api->to_python(value);
}

/// Converts a part of a value, likewise.
inline PyObject* to_python(ValueView view) noexcept {
  const python::Api* api = python::load_api();
  return api == nullptr ? nullptr : api->view_to_python(view);
}

/// Encodes a Python object as sending it would. Returns false with an exception set (NotShareableError among others)
/// and leaves `value` unchanged on failure. The thread must be attached. Imports xichan if necessary.
[[nodiscard]] inline bool from_python(PyObject* object, Value& value) noexcept {
  const python::Api* api = python::load_api();
  return api != nullptr && api->from_python(object, value);
}

}  // namespace xichan

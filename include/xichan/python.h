// For C++ programs that embed Python: C++ threads go into an interpreter and back, and values become Python objects and
// back. Header-only; the work is done by the extension module xichan._core, whose functions stand in a capsule, so that
// one program serves CPython 3.13 to 3.15 and nothing is implemented twice.
//
// A thread needs none of this to send and receive: channels take no interpreter lock.
#pragma once

#include <Python.h>

#include <atomic>
#include <cstdint>
#include <utility>

#include "xichan/status.h"
#include "xichan/value.h"

namespace xichan {
namespace python {

/// What is known of one interpreter, also when it has gone.
class Gate;

/// What a guard keeps while it is held; the meaning is the module's own.
struct Attachment {
  Gate* gate;
  void* thread;
  void* other;
};

/// The capsule `xichan._core._C_API`. Later versions only append.
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

/// Release where it is stored, with the acquire of `find_api`; what it points to is constant and never goes.
inline std::atomic<const Api*> loaded_api{nullptr};

/// The functions, if they were loaded before; any thread.
inline const Api* find_api() noexcept { return loaded_api.load(std::memory_order_acquire); }

/// The functions, importing the module if need be. Null with an exception set. The thread must be attached.
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

/// Names an interpreter, for guards; does not keep it alive. Copies are cheap.
///
/// Thread safety: one thread at a time for one handle; copies for other threads. No thread needs to be attached, but
/// for `current`. Progress: nothing here waits.
class InterpreterHandle {
 public:
  /// An empty one.
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

  /// The interpreter that this thread is attached to, into which xichan is imported if it was not. Empty, with an
  /// exception set, if that fails or the interpreter is about to end.
  static InterpreterHandle current() noexcept {
    const python::Api* api = python::load_api();
    return InterpreterHandle(api == nullptr ? nullptr : api->current_gate());
  }

  /// The interpreter with this id (`PyInterpreterState_GetID`; in Python `Interpreter.id`), if xichan has been imported
  /// into it and it has not ended. Empty if not; also before anybody in this program called `current` or converted a
  /// value.
  static InterpreterHandle find(std::int64_t id) noexcept {
    const python::Api* api = python::find_api();
    return InterpreterHandle(api == nullptr ? nullptr : api->find_gate(id));
  }

  explicit operator bool() const noexcept { return gate_ != nullptr; }
  /// -1 of an empty one.
  std::int64_t id() const noexcept { return gate_ == nullptr ? -1 : python::find_api()->gate_id(gate_); }

 private:
  friend class InterpreterGuard;
  explicit InterpreterHandle(python::Gate* gate) noexcept : gate_(gate) {}

  python::Gate* gate_ = nullptr;
};

/// Attaches this thread to an interpreter for a scope, and keeps that interpreter from ending meanwhile.
///
///     if (InterpreterGuard guard(plugin); guard) PyRun_SimpleString("...");
///
/// Guards nest, for the same interpreter and for others, and are destroyed in the reverse order. A thread that is
/// attached elsewhere, by a guard or otherwise, is detached there and comes back at the end of the scope.
///
/// Never block holding a guard, on a channel or anything else: the interpreter's other threads stand still, and it
/// cannot end. End no interpreter holding a guard of it. Waiting for that interpreter's GIL is all that this waits for.
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

  /// Whether this thread is attached. If not, it is where it was.
  explicit operator bool() const noexcept { return status_ == Status::ok; }
  /// `ok`; `not_found`, no such interpreter; `exiting`, it has ended or is about to; `no_memory`. From 3.15 on an
  /// interpreter that waits for guards to go lets others in until none is held (PEP 788).
  Status status() const noexcept { return status_; }

 private:
  Status status_ = Status::not_found;
  python::Attachment attachment_{};
};

/// A new reference to the value as Python sees it, the same that a Receiver of this interpreter would give; null with
/// an exception set. The thread must be attached. Imports xichan if need be.
inline PyObject* to_python(const Value& value) noexcept {
  const python::Api* api = python::load_api();
  return api == nullptr ? nullptr : api->to_python(value);
}

/// The same for a part of a value.
inline PyObject* to_python(ValueView view) noexcept {
  const python::Api* api = python::load_api();
  return api == nullptr ? nullptr : api->view_to_python(view);
}

/// The value of a Python object, as sending it would encode it. False with an exception set, NotShareableError among
/// them, and `value` as it was. The thread must be attached. Imports xichan if need be.
[[nodiscard]] inline bool from_python(PyObject* object, Value& value) noexcept {
  const python::Api* api = python::load_api();
  return api != nullptr && api->from_python(object, value);
}

}  // namespace xichan

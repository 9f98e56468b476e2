// The cases of a select: Receivers and (Sender, value) tuples.
#pragma once

#include <memory>

#include "base/handle.h"
#include "base/ref.h"
#include "values/transfer.h"

namespace xichan::python {

/// The endpoint and the value of one case; the value is null for a Receiver. Borrowed from the case.
struct CaseParts {
  Handle* handle = nullptr;
  PyObject* value = nullptr;
};
/// Splits a case: a Receiver, or a tuple (Sender, value). False with TypeError set for anything else.
bool split_case(const ModuleState& state, PyObject* object, CaseParts& parts) noexcept;

/// Returns (case, value) for a value that a Receiver, the case, has received. Null with an exception set; a DecodeError
/// carries the case. These hold what they are passed while Python code may run.
PyObject* deliver_case(PyObject* receiver, const Cell& cell, bool copy) noexcept;
/// Raises for a case, with `case` set on ChannelClosed. Returns null.
PyObject* raise_for_case(PyObject* object, const Handle* handle, Status status) noexcept;

class Cases {
 public:
  Cases() noexcept = default;
  Cases(const Cases&) = delete;
  Cases& operator=(const Cases&) = delete;
  ~Cases() { release_values(); }

  /// Reads an iterable of cases and encodes the values to send. False with an exception set; a ChannelClosed carries
  /// the case.
  bool parse(const ModuleState& state, PyObject* iterable) noexcept;

  std::size_t size() const noexcept { return size_; }
  /// The cases that `parse` was given, as a tuple; null if it has not come so far.
  PyObject* objects() const noexcept { return objects_.get(); }
  PyObject* object(std::size_t i) const noexcept {
    return PyTuple_GET_ITEM(objects_.get(), static_cast<Py_ssize_t>(i));
  }
  Handle* handle(std::size_t i) const noexcept { return handles_[i]; }
  std::span<Endpoint* const> endpoints() const noexcept { return {endpoints_.get(), size_}; }
  std::span<Case> cases() noexcept { return {cases_.get(), size_}; }

  /// Releases the values to send, except that of the case `sent`, which the channel owns now. Any thread, also detached
  /// without `sent`.
  void release_values(std::size_t sent = SIZE_MAX) noexcept;

  /// Releases what `release_values` has kept of Buffers and Descriptors, in a call that never returns.
  void discard_moved() noexcept { transfers_.discard(); }

  /// Returns (case, value) for the chosen case: the received value, or None for a sender. Null with an exception set; a
  /// DecodeError carries the case.
  PyObject* result(std::size_t chosen, bool copy) noexcept;
  /// Does the same for a case whose Receiver holds a value that an earlier call could not decode.
  PyObject* deliver_unread(std::size_t chosen, bool copy) noexcept;
  /// Keeps the value that the chosen case received for the next call. False if it is a sender; then does nothing.
  bool keep_received(std::size_t chosen) noexcept;
  PyObject* raise(std::size_t chosen, Status status) const noexcept {
    return raise_for_case(object(chosen), handles_[chosen], status);
  }
  /// Returns the first case whose Receiver holds a value that an earlier call could not decode; size() if there is
  /// none.
  std::size_t find_unread() const noexcept;

 private:
  bool parse_case(const ModuleState& state, PyObject* object) noexcept;

  // Keeps the cases and their handles alive. A tuple, because Python code that runs during the call could change a
  // list, which it finds with gc.get_objects().
  Ref objects_;
  std::unique_ptr<Handle*[]> handles_;
  std::unique_ptr<Endpoint*[]> endpoints_;
  std::unique_ptr<Case[]> cases_;
  Transfers transfers_;
  Line line_;
  std::size_t size_ = 0;
};

}  // namespace xichan::python

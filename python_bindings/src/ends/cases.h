// The cases of a select, as Python gives them: a Receiver, or (Sender, value).
#pragma once

#include <memory>

#include "base/handle.h"

namespace xichan::python {

class Cases {
 public:
  Cases() noexcept = default;
  Cases(const Cases&) = delete;
  Cases& operator=(const Cases&) = delete;
  ~Cases();

  /// Reads a sequence or other iterable of cases and encodes what they send. False with an exception set; ChannelClosed
  /// carries the case then.
  bool parse(const ModuleState& state, PyObject* iterable) noexcept;

  std::size_t size() const noexcept { return size_; }
  PyObject* object(std::size_t i) const noexcept { return PyList_GET_ITEM(list_, static_cast<Py_ssize_t>(i)); }
  Handle* handle(std::size_t i) const noexcept { return handles_[i]; }
  std::span<Endpoint* const> ends() const noexcept { return {ends_.get(), size_}; }
  std::span<Case> cases() noexcept { return {cases_.get(), size_}; }

  /// The values that cases send are gone: sent, or given back.
  void give_back_values(std::size_t but = SIZE_MAX) noexcept;

  /// (case, value) for a chosen case: decodes what a receiver took; None for a sender.
  PyObject* result(std::size_t chosen, bool copy) noexcept;
  /// Raises for the chosen case, with `case` set on ChannelClosed. Returns null.
  PyObject* raise(std::size_t chosen, Status status) noexcept;
  /// The first Receiver that has an item which an earlier call could not decode; size() if none has.
  std::size_t find_unread() const noexcept;

 private:
  bool parse_case(const ModuleState& state, PyObject* object) noexcept;

  PyObject* list_ = nullptr;  // holds the cases and, through them, the handles
  std::unique_ptr<Handle*[]> handles_;
  std::unique_ptr<Endpoint*[]> ends_;
  std::unique_ptr<Case[]> cases_;
  std::size_t size_ = 0;
};

/// select(cases, timeout=None, *, copy=True), and _try_select(cases, *, copy=True), which never waits and answers None
/// if nothing is ready.
PyObject* select_cases(PyObject* module, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;
PyObject* try_select(PyObject* module, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept;
extern const char select_doc[];

}  // namespace xichan::python

#include "ends/recv_many.h"

#include <algorithm>
#include <memory>
#include <new>
#include <span>

#include "base/ref.h"
#include "ends/receive.h"
#include "value/message.h"
#include "values/decode.h"
#include "values/decode_error.h"

namespace xichan::python {
namespace {

bool parse_max_items(PyObject* value, Py_ssize_t& most) noexcept {
  if (!PyIndex_Check(value) || PyBool_Check(value)) {
    PyErr_Format(PyExc_TypeError, "max_items must be an int, got %T", value);
    return false;
  }
  most = PyNumber_AsSsize_t(value, nullptr);  // clipped, because a list cannot be longer
  if (most == -1 && PyErr_Occurred()) return false;
  if (most >= 1) return true;
  PyErr_Format(PyExc_ValueError, "max_items must be at least 1, got %zd", most);
  return false;
}

/// A list with room for values before they are received, so that none is lost for lack of memory. The room is what the
/// list has allocated beyond its size. Until it is finished, the garbage collector does not know it: Python code that
/// runs while the call blocks could find it with gc.get_objects() and change it.
class Results {
 public:
  /// Starts with room for `expected` values.
  explicit Results(std::uint64_t expected) noexcept
      : list_(PyList_New(static_cast<Py_ssize_t>(std::min<std::uint64_t>(expected, PY_SSIZE_T_MAX)))) {
    if (!list_) return;
    resize(0);
    PyObject_GC_UnTrack(list_.get());
  }

  Py_ssize_t size() const noexcept { return PyList_GET_SIZE(list_.get()); }
  /// Returns how many values there is room for now.
  std::size_t room() const noexcept {
    return static_cast<std::size_t>(reinterpret_cast<PyListObject*>(list_.get())->allocated - size());
  }
  /// Makes room for at least one value. False with MemoryError set.
  bool make_room() noexcept {
    if (!list_) return false;
    if (room() != 0) return true;
    if (PyList_Append(list_.get(), Py_None) < 0) return false;
    resize(size() - 1);  // the None left behind is immortal
    return true;
  }
  /// Appends a value, consuming the reference. False if it is null.
  bool fill(PyObject* value) noexcept {
    if (value == nullptr) return false;
    PyList_SET_ITEM(list_.get(), size(), value);
    resize(size() + 1);
    return true;
  }

  /// Returns the list, or null with an exception set. If the list holds values, an exception is dropped: the value that
  /// failed is kept by the handle, and any other failure is raised by the next call. But an interruption is raised, and
  /// the handle keeps the values.
  PyObject* finish(Handle* handle) noexcept {
    if (PyErr_Occurred()) {
      if (!list_ || size() == 0) return nullptr;
      if (!PyErr_ExceptionMatches(PyExc_Exception)) return restore(handle);
      PyErr_Clear();
    }
    PyObject_GC_Track(list_.get());
    return list_.release();
  }

 private:
  PyObject* restore(Handle* handle) noexcept {
    Worklist<Cell> cells;
    if (!cells.reserve(static_cast<std::size_t>(size()))) return nullptr;
    for (Py_ssize_t i = 0; i < size(); ++i) (void)cells.push(decoded_cell(PyList_GET_ITEM(list_.get(), i)));
    resize(0);  // the references moved
    keep_first(handle, cells.begin(), cells.size());
    return nullptr;
  }

  // Stays within the allocated size.
  void resize(Py_ssize_t size) noexcept { Py_SET_SIZE(reinterpret_cast<PyVarObject*>(list_.get()), size); }

  Ref list_;
};

// Receives a chunk of the values that are there now, at most `left`, by way of `cells`, and subtracts their number from
// `left`, which is not zero. False if no more can be received; an exception is set only if a value was not decoded or
// the side of an spsc channel belongs to another endpoint.
bool take_now(Handle* handle, bool copy, std::span<Cell> cells, std::uint64_t& left, Results& results) noexcept {
  if (!results.make_room()) return false;
  if (has_unread(handle)) {
    --left;
    return results.fill(deliver_unread(handle, copy, results.size() != 0));
  }
  std::uint64_t most = std::min<std::uint64_t>({left, results.room(), cells.size()});
  if (!reserve_unread(handle, most)) most = 1;  // keep_unread can allocate for a single value
  std::uint64_t taken;
  Line lines[batch_size];
  const Status status = handle->endpoint->try_recv_many(cells.data(), most, taken, lines);
  if (status == Status::claimed) raise_for(handle, status);
  if (status != Status::ok) return false;
  left -= taken;
  std::size_t i = 0;
  while (i < taken && results.fill(decode(*handle->state, cells[i], copy))) release(cells[i++]);
  if (i == taken) return true;
  // After values that are returned, the one that failed is left to the next call, which raises DecodeError then.
  if (results.size() == 0 && is_undecodable(*handle->state)) release(cells[i++]);
  keep_first(handle, cells.data() + i, taken - i);
  return false;
}

}  // namespace

PyObject* receiver_recv_many(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"max_items", "timeout", "copy"};
  static constexpr Signature signature{"recv_many", names, 1, 2};
  PyObject* values[3];
  Timeout timeout;
  Py_ssize_t most;
  bool copy = true;
  Handle* handle = as_handle(self);
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_max_items(values[0], most) ||
      !parse_timeout(values[1], timeout) || !parse_flag(values[2], copy)) {
    return nullptr;
  }
  if (!check_receiver(handle)) return nullptr;
  // The values that are there now and one to wait for, but at most as many as requested.
  Results results(std::min(static_cast<std::uint64_t>(most), handle->endpoint->channel()->size() + 1));
  if (results.make_room() && results.fill(receive(handle, timeout, copy))) {
    // The endpoint may have been closed while `receive` blocked, or by Python code that decoding ran.
    auto left = static_cast<std::uint64_t>(most - 1);
    Cell cells[batch_size];
    while (left != 0 && !handle->endpoint->is_closed() && take_now(handle, copy, cells, left, results)) {
    }
  }
  return results.finish(handle);
}

PyObject* receiver_drain(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"copy"};
  static constexpr Signature signature{"drain", names, 0, 0};
  PyObject* values[1];
  bool copy = true;
  Handle* handle = as_handle(self);
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_flag(values[0], copy) ||
      !check_receiver(handle)) {
    return nullptr;
  }
  // Only the values that are queued or offered by waiting senders now: senders that keep sending must not keep this
  // call busy. At least one attempt, which raises if the side of an spsc channel belongs to another endpoint.
  const ChannelStats stats = handle->endpoint->channel()->stats();
  std::uint64_t left = std::max<std::uint64_t>(stats.depth + stats.waiting_senders, 1);
  left += handle->unread == nullptr ? 0 : handle->unread->size();
  Results results(left);
  // Room for all of them, so that an unbounded channel gives them up in one step: no other receiver takes one in
  // between. Pools rely on this.
  Cell few[batch_size];
  std::unique_ptr<Cell[]> many(left > batch_size ? new (std::nothrow) Cell[left] : nullptr);
  const std::span<Cell> cells = many ? std::span(many.get(), left) : std::span(few);
  while (left != 0 && !handle->endpoint->is_closed() && take_now(handle, copy, cells, left, results)) {
  }
  if (many && !has_unread(handle)) drop_unread(handle);  // the memory reserved for it
  return results.finish(handle);
}

}  // namespace xichan::python

#include <algorithm>
#include <utility>

#include "ends/batch.h"
#include "ends/receive.h"
#include "value/message.h"
#include "values/decode.h"

namespace xichan::python {
namespace {

bool parse_max_items(PyObject* value, Py_ssize_t& most) noexcept {
  if (!PyIndex_Check(value) || PyBool_Check(value)) {
    PyErr_Format(PyExc_TypeError, "max_items must be an int, not %T", value);
    return false;
  }
  most = PyNumber_AsSsize_t(value, nullptr);  // clipped: a list cannot be longer
  if (most == -1 && PyErr_Occurred()) return false;
  if (most >= 1) return true;
  PyErr_SetString(PyExc_ValueError, "max_items must be at least 1");
  return false;
}

/// A list that has room for values before they are taken, so that none is lost for want of memory. What the list has
/// allocated beyond its size is that room.
class Results {
 public:
  /// Room for so many at first.
  explicit Results(std::uint64_t expected) noexcept
      : list_(PyList_New(static_cast<Py_ssize_t>(std::min<std::uint64_t>(expected, PY_SSIZE_T_MAX)))) {
    if (list_ != nullptr) resize(0);
  }
  Results(const Results&) = delete;
  Results& operator=(const Results&) = delete;
  ~Results() { Py_XDECREF(list_); }

  Py_ssize_t size() const noexcept { return PyList_GET_SIZE(list_); }
  /// For how many values there is room now.
  std::size_t room() const noexcept {
    return static_cast<std::size_t>(reinterpret_cast<PyListObject*>(list_)->allocated - size());
  }
  /// Makes room for one value, mostly for more. False with MemoryError set.
  bool make_room() noexcept {
    if (list_ == nullptr) return false;
    if (room() != 0) return true;
    if (PyList_Append(list_, Py_None) < 0) return false;
    resize(size() - 1);  // the None in that room is immortal
    return true;
  }
  /// Puts a value (stolen) into that room; false if it is null.
  bool fill(PyObject* value) noexcept {
    if (value == nullptr) return false;
    PyList_SET_ITEM(list_, size(), value);
    resize(size() + 1);
    return true;
  }

  /// The list. After a failure with values in it they count, and what failed stays with the handle or is told next
  /// time.
  PyObject* finish() noexcept {
    if (PyErr_Occurred()) {
      if (list_ == nullptr || size() == 0) return nullptr;
      PyErr_Clear();
    }
    return std::exchange(list_, nullptr);
  }

 private:
  // Within what is allocated.
  void resize(Py_ssize_t size) noexcept { Py_SET_SIZE(reinterpret_cast<PyVarObject*>(list_), size); }

  PyObject* list_;
};

// Takes what is there now, a chunk of it, and counts it off `left`, which is not zero. False if there was nothing more
// to take, with an exception set only if there is more to it: no memory, or a side that belongs to another end.
bool take_now(Handle* handle, bool copy, std::uint64_t& left, Results& results) noexcept {
  if (!results.make_room()) return false;
  if (has_unread(handle)) {
    --left;
    return results.fill(deliver_unread(handle, copy));
  }
  std::uint64_t most = std::min<std::uint64_t>({left, results.room(), batch_size});
  if (!reserve_unread(handle, most)) most = 1;  // whose place in need is made when it comes to that
  Cell cells[batch_size];
  std::uint64_t taken;
  const Status status = handle->end->try_recv_many(cells, most, taken);
  if (status == Status::claimed) raise_for(handle, status);
  if (status != Status::ok) return false;
  left -= taken;
  std::size_t i = 0;
  while (i < taken && results.fill(decode(*handle->state, cells[i], copy))) release(cells[i++]);
  for (std::size_t failed = i; failed < taken; ++failed) keep_unread(handle, cells[failed]);
  return i == taken;
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
  if (!check_open(handle)) return nullptr;
  // What is there now and one to wait for, but no more than is wanted.
  Results results(std::min(static_cast<std::uint64_t>(most), handle->end->channel()->size() + 1));
  if (results.make_room() && results.fill(receive(handle, timeout, copy))) {
    // The end may have been closed while `receive` waited; from here on no Python code runs.
    auto left = static_cast<std::uint64_t>(most - 1);
    while (left != 0 && !handle->end->is_closed() && take_now(handle, copy, left, results)) {
    }
  }
  return results.finish();
}

PyObject* receiver_drain(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"copy"};
  static constexpr Signature signature{"drain", names, 0, 0};
  PyObject* values[1];
  bool copy = true;
  Handle* handle = as_handle(self);
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_flag(values[0], copy) ||
      !check_open(handle)) {
    return nullptr;
  }
  // What is there now, queued or offered by those who wait: senders that keep sending must not hold it up. One attempt
  // in any case, which tells of a side that belongs to another end.
  const ChannelStats stats = handle->end->channel()->stats();
  std::uint64_t left = std::max<std::uint64_t>(stats.depth + stats.waiting_senders, 1);
  Results results(left);
  left += handle->unread == nullptr ? 0 : handle->unread->size();
  while (left != 0 && take_now(handle, copy, left, results)) {
  }
  return results.finish();
}

}  // namespace xichan::python

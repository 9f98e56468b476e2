#include "batch.h"

#include <algorithm>
#include <utility>

#include "attach.h"
#include "encode.h"
#include "receive.h"
#include "value/message.h"

namespace xichan::python {
namespace {

constexpr std::size_t chunk_size = 64;

/// Up to a chunk of encoded values that are still to be sent. What is not sent is given back.
class Chunk {
 public:
  Chunk() noexcept = default;
  Chunk(const Chunk&) = delete;
  Chunk& operator=(const Chunk&) = delete;
  ~Chunk() { drop(); }

  /// Encodes values of the iterator until the chunk is full or it ends. False with the exception set if a value could
  /// not be had or encoded; those before it stay.
  bool fill(const ModuleState& state, PyObject* iterator, bool& more) noexcept {
    first_ = size_ = 0;
    while (size_ < chunk_size) {
      PyObject* value = PyIter_Next(iterator);
      if (value == nullptr) {
        more = false;
        return PyErr_Occurred() == nullptr;
      }
      const bool encoded = encode(state, value, cells_[size_]);
      if (encoded) ++size_;
      if (!encoded && PyErr_ExceptionMatches(state.error(ErrorClass::not_shareable))) note_item(value);
      Py_DECREF(value);
      if (!encoded) return false;
    }
    return true;
  }

  bool empty() const noexcept { return first_ == size_; }
  Cell& front() noexcept { return cells_[first_]; }
  void pop() noexcept { ++first_; }
  void drop() noexcept {
    for (; first_ < size_; ++first_) release(cells_[first_]);
  }

 private:
  static void note_item(PyObject* value) noexcept {
    PyObject* error = PyErr_GetRaisedException();
    if (PyObject_SetAttrString(error, "item", value) < 0) PyErr_Clear();
    PyErr_SetRaisedException(error);
  }

  Cell cells_[chunk_size];
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

// Sends what is in the chunk. False with an exception set if a signal handler raised; else `status` is that of the last
// attempt, and what was not sent stays in the chunk.
bool send_chunk(Handle* handle, Chunk& chunk, const Timeout& timeout, Py_ssize_t& sent, Status& status) noexcept {
  status = Status::ok;
  while (!chunk.empty()) {
    if (handle->end->is_closed()) {
      status = Status::end_closed;
      return true;
    }
    const bool decided = call(owner_of(handle), *handle->end, chunk.front(), timeout, status,
                              [&]() noexcept { release(chunk.front()); });
    chunk.pop();
    if (!decided) return false;
    if (status != Status::ok) return true;
    ++sent;
  }
  return true;
}

// Puts the number of values sent into a NotShareableError about to be raised.
void note_sent(const ModuleState& state, Py_ssize_t sent) noexcept {
  if (!PyErr_ExceptionMatches(state.error(ErrorClass::not_shareable))) return;
  PyObject* error = PyErr_GetRaisedException();
  PyObject* count = PyLong_FromSsize_t(sent);
  if (count == nullptr || PyObject_SetAttrString(error, "sent", count) < 0) PyErr_Clear();
  Py_XDECREF(count);
  PyErr_SetRaisedException(error);
}

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

// One value that is there now. Null if there is none, with an exception set only if there is more to it: no memory, or
// a side that belongs to another end.
PyObject* take_now(Handle* handle) noexcept {
  if (has_unread(handle)) return deliver_unread(handle);
  Cell cell;
  const Status status = handle->end->try_recv(cell);
  if (status == Status::ok) return deliver(handle, cell);
  return status == Status::claimed ? raise_for(handle, status) : nullptr;
}

/// A list that has room for a value before that is taken, so that none is lost for want of memory.
class Results {
 public:
  Results() noexcept : list_(PyList_New(0)) {}
  Results(const Results&) = delete;
  Results& operator=(const Results&) = delete;
  ~Results() { Py_XDECREF(list_); }

  Py_ssize_t size() const noexcept { return PyList_GET_SIZE(list_); }
  /// Makes room for one value. False with MemoryError set.
  bool make_room() noexcept { return list_ != nullptr && PyList_Append(list_, Py_None) == 0; }
  /// Puts a value (stolen) into that room, or gives the room up if it is null. False in that case.
  bool fill(PyObject* value) noexcept {
    const Py_ssize_t last = size() - 1;
    if (value != nullptr) return PyList_SetItem(list_, last, value) == 0;
    // Not by a slice, which may need memory to shrink the list. The None in that room is immortal.
    Py_SET_SIZE(reinterpret_cast<PyVarObject*>(list_), last);
    return false;
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
  PyObject* list_;
};

}  // namespace

PyObject* sender_send_many(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"values", "timeout"};
  static constexpr Signature signature{"send_many", names, 1, 2};
  PyObject* values[2];
  Timeout timeout;
  Handle* handle = as_handle(self);
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_timeout(values[1], timeout) ||
      !check_open(handle)) {
    return nullptr;
  }
  PyObject* iterator = PyObject_GetIter(values[0]);
  if (iterator == nullptr) return nullptr;
  Chunk chunk;
  Py_ssize_t sent = 0;
  PyObject* error = nullptr;
  Status status = Status::ok;
  for (bool more = true; more && error == nullptr && status == Status::ok;) {
    // What stands before a value that cannot be had or encoded is still sent.
    if (!chunk.fill(*handle->state, iterator, more)) error = PyErr_GetRaisedException();
    if (!send_chunk(handle, chunk, timeout, sent, status)) {
      Py_XDECREF(error);
      Py_DECREF(iterator);
      return nullptr;
    }
  }
  chunk.drop();
  Py_DECREF(iterator);
  if (status == Status::ok && error != nullptr) {
    PyErr_SetRaisedException(error);
    note_sent(*handle->state, sent);
    return nullptr;
  }
  Py_XDECREF(error);
  if (status != Status::ok && sent == 0) return raise_for(handle, status == Status::full ? Status::timeout : status);
  return PyLong_FromSsize_t(sent);
}

PyObject* receiver_recv_many(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"max_items", "timeout"};
  static constexpr Signature signature{"recv_many", names, 1, 2};
  PyObject* values[2];
  Timeout timeout;
  Py_ssize_t most;
  Handle* handle = as_handle(self);
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_max_items(values[0], most) ||
      !parse_timeout(values[1], timeout)) {
    return nullptr;
  }
  Results results;
  if (results.make_room() && results.fill(receive(handle, timeout))) {
    // The end may have been closed while `receive` waited; from here on no Python code runs.
    while (results.size() < most && !handle->end->is_closed() && results.make_room()) {
      if (!results.fill(take_now(handle))) break;
    }
  }
  return results.finish();
}

PyObject* receiver_drain(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr Signature signature{"drain", {}, 0, 0};
  Handle* handle = as_handle(self);
  if (!parse_arguments(signature, args, count, keywords, nullptr) || !check_open(handle)) return nullptr;
  // What is there now, queued or offered by those who wait: senders that keep sending must not hold it up. One attempt
  // in any case, which tells of a side that belongs to another end.
  const ChannelStats stats = handle->end->channel()->stats();
  std::uint64_t left = std::max<std::uint64_t>(stats.depth + stats.waiting_senders, 1);
  Results results;
  while ((has_unread(handle) || left-- > 0) && results.make_room()) {
    if (!results.fill(take_now(handle))) break;
  }
  return results.finish();
}

}  // namespace xichan::python

#include "ends/send_many.h"

#include <utility>

#include "base/blocking_call.h"
#include "base/handle.h"
#include "base/ref.h"
#include "ends/failure.h"
#include "ends/special.h"
#include "value/message.h"
#include "values/encode_line.h"
#include "values/transfer.h"

namespace xichan::python {
namespace {

/// Reads the values of an iterable one by one. Reads a list or tuple by index, as its iterator does.
class Source {
 public:
  explicit Source(PyObject* values) noexcept
      : kind_(PyList_CheckExact(values)    ? Kind::list
              : PyTuple_CheckExact(values) ? Kind::tuple
                                           : Kind::iterator),
        from_(kind_ == Kind::iterator ? PyObject_GetIter(values) : Py_NewRef(values)) {}

  bool valid() const noexcept { return static_cast<bool>(from_); }
  /// Returns the next value; null at the end or with an exception set.
  PyObject* next() noexcept {
    if (kind_ == Kind::iterator) return PyIter_Next(from_.get());
    const bool list = kind_ == Kind::list;
    if (index_ >= (list ? PyList_GET_SIZE(from_.get()) : PyTuple_GET_SIZE(from_.get()))) return nullptr;
    PyObject* value = list ? PyList_GET_ITEM(from_.get(), index_) : PyTuple_GET_ITEM(from_.get(), index_);
    ++index_;
    return Py_NewRef(value);
  }

 private:
  enum class Kind { list, tuple, iterator };

  const Kind kind_;
  const Ref from_;
  Py_ssize_t index_ = 0;
};

/// Encoded values that are not sent yet. Releases those that are never sent.
class Chunk {
 public:
  Chunk() noexcept = default;
  Chunk(const Chunk&) = delete;
  Chunk& operator=(const Chunk&) = delete;
  ~Chunk() { drop(); }

  /// Encodes values of the source until the chunk is full or ends in one with a line, or the source ends. False with an
  /// exception set if the source raised or a value could not be encoded; the values before it stay in the chunk.
  bool fill(Handle* handle, Source& source, bool& more) noexcept {
    const bool plain = handle->endpoint->is_plain();
    first_ = size_ = 0;
    end_ = batch_size;
    while (size_ < end_) {
      PyObject* value = source.next();
      if (value == nullptr) {
        more = false;
        return PyErr_Occurred() == nullptr;
      }
      Cell& cell = cells_[size_];
      const bool encoded = (plain && encode_short(value, &cell)) || encode_other(handle, value, cell, plain);
      if (encoded) ++size_;
      if (!encoded && PyErr_ExceptionMatches(handle->state->error(ErrorClass::not_shareable))) note_item(value);
      Py_DECREF(value);
      if (!encoded) return false;
    }
    return true;
  }

  std::size_t size() const noexcept { return size_ - first_; }
  bool empty() const noexcept { return size() == 0; }
  Cell& front() noexcept { return cells_[first_]; }
  /// Returns the line of the first value; null if it has none.
  Line* front_line() noexcept { return has_line(front()) ? &line_ : nullptr; }
  /// Returns the number of values without a line. Only the last one has one.
  std::size_t lineless() const noexcept { return size() - has_line(cells_[size_ - 1]); }
  /// Removes values that were sent.
  void pop(std::size_t count) noexcept {
    if (transfers_.any()) {
      for (std::size_t i = first_; i < first_ + count; ++i) transfers_.sent(cells_[i]);
    }
    first_ += count;
  }
  /// Releases the first value, which was not sent. Any thread, also detached.
  void abandon_front() noexcept { abandon(cells_[first_++]); }
  /// Releases everything, except for the first value if it was sent, in a call that never returns.
  void discard(bool first_was_sent) noexcept {
    first_ += first_was_sent;
    while (first_ < size_) abandon_front();
    transfers_.discard();
  }
  void drop() noexcept {
    while (first_ < size_) abandon_front();
    transfers_.restore();
  }

 private:
  void abandon(const Cell& cell) noexcept {
    transfers_.withdraw(cell);
    release(cell);
  }

  // Encodes a value that `encode_short` did not encode, or for a Sender that is not plain.
  [[gnu::noinline]] bool encode_other(Handle* handle, PyObject* value, Cell& cell, bool plain) noexcept {
    const bool encoded = plain ? encode_long(handle, value, cell) : encode_special(handle, value, cell);
    if (!transfers_.take(*handle->state, cell)) return encoded;
    if (!handle->endpoint->is_closed()) return true;
    abandon(cell);
    raise_for(handle, Status::end_closed);
    return false;
  }

  bool encode_long(Handle* handle, PyObject* value, Cell& cell) noexcept {
    const ModuleState& state = *handle->state;
    Encoded encoded;
    if (PyTuple_CheckExact(value) && is_small(value) && handle->endpoint->has_lines()) {
      encoded = encode_small_tuple(state, value, cell, line_);
    } else if (!PyTuple_CheckExact(value) && handle->endpoint->has_lines() && fits_line(value)) {
      write_line(value, cell, line_);
      encoded = Encoded::in_line;
    } else {
      encoded = encode_block(state, value, cell, Destination::receiver);
    }
    if (encoded == Encoded::in_line) end_ = size_ + 1;
    return encoded != Encoded::no;
  }

  static void note_item(PyObject* value) noexcept {
    PyObject* error = PyErr_GetRaisedException();
    if (PyObject_SetAttrString(error, "item", value) < 0) PyErr_Clear();
    PyErr_SetRaisedException(error);
  }

  Cell cells_[batch_size];
  Line line_;
  Transfers transfers_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
  std::size_t end_ = batch_size;  // where `fill` ends
};

// Sends the chunk. False with an exception set if a signal handler raised. Otherwise stores the status of the last
// attempt; values that were not sent stay in the chunk.
bool send_chunk(Handle* handle, Chunk& chunk, const Timeout& timeout, Py_ssize_t& sent, Status& status) noexcept {
  status = Status::ok;
  while (!chunk.empty()) {
    if (handle->endpoint->is_closed()) {
      status = Status::end_closed;
      return true;
    }
    std::uint64_t done;
    if (Line* const line = chunk.front_line()) {
      const Status tried = handle->endpoint->try_send_line(chunk.front(), *line);
      if (tried == Status::ok) {
        owner_of(handle).has_sent = true;
        chunk.pop(1);
        ++sent;
        continue;
      }
      if (tried == Status::invalid || tried == Status::no_memory) {
        attach(chunk.front(), *line);
        status = move_to_block(chunk.front());
        if (status != Status::ok) return true;
        continue;
      }
    } else if (handle->endpoint->try_send_many(&chunk.front(), chunk.lineless(), done) == Status::ok) {
      owner_of(handle).has_sent = true;
      chunk.pop(done);
      sent += static_cast<Py_ssize_t>(done);
      continue;
    }
    const bool decided = call(
        owner_of(handle), *handle->endpoint, Side::sender, chunk.front(), timeout, status,
        [&]() noexcept { chunk.abandon_front(); }, [&](Status result) noexcept { chunk.discard(result == Status::ok); },
        chunk.front_line());
    if (!decided) return false;
    if (status != Status::ok) return true;
    chunk.pop(1);
    ++sent;
  }
  return true;
}

// Stores the number of sent values in a pending NotShareableError.
void note_sent(const ModuleState& state, Py_ssize_t sent) noexcept {
  if (!PyErr_ExceptionMatches(state.error(ErrorClass::not_shareable))) return;
  PyObject* error = PyErr_GetRaisedException();
  const Ref count(PyLong_FromSsize_t(sent));
  if (!count || PyObject_SetAttrString(error, "sent", count.get()) < 0) PyErr_Clear();
  PyErr_SetRaisedException(error);
}

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
  Source source(values[0]);
  if (!source.valid()) return nullptr;
  Chunk chunk;
  Py_ssize_t sent = 0;
  PyObject* error = nullptr;
  Status status = Status::ok;
  for (bool more = true; more && error == nullptr && status == Status::ok;) {
    // The values before one that cannot be read or encoded are still sent.
    if (!chunk.fill(handle, source, more)) error = PyErr_GetRaisedException();
    if (!send_chunk(handle, chunk, timeout, sent, status)) {
      Py_XDECREF(error);
      return nullptr;
    }
  }
  chunk.drop();
  if (status == Status::ok && error != nullptr) {
    PyErr_SetRaisedException(error);
    note_sent(*handle->state, sent);
    return nullptr;
  }
  Py_XDECREF(error);
  if (status != Status::ok && sent == 0) {
    return raise_outcome(handle, status == Status::full ? Status::timeout : status);
  }
  return PyLong_FromSsize_t(sent);
}

}  // namespace xichan::python

#include "encode.h"

#include "base/worklist.h"
#include "encode_place.h"
#include "encode_short.h"
#include "encode_view.h"
#include "errors.h"
#include "handle.h"
#include "value/block_builder.h"

namespace xichan::python {
namespace {

/// Counts, allocates and writes one block. Both walks visit the tuples breadth first, in the order of `tuples_`.
class BlockEncoder {
 public:
  explicit BlockEncoder(const ModuleState& state) noexcept : state_(state) {}

  bool measure(PyObject* value) noexcept {
    if (!count(value)) return refused(value, value, 0, 0);
    for (std::size_t i = 0; i < tuples_.size(); ++i) {
      PyObject* tuple = tuples_[i];
      const Py_ssize_t length = PyTuple_GET_SIZE(tuple);
      for (Py_ssize_t j = 0; j < length; ++j) {
        PyObject* item = PyTuple_GET_ITEM(tuple, j);
        Cell unused;
        if (!encode_short(item, unused) && !count(item)) return refused(value, item, i, j);
      }
    }
    return true;
  }

  bool write(PyObject* value, Cell& cell) noexcept {
    Status status = Status::ok;
    for (View* view : stepped_) {
      if (status == Status::ok && view->step != 1) status = make_contiguous(view);
    }
    if (status == Status::ok) status = builder_.allocate();
    if (status != Status::ok) {
      raise(state_, status);
      return false;
    }
    write_item(value, builder_.root());
    // Tuples are opened in the order in which they stand in `tuples_`, so their cells follow one another.
    Cell* cells = &builder_.root() + 1;
    for (std::size_t i = 0; i < tuples_.size(); ++i) {
      PyObject* tuple = tuples_[i];
      const Py_ssize_t length = PyTuple_GET_SIZE(tuple);
      for (Py_ssize_t j = 0; j < length; ++j) {
        PyObject* item = PyTuple_GET_ITEM(tuple, j);
        if (!encode_short(item, cells[j])) write_item(item, cells[j]);
      }
      cells += length;
    }
    cell = builder_.finish();
    return true;
  }

  bool out_of_memory() const noexcept { return out_of_memory_; }

 private:
  bool count(PyObject* value) noexcept {
    if (PyObject* elements = elements_of(state_, value)) {
      builder_.count_tuple(static_cast<std::uint64_t>(PyTuple_GET_SIZE(elements)));
      out_of_memory_ = !tuples_.push(elements);
      return !out_of_memory_;
    }
    if (PyUnicode_CheckExact(value)) {
      const Text text(value);
      builder_.count_text(text.kind, text.length);
    } else if (PyBytes_CheckExact(value)) {
      builder_.count_bytes(static_cast<std::uint64_t>(PyBytes_GET_SIZE(value)));
    } else if (PyLong_CheckExact(value)) {
      builder_.count_bytes(int_bytes(value));
    } else if (Py_IS_TYPE(value, state_.sender_type) || Py_IS_TYPE(value, state_.receiver_type)) {
      closed_end_ = as_handle(value)->end->is_closed();
      builder_.count_reference();
      return !closed_end_;
    } else {
      return count_part(value);
    }
    return true;
  }

  bool count_part(PyObject* value) noexcept {
    switch (part_of(state_, value).kind) {
      case Part::Kind::none: return false;
      case Part::Kind::complete: return true;
      case Part::Kind::window: builder_.count_window(); return true;
      case Part::Kind::stepped: out_of_memory_ = !stepped_.push(as_view(value)); break;
      case Part::Kind::reference:
      case Part::Kind::shared: break;
    }
    builder_.count_reference();
    return !out_of_memory_;
  }

  void write_item(PyObject* value, Cell& cell) noexcept {
    if (PyObject* elements = elements_of(state_, value)) {
      builder_.write_tuple(cell, static_cast<std::uint64_t>(PyTuple_GET_SIZE(elements)),
                           elements == value ? Tag::tuple : Tag::queue);
    } else if (PyUnicode_CheckExact(value)) {
      const Text text(value);
      builder_.write_text(cell, text.kind, text.data, text.length);
    } else if (PyBytes_CheckExact(value)) {
      builder_.write_bytes(cell, PyBytes_AS_STRING(value), static_cast<std::uint64_t>(PyBytes_GET_SIZE(value)));
    } else if (PyLong_CheckExact(value)) {
      const std::uint64_t length = int_bytes(value);
      PyLong_AsNativeBytes(value, builder_.write_big_int(cell, length), static_cast<Py_ssize_t>(length),
                           Py_ASNATIVEBYTES_LITTLE_ENDIAN);
    } else if (!write_part(part_of(state_, value), cell)) {
      const End& end = *as_handle(value)->end;
      end.channel()->add_end(end.side());
      builder_.write_reference(cell, {&end_reference(end.side()), end.channel()});
    }
  }

  bool write_part(const Part& part, Cell& cell) noexcept {
    if (part.kind == Part::Kind::none) return false;
    if (part.kind == Part::Kind::complete) {
      cell = part.cell;
      return true;
    }
    Arena::retain(part.block);
    const Reference reference{&block_reference, part.block};
    if (part.kind == Part::Kind::window) {
      builder_.write_window(cell, reference, part.cell);
    } else {
      builder_.write_reference(cell, reference, part.kind == Part::Kind::shared ? Tag::shared : Tag::reference);
    }
    return true;
  }

  // Sets the exception for an item that `count` refused and returns false.
  bool refused(PyObject* root, PyObject* item, std::size_t tuple, Py_ssize_t index) noexcept {
    if (out_of_memory_) {
      PyErr_NoMemory();
    } else if (closed_end_) {
      raise_for(as_handle(item), Status::end_closed);
    } else {
      raise_not_shareable(state_, root, item, tuple, index);
    }
    return false;
  }

  static std::uint64_t int_bytes(PyObject* value) noexcept {
    const Py_ssize_t needed = PyLong_AsNativeBytes(value, nullptr, 0, Py_ASNATIVEBYTES_LITTLE_ENDIAN);
    return align_up(static_cast<std::uint64_t>(needed), BlockBuilder::payload_alignment);
  }

  const ModuleState& state_;
  BlockBuilder builder_;
  Worklist<PyObject*> tuples_;  // borrowed: the root holds them, and the interpreter stays attached
  Worklist<View*, 4> stepped_;  // likewise
  bool out_of_memory_ = false;
  bool closed_end_ = false;
};

}  // namespace

PyObject* elements_of(const ModuleState& state, PyObject* value) noexcept {
  if (PyTuple_CheckExact(value)) return value;
  if (!Py_IS_TYPE(value, reinterpret_cast<PyTypeObject*>(state.queue_type))) return nullptr;
  PyObject* parts = PyObject_GetAttr(value, state.parts_name);
  if (parts == nullptr) PyErr_Clear();
  Py_XDECREF(parts);  // the queue holds it
  return parts != nullptr && PyTuple_CheckExact(parts) ? parts : nullptr;
}

bool encode_block(const ModuleState& state, PyObject* value, Cell& cell) noexcept {
  if (encode_whole(state, value, cell)) return true;
  BlockEncoder encoder(state);
  return encoder.measure(value) && encoder.write(value, cell);
}

int is_shareable(const ModuleState& state, PyObject* value) noexcept {
  Cell unused;
  if (encode_short(value, unused)) return 1;
  BlockEncoder encoder(state);
  if (encoder.measure(value)) return 1;
  if (encoder.out_of_memory()) return -1;
  PyErr_Clear();
  return 0;
}

}  // namespace xichan::python

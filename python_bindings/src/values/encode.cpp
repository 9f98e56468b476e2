#include "values/encode.h"

#include "base/errors.h"
#include "base/handle.h"
#include "base/worklist.h"
#include "value/block_builder.h"
#include "value/size_guard.h"
#include "values/duplicate_tracker.h"
#include "values/encode_path.h"
#include "values/encode_short.h"
#include "values/encode_view.h"

namespace xichan::python {
namespace {

/// Counts, allocates and writes one block. Both walks visit the tuples breadth first, in the order of `tuples_`.
class BlockEncoder {
 public:
  explicit BlockEncoder(const ModuleState& state, Destination destination = Destination::process) noexcept
      : state_(state), destination_(destination) {}

  bool measure(PyObject* value) noexcept {
    if (!count(value)) return refused(value, value, 0, 0);
    for (std::size_t i = 0; i < tuples_.size(); ++i) {
      PyObject* tuple = tuples_[i];
      const Py_ssize_t length = PyTuple_GET_SIZE(tuple);
      for (Py_ssize_t j = 0; j < length; ++j) {
        PyObject* item = PyTuple_GET_ITEM(tuple, j);
        if (!encode_short(item, nullptr) && !count(item)) return refused(value, item, i, j);
      }
      status_ = ceiling_.check(builder_.counted_cells());
      if (status_ != Status::ok) return refused(value, value, 0, 0);
    }
    if (repeats_.settle([this](PyObject* item) noexcept { uncount_payload(item); })) return true;
    status_ = Status::no_memory;
    return refused(value, value, 0, 0);
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
        if (!encode_short(item, &cells[j])) write_item(item, cells[j]);
      }
      cells += length;
    }
    cell = builder_.finish();
    return true;
  }

  /// Of a measure that failed: whether that says nothing about the value.
  bool out_of_memory() const noexcept { return status_ != Status::ok; }

 private:
  bool count(PyObject* value) noexcept {
    if (PyObject* elements = elements_of(state_, value)) {
      if (elements != value && destination_ == Destination::outside) return false;
      builder_.count_tuple(static_cast<std::uint64_t>(PyTuple_GET_SIZE(elements)));
      return in_memory(tuples_.push(elements));
    }
    if (count_payload(value)) return Py_REFCNT(value) == 1 || in_memory(repeats_.note(value));
    if (!is_end(value)) return count_part(value);
    if (destination_ == Destination::outside) return false;
    closed_end_ = as_handle(value)->end->is_closed();
    builder_.count_reference();
    return !closed_end_;
  }

  // False for what has no payload.
  bool count_payload(PyObject* value) noexcept {
    if (PyUnicode_CheckExact(value)) {
      const Text text(value);
      builder_.count_text(text.kind, text.length);
    } else if (PyBytes_CheckExact(value)) {
      builder_.count_bytes(static_cast<std::uint64_t>(PyBytes_GET_SIZE(value)));
    } else if (PyLong_CheckExact(value)) {
      builder_.count_bytes(int_bytes(value));
    } else {
      return false;
    }
    return true;
  }

  bool count_part(PyObject* value) noexcept {
    switch (part_of(state_, value).kind) {
      case ViewEncoding::ViewKind::none: return false;
      case ViewEncoding::ViewKind::complete: return true;
      case ViewEncoding::ViewKind::window: builder_.count_window(); return true;
      case ViewEncoding::ViewKind::strided:
        if (!in_memory(stepped_.push(as_view(value)))) return false;
        break;
      case ViewEncoding::ViewKind::reference:
      case ViewEncoding::ViewKind::shared: break;
    }
    builder_.count_reference();
    return true;
  }

  void uncount_payload(PyObject* value) noexcept {
    if (PyUnicode_CheckExact(value)) {
      const Text text(value);
      builder_.uncount_text(text.kind, text.length);
    } else {
      builder_.uncount_bytes(PyBytes_CheckExact(value) ? PyBytes_GET_SIZE(value) : int_bytes(value));
    }
  }

  void write_item(PyObject* value, Cell& cell) noexcept {
    if (PyObject* elements = elements_of(state_, value)) {
      builder_.write_tuple(cell, static_cast<std::uint64_t>(PyTuple_GET_SIZE(elements)),
                           elements == value ? Tag::tuple : Tag::queue);
    } else if (repeats_.any()) {
      write_repeated(value, cell);
    } else {
      write_single(value, cell);
    }
  }

  void write_repeated(PyObject* value, Cell& cell) noexcept {
    Cell** first = repeats_.first_cell(value);
    if (first != nullptr && *first != nullptr) return builder_.write_repeat(cell, **first);
    write_single(value, cell);
    if (first != nullptr) *first = &cell;
  }

  void write_single(PyObject* value, Cell& cell) noexcept {
    if (PyUnicode_CheckExact(value)) {
      const Text text(value);
      builder_.write_text(cell, text.kind, text.data, text.length);
    } else if (PyBytes_CheckExact(value)) {
      builder_.write_bytes(cell, PyBytes_AS_STRING(value), static_cast<std::uint64_t>(PyBytes_GET_SIZE(value)));
    } else if (PyLong_CheckExact(value)) {
      const std::uint64_t length = int_bytes(value);
      PyLong_AsNativeBytes(value, builder_.write_big_int(cell, length), static_cast<Py_ssize_t>(length),
                           Py_ASNATIVEBYTES_LITTLE_ENDIAN);
    } else if (!write_part(part_of(state_, value), cell)) {
      const Endpoint& end = *as_handle(value)->end;
      end.channel()->add_endpoint(end.side());
      builder_.write_reference(cell, {&endpoint_reference(end.side()), end.channel()});
    }
  }

  bool write_part(const ViewEncoding& part, Cell& cell) noexcept {
    if (part.kind == ViewEncoding::ViewKind::none) return false;
    if (part.kind == ViewEncoding::ViewKind::complete) {
      cell = part.cell;
      return true;
    }
    Arena::retain(part.block);
    const Reference reference{&block_reference, part.block};
    if (part.kind == ViewEncoding::ViewKind::window) {
      builder_.write_window(cell, reference, part.cell);
    } else {
      builder_.write_reference(cell, reference,
                               part.kind == ViewEncoding::ViewKind::shared ? Tag::shared : Tag::reference);
    }
    return true;
  }

  bool is_end(PyObject* value) const noexcept {
    return Py_IS_TYPE(value, state_.sender_type) || Py_IS_TYPE(value, state_.receiver_type);
  }

  bool in_memory(bool ok) noexcept {
    if (!ok) status_ = Status::no_memory;
    return ok;
  }

  // Sets the exception for an item that `count` refused and returns false.
  bool refused(PyObject* root, PyObject* item, std::size_t tuple, Py_ssize_t index) noexcept {
    if (status_ != Status::ok) {
      raise(state_, status_);
    } else if (closed_end_) {
      raise_for(as_handle(item), Status::end_closed);
    } else {
      const bool stays = is_end(item) || elements_of(state_, item) != nullptr;
      raise_not_shareable(state_, root, item, tuple, index,
                          stays                                   ? "cannot leave its process"
                          : is_a(state_, item, ValueType::buffer) ? "is not shareable; what its freeze() gives is"
                                                                  : "is not shareable");
    }
    return false;
  }

  // As few bytes, a multiple of 8, as hold the int and its sign.
  static std::uint64_t int_bytes(PyObject* value) noexcept {
    const auto needed =
        static_cast<std::uint64_t>(PyLong_AsNativeBytes(value, nullptr, 0, Py_ASNATIVEBYTES_LITTLE_ENDIAN));
    constexpr std::uint64_t unit = BlockBuilder::payload_alignment;
    // Asked without a buffer, it answers one byte too many for the lowest number that fits a length.
    return needed % unit == 1 && is_lowest(value, needed - 1) ? needed - 1 : align_up(needed, unit);
  }

  // Whether an int beyond 64 bits is the lowest that fits `bytes`: -2**(8 * bytes - 1).
  static bool is_lowest(PyObject* value, std::uint64_t bytes) noexcept {
    const _PyLongValue& parts = reinterpret_cast<PyLongObject*>(value)->long_value;
    constexpr std::uintptr_t negative = 2;
    if ((parts.lv_tag & _PyLong_SIGN_MASK) != negative) return false;
    const std::uint64_t last = (parts.lv_tag >> _PyLong_NON_SIZE_BITS) - 1;
    if (last * PyLong_SHIFT + std::bit_width(parts.ob_digit[last]) != 8 * bytes) return false;
    for (std::uint64_t i = 0; i < last; ++i) {
      if (parts.ob_digit[i] != 0) return false;
    }
    return std::has_single_bit(parts.ob_digit[last]);
  }

  const ModuleState& state_;
  const Destination destination_;
  BlockBuilder builder_;
  Worklist<PyObject*> tuples_;  // borrowed: the root holds them, and the interpreter stays attached
  Worklist<View*, 4> stepped_;  // likewise
  DuplicateTracker repeats_;
  SizeGuard ceiling_;
  Status status_ = Status::ok;  // other than ok: no memory, or not as much as is needed
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

bool encode_block(const ModuleState& state, PyObject* value, Cell& cell, Destination destination) noexcept {
  if (encode_whole(state, value, cell)) return true;
  BlockEncoder encoder(state, destination);
  return encoder.measure(value) && encoder.write(value, cell);
}

int is_shareable(const ModuleState& state, PyObject* value) noexcept {
  if (encode_short(value, nullptr)) return 1;
  BlockEncoder encoder(state);
  if (encoder.measure(value)) return 1;
  if (encoder.out_of_memory()) return -1;
  PyErr_Clear();
  return 0;
}

}  // namespace xichan::python

#include "values/encode.h"

#include "base/errors.h"
#include "base/handle.h"
#include "base/worklist.h"
#include "value/block_builder.h"
#include "value/expanded_cells.h"
#include "value/size_guard.h"
#include "values/duplicate_tracker.h"
#include "values/elements.h"
#include "values/encode_path.h"
#include "values/encode_view.h"

namespace xichan::python {
namespace {

/// Measures, allocates and writes one block. Both walks visit the tuples breadth first, in the order of `tuples_`.
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
      if (i + 1 < tuples_.size()) {
        status_ = size_guard_.check(builder_.counted_cells(), [&]() noexcept { return count_cells(value); });
      }
      if (status_ != Status::ok) return refused(value, value, 0, 0);
    }
    if (duplicates_.for_each_repeat([this](PyObject* item) noexcept { uncount_payload(item); })) return true;
    status_ = Status::no_memory;
    return refused(value, value, 0, 0);
  }

  bool write(PyObject* value, Cell& cell) noexcept {
    Status status = Status::ok;
    for (View* view : strided_) {
      if (status == Status::ok && view->step != 1) status = make_contiguous(view);
    }
    if (status == Status::ok) status = builder_.allocate();
    if (status != Status::ok) {
      raise(state_, status);
      return false;
    }
    write_item(value, builder_.root());
    // `write_item` reserves the cells of tuples in the order of `tuples_`, so they follow one another.
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

  /// Returns true if `measure` failed for lack of memory, which says nothing about the value.
  bool out_of_memory() const noexcept { return status_ != Status::ok; }

 private:
  bool count(PyObject* value) noexcept {
    if (PyObject* elements = elements_of(state_, value)) {
      if (elements != value && destination_ == Destination::outside) return false;
      builder_.count_tuple(static_cast<std::uint64_t>(PyTuple_GET_SIZE(elements)));
      return in_memory(tuples_.push(elements));
    }
    if (count_payload(value)) return Py_REFCNT(value) == 1 || in_memory(duplicates_.note(value));
    if (!is_handle(state_, value)) return count_view(value);
    if (destination_ == Destination::outside) return false;
    closed_endpoint_ = as_handle(value)->endpoint->is_closed();
    builder_.count_reference();
    return !closed_endpoint_;
  }

  // Returns the number of cells of the message. The same tuple may occur in many places.
  std::uint64_t count_cells(PyObject* value) const noexcept {
    using Tuple = ExpandedTuple<PyObject*>;
    const auto tuple_of = [this](PyObject* item, Tuple& found) noexcept {
      PyObject* elements = elements_of(state_, item);
      if (elements == nullptr || PyTuple_GET_SIZE(elements) == 0) return false;
      const auto length = static_cast<std::uint64_t>(PyTuple_GET_SIZE(elements));
      found = {elements, length, Py_REFCNT(elements) == 1 ? nullptr : elements};
      return true;
    };
    Tuple root;
    if (!tuple_of(value, root)) return 1;
    return expanded_cells(root, [&](const Tuple& tuple, std::uint64_t i, Tuple& found) noexcept {
      return tuple_of(PyTuple_GET_ITEM(tuple.source, static_cast<Py_ssize_t>(i)), found);
    });
  }

  // Returns false if the value has no payload.
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

  bool count_view(PyObject* value) noexcept {
    switch (encoding_of(state_, value).kind) {
      case ViewEncoding::ViewKind::none: return false;
      case ViewEncoding::ViewKind::complete: return true;
      case ViewEncoding::ViewKind::window: builder_.count_window(); return true;
      case ViewEncoding::ViewKind::strided:
        if (!in_memory(strided_.push(as_view(value)))) return false;
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
    } else if (duplicates_.any()) {
      write_repeated(value, cell);
    } else {
      write_single(value, cell);
    }
  }

  void write_repeated(PyObject* value, Cell& cell) noexcept {
    Cell** first = duplicates_.first_cell(value);
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
    } else if (!write_view(encoding_of(state_, value), cell)) {
      const Endpoint& endpoint = *as_handle(value)->endpoint;
      endpoint.channel()->add_endpoint(endpoint.side());
      builder_.write_reference(cell, {&endpoint_reference(endpoint.side()), endpoint.channel()});
    }
  }

  bool write_view(const ViewEncoding& encoding, Cell& cell) noexcept {
    if (encoding.kind == ViewEncoding::ViewKind::none) return false;
    if (encoding.kind == ViewEncoding::ViewKind::complete) {
      cell = encoding.cell;
      return true;
    }
    Arena::retain(encoding.block);
    const Reference reference{&block_reference, encoding.block};
    if (encoding.kind == ViewEncoding::ViewKind::window) {
      builder_.write_window(cell, reference, encoding.cell);
    } else {
      builder_.write_reference(cell, reference,
                               encoding.kind == ViewEncoding::ViewKind::shared ? Tag::shared : Tag::reference);
    }
    return true;
  }

  bool in_memory(bool ok) noexcept {
    if (!ok) status_ = Status::no_memory;
    return ok;
  }

  // Raises the exception for an item that `count` refused, and returns false.
  bool refused(PyObject* root, PyObject* item, std::size_t tuple, Py_ssize_t index) noexcept {
    if (status_ != Status::ok) {
      raise(state_, status_);
    } else if (closed_endpoint_) {
      raise_for(as_handle(item), Status::end_closed);
    } else if (destination_ != Destination::or_pickle) {
      const bool stays = is_handle(state_, item) || elements_of(state_, item) != nullptr;
      raise_not_shareable(state_, root, item, tuple, index,
                          stays                                   ? "cannot leave its process"
                          : is_a(state_, item, ValueType::buffer) ? "is not shareable; share the result of its freeze()"
                                                                  : "is not shareable");
    }
    return false;
  }

  // Returns the smallest multiple of 8 bytes that holds the int and its sign.
  static std::uint64_t int_bytes(PyObject* value) noexcept {
    const auto needed =
        static_cast<std::uint64_t>(PyLong_AsNativeBytes(value, nullptr, 0, Py_ASNATIVEBYTES_LITTLE_ENDIAN));
    constexpr std::uint64_t unit = BlockBuilder::payload_alignment;
    // Without a buffer, PyLong_AsNativeBytes returns one byte too many for the lowest int that fits in a length.
    return needed % unit == 1 && is_lowest(value, needed - 1) ? needed - 1 : align_up(needed, unit);
  }

  // Returns true if an int beyond 64 bits is the lowest that fits in `bytes`: -2**(8 * bytes - 1).
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
  Worklist<PyObject*> tuples_;  // borrowed from the root, while the thread stays attached
  Worklist<View*, 4> strided_;  // borrowed likewise
  DuplicateTracker duplicates_;
  SizeGuard size_guard_{1 << 26};
  Status status_ = Status::ok;  // not ok: no memory, or over the limit
  bool closed_endpoint_ = false;
};

}  // namespace

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

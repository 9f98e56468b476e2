// Makes the block that describes a Python value, in two walks over it: `measure` counts, `write` fills.
//
// Both walks visit the containers breadth first, in the order of `containers_`, and make the same decisions. Runs no
// Python code between them, so they see the same value with the same reference counts.
//
// A container, payload or record that occurs more than once is written once, and further occurrences repeat it.
// Therefore the walks take time proportional to the objects of the value, and cycles end. Only an object with more than
// one reference can occur more than once, or the root, which may have none from inside the value but one.
#pragma once

#include "arena/lent_bytes.h"
#include "base/pointer_map.h"
#include "base/worklist.h"
#include "value/block_builder.h"
#include "values/containers.h"
#include "values/duplicate_tracker.h"
#include "values/elements.h"
#include "values/encode_short.h"
#include "values/encode_view.h"
#include "values/movable.h"
#include "values/reduced.h"

namespace xichan::python {

/// Thread safety: one thread at a time, attached.
class BlockEncoder {
 public:
  BlockEncoder(const ModuleState& state, Destination destination, ReducedValues& reduced) noexcept
      : state_(state), destination_(destination), builder_(destination != Destination::outside), reduced_(reduced) {}

  /// Counts what the block will consist of. False if the value is refused, or must be prepared first, or the memory is
  /// exhausted.
  bool measure(PyObject* root) noexcept {
    if (!count_root(root)) return refused(root, 0, 0);
    root_ = root;
    for (std::size_t i = 0; i < containers_.size(); ++i) {
      PyObject* const container = containers_[i];
      std::uint64_t position = 0;
      if (PyTuple_CheckExact(container)) [[likely]] {
        const Py_ssize_t length = PyTuple_GET_SIZE(container);
        for (Py_ssize_t j = 0; j < length; ++j) {
          PyObject* item = PyTuple_GET_ITEM(container, j);
          if (!encode_short(item, nullptr) && !count(item)) return refused(item, i, static_cast<std::uint64_t>(j));
        }
      } else if (PyObject* item = measure_items(container, position)) {
        return refused(item, i, position);
      }
    }
    return in_memory(duplicates_.for_each_repeat([this](PyObject* item) noexcept { uncount_payload(item); }));
  }

  /// Returns true if the value that was measured is a tuple of which each item is one cell, without a payload.
  bool has_only_cells() const noexcept { return containers_.size() == 1 && builder_.has_only_cells(); }

  /// Returns true if `measure` failed because Python code must run first, see prepare.h.
  bool needs_preparation() const noexcept { return is_unprepared_; }
  /// Returns true if `measure` stopped at a Buffer or Descriptor: `state.transfer` must be set first.
  bool needs_transfer() const noexcept {
    return moves(destination_) && state_.transfer == nullptr && status_ == Status::ok &&
           is_of_movable_type(state_, refused_.item);
  }
  /// Raises the exception for a value that `measure` refused, and returns false.
  bool raise_refusal() noexcept;

  /// Returns false if a str, bytes or int is too small to be lent.
  static bool may_be_lent(PyObject* value) noexcept {
    if (PyUnicode_CheckExact(value)) return static_cast<std::uint64_t>(PyUnicode_GET_LENGTH(value)) >= shortest_large;
    return PyBytes_CheckExact(value) && static_cast<std::uint64_t>(PyBytes_GET_SIZE(value)) >= LentBytes::smallest;
  }
  /// Takes back the loans, after `measure` has failed.
  void cancel_loans() noexcept;

  /// Makes the block, for the value that was measured. False with an exception set.
  bool write(PyObject* root, Cell& cell) noexcept;

  /// Returns the smallest multiple of 8 bytes that holds the int and its sign.
  static std::uint64_t int_bytes(PyObject* value) noexcept;
  /// Writes an int of that many bytes, more than fit in a cell.
  static void write_int(BlockBuilder& builder, PyObject* value, std::uint64_t bytes, Cell& cell) noexcept {
    PyLong_AsNativeBytes(value, builder.write_big_int(cell, bytes), static_cast<Py_ssize_t>(bytes),
                         Py_ASNATIVEBYTES_LITTLE_ENDIAN);
  }

  PyObject* root() const noexcept { return root_; }
  /// Returns the containers that were counted, in the order of their cells; each is what `elements_of` returns.
  const Worklist<PyObject*>& containers() const noexcept { return containers_; }
  /// Returns the object that holds what is in a value: the value itself if it is a built-in container, or a tuple; null
  /// for a value without elements.
  PyObject* elements_of(PyObject* value) noexcept;

 private:
  bool count_root(PyObject* root) noexcept {
    if (PyTuple_CheckExact(root)) [[likely]] {
      builder_.count_tuple(static_cast<std::uint64_t>(PyTuple_GET_SIZE(root)));
      return in_memory(containers_.push(root));
    }
    return count(root);
  }

  bool count(PyObject* value) noexcept {
    if (PyTuple_CheckExact(value)) {
      if ((Py_REFCNT(value) != 1 || value == root_) && is_counted(value)) return status_ == Status::ok;
      builder_.count_tuple(static_cast<std::uint64_t>(PyTuple_GET_SIZE(value)));
      return in_memory(containers_.push(value));
    }
    if (count_payload(value)) return Py_REFCNT(value) == 1 || in_memory(duplicates_.note(value));
    return count_other(value);
  }

  // Returns false if the value has no payload, or without memory.
  bool count_payload(PyObject* value) noexcept {
    if (PyUnicode_CheckExact(value)) {
      const Text text(value);
      if (text.length >= shortest_large) [[unlikely]]
        return count_large(value);
      builder_.count_text(text.kind, text.length);
    } else if (PyBytes_CheckExact(value)) {
      const auto length = static_cast<std::uint64_t>(PyBytes_GET_SIZE(value));
      if (length >= shortest_large) [[unlikely]]
        return count_large(value);
      builder_.count_bytes(length);
    } else if (PyLong_CheckExact(value)) {
      builder_.count_bytes(int_bytes(value));
    } else {
      return false;
    }
    return true;
  }

  // Counts a large str or bytes, and lends it if possible.
  [[gnu::noinline]] bool count_large(PyObject* value) noexcept;
  // Returns the item that `count` refused, with its position, or null.
  PyObject* measure_items(PyObject* container, std::uint64_t& position) noexcept;
  PyObject* measure_entries(PyObject* container, Tag tag, std::uint64_t& position) noexcept;
  // Counts a value other than a tuple, str, bytes or int.
  bool count_other(PyObject* value) noexcept;
  bool count_container(PyObject* value, Tag tag) noexcept;
  bool count_record(PyObject* value) noexcept;
  bool count_reduced(Reduced& reduced) noexcept;
  bool count_movable(PyObject* value) noexcept;
  bool count_view(PyObject* value) noexcept;
  // Returns true if a container was counted before; else from now on. True without memory too.
  bool is_counted(PyObject* value) noexcept;
  void uncount_payload(PyObject* value) noexcept;
  const char* why_movable_is_refused(PyObject* item) const noexcept;

  void write_item(PyObject* value, Cell& cell) noexcept {
    if (PyTuple_CheckExact(value)) {
      if ((Py_REFCNT(value) != 1 || value == root_) && write_seen(value, cell)) return;
      builder_.write_tuple(cell, static_cast<std::uint64_t>(PyTuple_GET_SIZE(value)));
    } else if (duplicates_.any()) {
      write_repeated(value, cell);
    } else {
      write_single(value, cell);
    }
  }
  void write_repeated(PyObject* value, Cell& cell) noexcept;
  void write_loan(PyObject* value, Cell& cell, Loan* loan) noexcept;
  void write_single(PyObject* value, Cell& cell) noexcept;
  void write_other(PyObject* value, Cell& cell) noexcept;
  void write_container(PyObject* value, Tag tag, Cell& cell) noexcept;
  bool write_view(const ViewEncoding& encoding, Cell& cell) noexcept;
  void write_movable(PyObject* value, Cell& cell) noexcept;
  // Writes the cells of a container. Returns the address after them.
  Cell* write_items(PyObject* container, Cell* cells) noexcept;
  // Writes a repeat of a container that was written before, and returns true. Else notes its cell.
  bool write_seen(PyObject* value, Cell& cell) noexcept;

  // A str of so many characters, or bytes, may have enough bytes to be lent.
  static constexpr std::uint64_t shortest_large = LentBytes::smallest / 4;

  bool in_memory(bool ok) noexcept {
    if (!ok) status_ = Status::no_memory;
    return ok;
  }
  // Notes an item that `count` refused: the root, or the item at `position` of a container. Returns false.
  bool refused(PyObject* item, std::size_t container, std::uint64_t position) noexcept {
    refused_ = {item, container, position};
    return false;
  }

  const ModuleState& state_;
  const Destination destination_;
  PyObject* root_ = nullptr;  // set once it is counted, and again once it is written
  BlockBuilder builder_;
  Worklist<PyObject*> containers_;  // borrowed from the root, while the thread stays attached
  Worklist<View*, 4> strided_;      // borrowed likewise
  Worklist<Cell*, 4> indexed_;      // the cells of large dicts and sets, null until they are written
  std::size_t next_indexed_ = 0;
  // The cells of the dicts and sets, in this order, because walking these is slow. Where a cell needs the block, it is
  // empty and its word is the address of the object.
  Worklist<Cell> entries_;
  std::size_t next_entry_ = 0;
  DuplicateTracker duplicates_;
  ReducedValues& reduced_;
  PointerMap<Cell*> seen_;      // the containers with several references; null until they are written
  Status status_ = Status::ok;  // not ok: no memory
  int system_error_ = 0;        // of the duplicate of a Descriptor
  bool closed_endpoint_ = false;
  bool is_unprepared_ = false;
  struct {
    PyObject* item;
    std::size_t container;
    std::uint64_t position;
  } refused_;  // if `measure` failed
};

}  // namespace xichan::python

// The decoder: makes a value and everything inside it, without recursion.
//
// Algorithm: depth first. The container that is being filled is the top of a stack of those around it; each is stored
// in its parent once it is complete, so keys and items of sets are complete when they are hashed. A container that
// occurs again is known from the start, so a value that contains itself is made too. One that is flat, with only leaves
// in it, or containers of leaves, is made without the stack.
//
// CPython hashes and compares keys by recursion. So the decoder knows the height of each container, and its size with
// repeats written out, and refuses keys beyond a limit: no message overflows the stack or takes exponential time.
//
// Thread safety: one thread at a time, attached to its interpreter.
#pragma once

#include "base/content_map.h"
#include "base/state.h"
#include "base/worklist.h"
#include "value/block_reader.h"
#include "values/extent.h"
#include "values/foreign.h"

namespace xichan::internal {
class Moved;
}

namespace xichan::python {

/// The most containers within containers in a key of a dict or an item of a set.
inline constexpr std::uint32_t largest_key_height = 1000;
/// The most values in such a key, if the message does not have more cells itself. What occurs in several places counts
/// in each.
inline constexpr std::uint64_t largest_key_size = 1 << 20;

/// A container in progress.
struct Frame {
  PyObject* object = nullptr;  // owned; null for a value that is made of its parts at the end
  PyObject* aside = nullptr;   // owned: of a dict, the key whose value comes next; else the tuple of parts
  PyObject** slots = nullptr;  // of a sequence or parts: where the next element goes
  const Cell* next = nullptr;
  const Cell* end = nullptr;
  CellRef place;
  Extent extent;
  PyObject* type = nullptr;  // owned: of a record, the parts of its ResolvedType
  bool native = false;       // a record that `build_standard` builds
  bool recurs = false;       // it has an entry in `made_`

  void release() noexcept {
    Py_XDECREF(object);
    Py_XDECREF(aside);
    Py_XDECREF(type);
  }
};

/// Makes containers that are flat: all of the decoder that most values need.
class FlatDecoder {
 public:
  explicit FlatDecoder(ModuleState& state) noexcept : state_(state) {}

  /// Returns a tuple, list or dict that `is_flat`, with its extent. Null with an exception set, or without one if it
  /// needs a frame.
  PyObject* make_flat(BlockReader reader, const Cell& cell, Extent& extent) noexcept;

 protected:
  /// What is known of a value that may occur again.
  struct Made {
    PyObject* object;  // null for a container in progress that is made at its end
    Extent extent;
    bool found;
  };

  // These make what is in flat cells, and add the size of containers. Null or false with an exception set, or without
  // one if a repeat stands for a value that is not made yet.
  PyObject* made_before(BlockReader reader, const Cell& repeat, Extent& extent) noexcept;
  PyObject* make_part(BlockReader reader, const Cell& cell, Extent& extent) noexcept;
  bool fill_slots(BlockReader reader, std::span<const Cell> cells, PyObject** slots, Extent& extent) noexcept;
  bool fill_entries(BlockReader reader, std::span<const Cell> cells, PyObject* dict, Extent& extent) noexcept;

  ModuleState& state_;
  ContentMap<Made>* repeats_ = nullptr;  // those of the Decoder
};

class Decoder : private FlatDecoder {
 public:
  /// What happens to the Buffers and Descriptors of the message: they are taken out, or `make` fails with TypeError and
  /// leaves them.
  enum class Movables : std::uint8_t { taken, left };

  /// With `foreign`, which must outlive the decoder, records of other classes than its own are made as views, and keys
  /// take a limited time.
  explicit Decoder(ModuleState& state, Foreign* foreign = nullptr, Movables movables = Movables::taken) noexcept
      : FlatDecoder(state), foreign_(foreign), movables_(movables) {
    repeats_ = &made_;
  }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder();

  /// Returns the value at a resolved place; decode_at() makes one that `is_flat` faster. Null with an exception set.
  PyObject* make(const CellRef& place) noexcept;
  /// Returns to the message the Buffers and Descriptors that were taken out of it, after `make` has failed.
  void return_movables() noexcept;
  /// Returns true if `make` failed because of a Buffer or Descriptor that it left.
  bool has_left_movable() const noexcept { return has_left_movable_; }

 private:
  struct KnownType {
    const Cell* cell;
    PyObject* parts;  // of a ResolvedType; borrowed from `owned_`
  };
  enum class Filled : std::uint8_t { complete, child, failed };

  // These return a new value; or null, with an exception set, or with `child_` set to a container that comes first.
  PyObject* make_item(Frame& frame, const Cell& cell) noexcept;
  PyObject* make_found(const CellRef& place) noexcept;
  PyObject* make_unflat(const CellRef& place) noexcept;
  PyObject* make_flat_record(const CellRef& place, const CellRef& type) noexcept;
  PyObject* make_recurring(Frame& frame, const CellRef& place) noexcept;

  bool begin(const CellRef& place, bool recurs) noexcept;
  bool begin_object(Frame& frame, Py_ssize_t length) noexcept;
  bool begin_parts(Frame& frame, Py_ssize_t length) noexcept;
  bool begin_queue(Frame& frame, Py_ssize_t length) noexcept;
  bool begin_array(Frame& frame) noexcept;
  Filled fill(Frame& frame) noexcept;
  Filled fill_sequence(Frame& frame) noexcept;
  Filled fill_dict(Frame& frame) noexcept;
  Filled fill_set(Frame& frame) noexcept;
  Filled stopped() const noexcept { return child_.cell != nullptr ? Filled::child : Filled::failed; }
  PyObject* make_key(Frame& frame, const Cell& cell) noexcept;
  bool store(Frame& frame, PyObject* value, const Extent& extent) noexcept;
  bool check_key(const Extent& extent) const noexcept;
  bool admit_key(Frame& frame, PyObject* key, const Extent& extent) noexcept;
  PyObject* finish(Frame& frame) noexcept;
  PyObject* finish_object(Frame& frame) noexcept;
  [[gnu::noinline]] PyObject* finish_range(Frame& frame) noexcept;

  // Notes the size of a container that needed no frame.
  void note(const Extent& extent) noexcept {
    again_ = extent;
    if (!frames_.empty()) frames_.last().extent.add(extent);
  }

  PyObject* make_record(const CellRef& place) noexcept;
  bool begin_record(Frame& frame, Py_ssize_t length) noexcept;
  bool begin_resolved(Frame& frame, const ResolvedType& type, Py_ssize_t count) noexcept;
  [[gnu::noinline]] PyObject* finish_record(Frame& frame) noexcept;
  PyObject* make_object(Frame& frame) noexcept;
  PyObject* known_type(const CellRef& type) const noexcept;
  PyObject* view_of_record(const CellRef& place) noexcept;
  bool charge_record(const Frame& frame) noexcept;
  bool is_misplaced(const Frame& frame) noexcept;
  Ref find_type(const CellRef& type) noexcept;
  bool fail(Frame& frame) noexcept;

  void become_careful() noexcept;
  void soften(Frame& frame) noexcept;
  bool append(Frame& frame, PyObject* item) noexcept;
  void expose(PyObject* tuple) noexcept;

  PyObject* make_shared(const Block* block) noexcept;
  PyObject* make_referenced(const Reference& reference) noexcept;
  PyObject* make_moved(Moved* moved) noexcept;

  // Returns what is known of a value that may occur again, and makes room to keep it. Null without memory.
  Made* find_made(const CellRef& place) noexcept {
    return reserve_owned() ? made_.insert(content_of(place.reader, *place.cell)) : nullptr;
  }
  bool reserve_owned() noexcept { return owned_.reserve(owned_.size() + frames_.size() + 2); }
  // Keeps a value that may occur again, and returns it. `reserve_owned` comes first; it counts the containers in
  // progress, each of which may be kept.
  PyObject* own(PyObject* value) noexcept {
    (void)owned_.push(value);
    return Py_NewRef(value);
  }

  Foreign* const foreign_;
  const Movables movables_;
  bool has_left_movable_ = false;
  bool careful_ = false;        // Python code may run
  Worklist<Frame, 16> frames_;  // the containers in progress, each in the one before it
  CellRef child_{};             // if the cell is not null: the container to fill next
  bool child_recurs_ = false;
  Extent again_{};  // of the container in the current cell, if it needed no frame
  const Block* root_ = nullptr;
  PyObject* first_shared_ = nullptr;  // most values have one
  ContentMap<Made> made_;
  Worklist<PyObject*> owned_;
  Worklist<KnownType, 8> types_;
};

/// Returns the value of a record that `is_pickled`. Runs Python code, so the caller holds a reference to the block.
/// Large buffers are copied, or read in place if `copy` is false. Null with an exception set: DecodeError if the pickle
/// cannot be loaded here.
PyObject* unpickle(ModuleState& state, BlockReader reader, const Cell& cell, bool copy) noexcept;

extern PyMethodDef unpickling_functions[];

}  // namespace xichan::python

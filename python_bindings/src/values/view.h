// What all views and Shared have in common: they read a block in place.
//
// Invariants
//   V1  A view holds one reference to a block plus a cell describing the value inside it. The cell is valid in the body
//       of that very block: no view refers to another view, so forwarding views does not build chains.
//   V2  The value that a view shows never changes. Its representation may (see make_contiguous), but never while Python
//       code runs.
//
// Thread safety: like any object, a view is used by the threads of one interpreter, under its GIL. Any thread may read
// the block.
#pragma once

#include "base/state.h"
#include "value/block_reader.h"
#include "values/array_cells.h"
#include "values/record_cells.h"

namespace xichan::python {

/// With copy=False, bytes, str and arrays whose payload is larger than this many bytes arrive as views; smaller ones
/// are copied. pymalloc does not serve larger objects, and from this size on a view is cheaper than a copy in time and
/// memory (docs/reference/views.md has the measurements).
inline constexpr std::uint64_t largest_copied = 512;

struct BlockSlice {
  Block* block;
  Cell cell;

  BlockReader reader() const noexcept { return BlockReader(block); }
};

/// The object of TupleView, ListView, RecordView, BytesView and Shared, and the first part of DictView, SetView and
/// ArrayView.
struct View {
  PyObject_HEAD
  PyObject* weak_references;
  ModuleState* state;  // of the module that holds the type, which this object keeps alive
  BlockSlice slice;
  Py_ssize_t
      step;        // of a TupleView or ListView: cells from one element to the next; 1 unless it is a slice with a step
  Py_hash_t hash;  // -1 until it is computed
};

/// The object of DictView and SetView. The garbage collector tracks it once it refers to other objects.
struct HashedView {
  View view;
  PyObject* keys;  // a dict from each key to the number of its entry, made when a lookup needs it; else null
};

inline View* as_view(PyObject* object) noexcept { return reinterpret_cast<View*>(object); }

inline bool is_a(const ModuleState& state, PyObject* object, ValueType type) noexcept {
  return Py_IS_TYPE(object, state.type_of(type));
}

/// Returns true if the value at a resolved place is received as a view with copy=False.
inline bool deserves_view(const CellRef& place) noexcept {
  const Cell& cell = *place.cell;
  switch (cell.tag()) {
    case Tag::tuple: return cell.length() > 0;
    case Tag::list:
    case Tag::dict:
    case Tag::frozendict:
    case Tag::set:
    case Tag::frozenset: return true;
    case Tag::record: return has_type_name(place);
    case Tag::array: {
      const ArrayKind kind = array_kind(place);  // a memoryview reads in place already
      return kind != ArrayKind::memoryview && kind != ArrayKind::scalar && ArrayParts(place).length > largest_copied;
    }
    case Tag::bytes: return cell.length() > largest_copied;
    case Tag::ascii:
    case Tag::latin1:
    case Tag::ucs2:
    case Tag::ucs4: return cell.length() * text_width(text_kind(cell.tag())) > largest_copied;
    default: return false;
  }
}

/// Returns a new view, other than a StrView, or Shared of the value that `cell`, valid in `block`, describes. It holds
/// its own reference to the block. Null with MemoryError set.
PyObject* new_view(ModuleState& state, ValueType type, const Block* block, const Cell& cell,
                   Py_ssize_t step = 1) noexcept;
inline PyObject* new_shared(ModuleState& state, const Block* block) noexcept {
  return new_view(state, ValueType::shared, block, BlockReader(block).root());
}

void view_dealloc(PyObject* self) noexcept;
/// tp_new of views, which raises TypeError.
PyObject* view_new(PyTypeObject* type, PyObject* args, PyObject* keywords) noexcept;
/// Returns (operator.itemgetter(0), ((value,),)), for __reduce__: a copy of the view is the plain value, which may
/// contain itself. Consumes the reference; null if the value is null.
PyObject* reduce_to_value(PyObject* value) noexcept;
/// Returns (callable, (argument,)), consuming the reference to the argument; null if the argument is null.
PyObject* reduce_to(PyObject* callable, PyObject* argument) noexcept;

extern PyMemberDef view_members[];

}  // namespace xichan::python

// What the types have in common that read a block in place: Tuple, Bytes, Str, Shared.
//
// Invariants
//   V1  a view owns one count of its block, and its cell is valid in the body of that very block: no view looks through
//       another, so that sending views on makes no chains.
//   V2  what a view shows never changes; how it is kept may (see make_contiguous), never while Python code runs.
//
// Thread safety: as every object, the threads of one interpreter, under its GIL. The block may be read by anyone.
#pragma once

#include "base/handle.h"
#include "value/block_reader.h"

namespace xichan::python {

/// bytes and str whose payload has more bytes than this arrive as views with copy=False; smaller ones are copied. What
/// is larger, pymalloc does not serve; and from here on a view, with its own object, is the cheaper of the two in time
/// and memory (docs/reference/views.md has the figures).
inline constexpr std::uint64_t largest_copied = 512;

struct BlockSlice {
  Block* block;
  Cell cell;

  BlockReader reader() const noexcept { return BlockReader(block); }
};

/// Tuple, Bytes and Shared.
struct View {
  PyObject_HEAD
  PyObject* weak_references;
  ModuleState* state;  // of the module that holds the type, which this object keeps alive
  BlockSlice sight;
  Py_ssize_t step;  // of a Tuple: cells from one element to the next; not 1 in a slice that leaves some out
  Py_hash_t hash;   // -1 until asked for
};

struct StrView {
  PyUnicodeObject text;
  PyObject* weak_references;
  BlockSlice sight;
};

inline View* as_view(PyObject* object) noexcept { return reinterpret_cast<View*>(object); }

inline bool is_a(const ModuleState& state, PyObject* object, ValueType type) noexcept {
  return Py_IS_TYPE(object, state.type_of(type));
}

/// Whether the value at a (resolved) cell is received as a view with copy=False.
inline bool deserves_view(const Cell& cell) noexcept {
  switch (cell.tag()) {
    case Tag::tuple: return cell.length() > 0;
    case Tag::bytes: return cell.length() > largest_copied;
    case Tag::ascii:
    case Tag::latin1:
    case Tag::ucs2:
    case Tag::ucs4: return cell.length() * text_width(text_kind(cell.tag())) > largest_copied;
    default: return false;
  }
}

/// A view of a tuple, bytes or text; it takes a count of its own. Null with MemoryError set.
PyObject* new_view(ModuleState& state, const CellRef& place) noexcept;
/// A Tuple, Bytes or Shared of what a cell valid in `block` describes; likewise.
PyObject* new_view(ModuleState& state, ValueType type, const Block* block, const Cell& cell,
                   Py_ssize_t step = 1) noexcept;
PyObject* new_str(ModuleState& state, const CellRef& place) noexcept;
inline PyObject* new_shared(ModuleState& state, const Block* block) noexcept {
  return new_view(state, ValueType::shared, block, BlockReader(block).root());
}

/// Makes a Tuple with a step one without, of the same elements, in a block of its own. `ok`, or why there is none.
Status make_contiguous(View* view) noexcept;

/// The bytes that a Shared or Bytes holds. False, with nothing set, if a Shared holds something else.
bool bytes_of(const View* view, std::span<const std::byte>& bytes) noexcept;

void view_dealloc(PyObject* self) noexcept;
/// (callable, (argument,)), stealing the argument; null if that is null.
PyObject* reduce_to(PyObject* callable, PyObject* argument) noexcept;
/// A Tuple as a real tuple, at any depth.
PyObject* tuple_value(const View* view) noexcept;

extern PyMemberDef view_members[];
extern PyType_Spec tuple_spec;
extern PyType_Spec bytes_spec;
extern PyType_Spec str_spec;
extern PyType_Spec shared_spec;
extern PyType_Spec buffer_spec;
extern PyType_Spec views_spec;

/// share(value), and the iterator of Receiver.views().
PyObject* share(PyObject* module, PyObject* value) noexcept;
extern const char share_doc[];
PyObject* receiver_views(PyObject* self, PyObject*) noexcept;
extern const char views_doc[];

/// Makes the types and adds those that are public to the module. -1 with an exception set.
int add_value_types(PyObject* module, ModuleState& state) noexcept;

}  // namespace xichan::python

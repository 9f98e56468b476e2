// A cache of the short keys of dicts: equal keys of one dict after the other, and of one message after the other,
// become one str, whose hash is computed once.
//
// Algorithm: direct mapped. A cell of short text is its own description: equal text has equal cells.
#pragma once

#include "value/block_reader.h"
#include "values/decode_leaf.h"

namespace xichan::python {

/// Thread safety: like any object, used by the threads of one interpreter, under its GIL. Zeroed memory is empty.
class KeyCache {
 public:
  /// Returns the str of a cell with short text. Null with MemoryError set.
  PyObject* find(const Cell& cell) noexcept {
    Entry& entry = entries_[slot_of(cell)];
    if (entry.head == cell.head && entry.word == cell.word) return Py_NewRef(entry.text);
    PyObject* text = make_short_text(cell);
    if (text == nullptr) return nullptr;
    Py_XDECREF(entry.text);  // an exact str: runs no Python code
    entry = {cell.head, cell.word, Py_NewRef(text)};
    return text;
  }

  void clear() noexcept {
    for (Entry& entry : entries_) {
      Py_XDECREF(entry.text);
      entry = {};
    }
  }

 private:
  struct Entry {
    std::uint64_t head;
    std::uint64_t word;
    PyObject* text;
  };

  static constexpr unsigned size_bits = 9;

  static std::size_t slot_of(const Cell& cell) noexcept {
    return static_cast<std::size_t>(((cell.head ^ cell.word * 31) * 0x9e3779b97f4a7c15u) >> (64 - size_bits));
  }

  Entry entries_[std::size_t{1} << size_bits];
};

/// Returns the value of a cell that `is_single_leaf`, as a key. Null with MemoryError set.
inline PyObject* make_leaf_key(KeyCache& cache, BlockReader reader, const Cell& cell) noexcept {
  const bool is_short_text = cell.tag() >= Tag::short_ascii && cell.tag() <= Tag::short_ucs4;
  return is_short_text ? cache.find(cell) : make_leaf(reader, cell);
}

/// Returns the cache of the interpreter, made on first use. Null with MemoryError set.
inline KeyCache* key_cache(ModuleState& state) noexcept {
  if (state.keys == nullptr) state.keys = static_cast<KeyCache*>(PyMem_Calloc(1, sizeof(KeyCache)));
  if (state.keys == nullptr) PyErr_NoMemory();
  return state.keys;
}

inline void drop_key_cache(ModuleState& state) noexcept {
  if (state.keys != nullptr) state.keys->clear();
  PyMem_Free(std::exchange(state.keys, nullptr));
}

}  // namespace xichan::python

// The hash of a content that occurs in many places is computed once. Leaves are hashed by Python, as the objects that
// show them; tuples by the function of CPython's tuple, so that no tuple is made.
//
// Algorithm: CPython's tuple hash (Objects/tupleobject.c, after xxHash). The tests compare the result
// with that of tuples.
#include "values/hash.h"

#include <bit>

#include "arena/arena.h"
#include "base/ref.h"
#include "values/decode.h"
#include "values/interruption.h"

namespace xichan::python {
namespace {

class TupleHash {
 public:
  void add(Py_hash_t item) noexcept {
    state_ = std::rotl(state_ + static_cast<Py_uhash_t>(item) * prime_2, 31) * prime_1;
  }
  Py_hash_t finish(std::uint64_t length) const noexcept {
    const Py_uhash_t hash = state_ + (length ^ (prime_5 ^ 3527539u));
    return hash == static_cast<Py_uhash_t>(-1) ? 1546275796 : static_cast<Py_hash_t>(hash);
  }

 private:
  static_assert(sizeof(Py_uhash_t) == 8);
  static constexpr Py_uhash_t prime_1 = 11400714785074694791u;
  static constexpr Py_uhash_t prime_2 = 14029467366897019727u;
  static constexpr Py_uhash_t prime_5 = 2870177450012600261u;

  Py_uhash_t state_ = prime_5;
};

class Hasher {
 public:
  explicit Hasher(ModuleState& state) noexcept : state_(state) {}

  Py_hash_t hash(BlockReader from, const Cell& cell) noexcept {
    const CellRef ref = resolve_through(from, cell);
    if (ref.cell->tag() == Tag::reference) {
      // An endpoint equals only itself, and each access makes a new one, so it has no stable hash.
      const bool in_tuple = resolve(from, cell).cell->tag() != Tag::shared && &cell != &from.root();
      PyErr_SetString(PyExc_TypeError, in_tuple ? "unhashable value: the xichan.TupleView contains a Sender or Receiver"
                                                : "unhashable value: the xichan.Shared holds a Sender or Receiver");
      return -1;
    }
    const bool is_tuple = ref.cell->tag() == Tag::tuple && ref.cell->length() != 0;
    if (!may_recur(from, ref) || !(is_tuple || ref.cell->has_payload())) return compute(ref, is_tuple);
    const Content content = content_of(ref.reader, *ref.cell);
    if (const Known* known = known_.find(content); known != nullptr && known->is_set) return known->hash;
    const Py_hash_t result = compute(ref, is_tuple);
    if (result == -1) return -1;
    Known* const known = known_.insert(content);
    if (known == nullptr) {
      PyErr_NoMemory();
      return -1;
    }
    *known = {result, true};
    return result;
  }

  Py_hash_t hash_elements(BlockReader reader, const Cell* first, std::uint64_t length, Py_ssize_t step) noexcept {
    TupleHash hash_of_tuple;
    for (std::uint64_t i = 0; i < length; ++i) {
      const Py_hash_t item = hash(reader, first[static_cast<Py_ssize_t>(i) * step]);
      if (item == -1) return -1;
      hash_of_tuple.add(item);
    }
    return hash_of_tuple.finish(length);
  }

 private:
  struct Known {
    Py_hash_t hash;
    bool is_set;
  };

  Py_hash_t compute(const CellRef& ref, bool is_tuple) noexcept {
    if (!interruption_.check(ref.cell->has_payload() ? ref.cell->length() : 0)) return -1;
    if (is_tuple) {
      if (Py_EnterRecursiveCall(" while hashing a xichan.TupleView") != 0) return -1;
      const auto cells = ref.reader.elements(*ref.cell);
      const Py_hash_t result = hash_elements(ref.reader, cells.data(), cells.size(), 1);
      Py_LeaveRecursiveCall();
      return result;
    }
    const Ref leaf(decode_at(state_, ref.reader, *ref.cell, false));
    return leaf ? PyObject_Hash(leaf.get()) : -1;
  }

  ModuleState& state_;
  ContentMap<Known> known_;
  Interruption interruption_;
};

}  // namespace

Py_hash_t hash_of(View* view) noexcept {
  if (view->hash != -1) return view->hash;
  // A signal handler may send the view, which may move its elements (V2).
  const BlockSlice slice = view->slice;
  const BlockReader reader = slice.reader();
  Arena::retain(slice.block);
  Hasher hasher(*view->state);
  Py_hash_t hash;
  if (view->step != 1) {
    hash = hasher.hash_elements(reader, reader.elements(slice.cell).data(), slice.cell.length(), view->step);
  } else {
    hash = hasher.hash(
        reader, is_a(*view->state, reinterpret_cast<PyObject*>(view), ValueType::shared) ? reader.root() : slice.cell);
  }
  Arena::release(slice.block);
  view->hash = hash;
  return hash;
}

}  // namespace xichan::python

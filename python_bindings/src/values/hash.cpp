// The hash of a content that occurs in many places is computed once. Leaves are hashed by Python, as the objects that
// show them; tuples and frozensets by the functions of CPython, so that none is made.
//
// Algorithms: CPython's tuple hash (Objects/tupleobject.c, after xxHash) and frozenset hash (Objects/setobject.c). The
// tests compare the results with those of tuples and frozensets.
#include "values/hash.h"

#include <bit>

#include "arena/arena.h"
#include "base/ref.h"
#include "value/moved.h"
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

class SetHash {
 public:
  void add(Py_hash_t item) noexcept { state_ ^= shuffle(static_cast<Py_uhash_t>(item)); }
  Py_hash_t finish(std::uint64_t length) const noexcept {
    Py_uhash_t hash = state_ ^ (length + 1) * 1927868237u;
    hash ^= hash >> 11 ^ hash >> 25;
    hash = hash * 69069u + 907133923u;
    return hash == static_cast<Py_uhash_t>(-1) ? 590923713 : static_cast<Py_hash_t>(hash);
  }

 private:
  static Py_uhash_t shuffle(Py_uhash_t h) noexcept { return (h ^ 89869747u ^ h << 16) * 3644798167u; }

  Py_uhash_t state_ = 0;
};

class Hasher {
 public:
  explicit Hasher(ModuleState& state) noexcept : state_(state) {}

  Py_hash_t hash(BlockReader from, const Cell& cell) noexcept {
    const CellRef ref = resolve_through(from, cell);
    if (ref.cell->tag() == Tag::reference) {
      // An endpoint, Buffer or Descriptor equals only itself, and each access makes a new one, so it has no stable
      // hash.
      const bool in_tuple = resolve(from, cell).cell->tag() != Tag::shared && &cell != &from.root();
      const Moved* const moved = moved_of(ref);
      PyErr_Format(PyExc_TypeError, "unhashable value: the %s a %s", in_tuple ? "view contains" : "xichan.Shared holds",
                   moved != nullptr ? moved->type().name : "Sender or Receiver");
      return -1;
    }
    if (!may_recur(from, ref) || !(ref.cell->has_elements() || ref.cell->has_payload())) return compute(ref);
    const Content content = content_of(ref.reader, *ref.cell);
    if (const Known* known = known_.find(content); known != nullptr && known->is_set) return known->hash;
    const Py_hash_t result = compute(ref);
    if (result == -1) return -1;
    Known* const known = known_.insert(content);
    if (known == nullptr) {
      PyErr_NoMemory();
      return -1;
    }
    *known = {result, true};
    return result;
  }

  template <class Hash = TupleHash>
  Py_hash_t hash_elements(BlockReader reader, const Cell* first, std::uint64_t length, Py_ssize_t step) noexcept {
    Hash hash_of_all;
    for (std::uint64_t i = 0; i < length; ++i) {
      const Py_hash_t item = hash(reader, first[static_cast<Py_ssize_t>(i) * step]);
      if (item == -1) return -1;
      hash_of_all.add(item);
    }
    return hash_of_all.finish(length);
  }

 private:
  struct Known {
    Py_hash_t hash;
    bool is_set;
  };

  Py_hash_t compute(const CellRef& ref) noexcept {
    if (!interruption_.check(ref.cell->has_payload() ? ref.cell->length() : 0)) return -1;
    switch (ref.cell->tag()) {
      case Tag::tuple:
      case Tag::frozenset: return hash_inside(ref);
      case Tag::record: return has_type_name(ref) ? hash_record(ref) : hash_copy(ref);
      case Tag::list: return refuse("list");
      case Tag::dict: return refuse("dict");
      case Tag::set: return refuse("set");
      case Tag::bytearray: return refuse("bytearray");
      default: return hash_copy(ref);
    }
  }

  Py_hash_t hash_inside(const CellRef& ref) noexcept {
    if (Py_EnterRecursiveCall(" while hashing a view") != 0) return -1;
    const Cell& cell = *ref.cell;
    const Cell* const cells = ref.reader.elements(cell).data();
    const Py_hash_t result = cell.tag() == Tag::record ? hash_elements(ref.reader, cells + 1, cell.length() - 1, 1)
                             : cell.tag() == Tag::frozenset
                                 ? hash_elements<SetHash>(ref.reader, cells, cell.entries(), 1)
                                 : hash_elements(ref.reader, cells, cell.length(), 1);
    Py_LeaveRecursiveCall();
    return result;
  }

  // A record hashes as its object; without its class, as the tuple of its fields, which the object of a frozen
  // dataclass or namedtuple does too.
  Py_hash_t hash_record(const CellRef& ref) noexcept {
    if (NamedType(ref).is_tuple()) return hash_inside(ref);
    const Ref object(decode_to_look(state_, ref.reader, *ref.cell));
    if (!object && PyErr_Occurred() == nullptr) return hash_inside(ref);
    if (object && !is_a(state_, object.get(), ValueType::record)) return PyObject_Hash(object.get());
    if (!object && !PyErr_ExceptionMatches(state_.error(ErrorClass::error))) return -1;
    PyErr_Clear();
    return hash_inside(ref);
  }

  Py_hash_t hash_copy(const CellRef& ref) noexcept {
    const Ref object(ref.cell->has_elements() ? decode_to_look(state_, ref.reader, *ref.cell)
                                              : decode_at(state_, ref.reader, *ref.cell, false));
    if (!object && PyErr_Occurred() == nullptr) return refuse("xichan.RecordView");
    return object ? PyObject_Hash(object.get()) : -1;
  }

  static Py_hash_t refuse(const char* type) noexcept {
    PyErr_Format(PyExc_TypeError, "unhashable type: '%s'", type);
    return -1;
  }

  ModuleState& state_;
  ContentMap<Known> known_;
  Interruption interruption_;
};

}  // namespace

Py_hash_t view_hash(PyObject* object) noexcept {
  View* const view = as_view(object);
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
    hash = hasher.hash(reader, is_a(*view->state, object, ValueType::shared) ? reader.root() : slice.cell);
  }
  Arena::release(slice.block);
  view->hash = hash;
  return hash;
}

}  // namespace xichan::python

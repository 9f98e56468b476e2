#include "values/compare.h"

#include "arena/arena.h"
#include "base/ref.h"
#include "value/value_access.h"
#include "values/decode.h"

namespace xichan::python {
namespace {

bool is_tuple(const Cell& cell) noexcept { return cell.tag() == Tag::tuple; }

// The kinds of payload whose equality is that of their contents.
enum class PayloadKind { none, text, bytes, integer };

PayloadKind payload_kind(const Cell& cell) noexcept {
  if (!cell.has_payload()) return PayloadKind::none;
  if (cell.tag() == Tag::bytes) return PayloadKind::bytes;
  return cell.tag() == Tag::big_int ? PayloadKind::integer : PayloadKind::text;
}

PayloadKind payload_kind(const ModuleState& state, PyObject* object) noexcept {
  if (PyBytes_CheckExact(object) || is_a(state, object, ValueType::bytes)) return PayloadKind::bytes;
  if (PyUnicode_CheckExact(object) || is_a(state, object, ValueType::str)) return PayloadKind::text;
  return PyLong_CheckExact(object) ? PayloadKind::integer : PayloadKind::none;
}

std::uint64_t work_of(const Cell& cell) noexcept { return cell.has_payload() ? cell.length() : 0; }

}  // namespace

HeldElements::HeldElements(const View* view) noexcept
    : slice_(view->slice), first_(slice_.reader().elements(slice_.cell).data()), step_(view->step) {
  Arena::retain(slice_.block);
}

HeldElements::~HeldElements() { Arena::release(slice_.block); }

Comparison::~Comparison() {
  for (Block* block : held_) Arena::release(block);
}

bool Comparison::hold(Block* block) noexcept {
  if (!held_.push(block)) {
    PyErr_NoMemory();
    return false;
  }
  Arena::retain(block);
  return true;
}

int Comparison::join(const Content& one, const Content& other) noexcept {
  switch (equals_.join(one, other)) {
    case EqualContents::Joined::before: return 1;
    case EqualContents::Joined::now: return 0;
    case EqualContents::Joined::no_memory: PyErr_NoMemory();
  }
  return -1;
}

int Comparison::equal(BlockReader from, const Cell& cell, BlockReader other_from, const Cell& other) noexcept {
  const CellRef one = resolve_through(from, cell), two = resolve_through(other_from, other);
  if (!interruption_.check(work_of(*one.cell))) return -1;
  const bool tuples = is_tuple(*one.cell) && is_tuple(*two.cell);
  const PayloadKind kind = payload_kind(*one.cell);
  if (!tuples && (kind == PayloadKind::none || kind != payload_kind(*two.cell))) return equal_leaves(one, two);
  if (one.cell->length() != two.cell->length()) return 0;
  if (one.cell->length() == 0) return 1;
  const Content contents[2] = {content_of(one.reader, *one.cell), content_of(two.reader, *two.cell)};
  if (contents[0] == contents[1]) return 1;  // NaNs included: what is identical counts as equal
  if (may_recur(from, one) && may_recur(other_from, two)) {
    const int known = join(contents[0], contents[1]);
    if (known != 0) return known;
  }
  if (tuples) return equal_tuples(one, two);
  bool result;
  if (ValueView::equal(ValueAccess::view(one), ValueAccess::view(two), result) == Status::ok) return result;
  PyErr_NoMemory();
  return -1;
}

// Python's rules for values of different types: 1 == 1.0 == True.
int Comparison::equal_leaves(const CellRef& one, const CellRef& other) noexcept {
  const Ref object(decode_at(state_, other.reader, *other.cell, false));
  return object ? equal_decoded(one, object.get()) : -1;
}

int Comparison::equal_decoded(const CellRef& one, PyObject* object) noexcept {
  const Ref decoded(decode_at(state_, one.reader, *one.cell, false));
  return decoded ? PyObject_RichCompareBool(decoded.get(), object, Py_EQ) : -1;
}

int Comparison::equal_tuples(const CellRef& one, const CellRef& other) noexcept {
  if (Py_EnterRecursiveCall(" in comparison") != 0) return -1;
  const auto mine = one.reader.elements(*one.cell);
  const Cell* theirs = other.reader.elements(*other.cell).data();
  int result = 1;
  for (std::size_t i = 0; i < mine.size() && result == 1; ++i) {
    result = equal(one.reader, mine[i], other.reader, theirs[i]);
  }
  Py_LeaveRecursiveCall();
  return result;
}

int Comparison::equal(BlockReader from, const Cell& cell, PyObject* object) noexcept {
  if (is_a(state_, object, ValueType::shared) ||
      (is_a(state_, object, ValueType::tuple) && as_view(object)->step == 1)) {
    const BlockSlice slice = as_view(object)->slice;
    if (!hold(slice.block)) return -1;
    const BlockReader reader = slice.reader();
    return equal(from, cell, reader, is_a(state_, object, ValueType::shared) ? reader.root() : slice.cell);
  }
  const CellRef one = resolve_through(from, cell);
  if (!interruption_.check(work_of(*one.cell))) return -1;
  const bool tuples = is_tuple(*one.cell) && PyTuple_Check(object);
  const PayloadKind kind = payload_kind(*one.cell);
  if (!tuples && (kind == PayloadKind::none || kind != payload_kind(state_, object))) return equal_decoded(one, object);
  if (tuples && one.cell->length() != static_cast<std::uint64_t>(PyTuple_GET_SIZE(object))) return 0;
  if (may_recur(from, one) && (!tuples || PyTuple_CheckExact(object))) {
    const int known = join(content_of(one.reader, *one.cell), {object, 0});
    if (known != 0) return known;
  }
  return tuples ? equal_tuple(one, object) : equal_decoded(one, object);
}

int Comparison::equal_tuple(const CellRef& one, PyObject* tuple) noexcept {
  if (Py_EnterRecursiveCall(" in comparison") != 0) return -1;
  const auto mine = one.reader.elements(*one.cell);
  int result = 1;
  for (std::size_t i = 0; i < mine.size() && result == 1; ++i) {
    result = equal(one.reader, mine[i], PyTuple_GET_ITEM(tuple, static_cast<Py_ssize_t>(i)));
  }
  Py_LeaveRecursiveCall();
  return result;
}

int Search::equals(BlockReader from, const Cell& cell) noexcept {
  if (!interruption_.check(0)) return -1;
  const CellRef ref = resolve_through(from, cell);
  const bool again = may_recur(from, ref) && (is_tuple(*ref.cell) || ref.cell->has_payload());
  const Content content = again ? content_of(ref.reader, *ref.cell) : Content{};
  if (again) {
    const int* known = results_.find(content);
    if (known != nullptr && *known != 0) return *known - 1;
  }
  const int result = Comparison(state_).equal(from, cell, wanted_);
  if (!again || result < 0) return result;
  int* const known = results_.insert(content);
  if (known == nullptr) {
    PyErr_NoMemory();
    return -1;
  }
  *known = result + 1;
  return result;
}

}  // namespace xichan::python

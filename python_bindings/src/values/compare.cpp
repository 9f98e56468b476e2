#include "values/compare.h"

#include "arena/arena.h"
#include "base/ref.h"
#include "value/moved.h"
#include "value/value_access.h"
#include "values/decode.h"
#include "values/hashed_view.h"

namespace xichan::python {
namespace {

// What decides how two values are compared. Values of different shapes are compared by Python, as are leaves.
enum class Shape { leaf, text, bytes, integer, tuple, list, dict, set, record };

Shape shape_of(const CellRef& place) noexcept {
  switch (place.cell->tag()) {
    case Tag::ascii:
    case Tag::latin1:
    case Tag::ucs2:
    case Tag::ucs4: return Shape::text;
    case Tag::bytes: return Shape::bytes;
    case Tag::big_int: return Shape::integer;
    case Tag::tuple: return Shape::tuple;
    case Tag::list: return Shape::list;
    case Tag::dict:
    case Tag::frozendict: return Shape::dict;
    case Tag::set:
    case Tag::frozenset: return Shape::set;
    case Tag::record: return has_type_name(place) ? Shape::record : Shape::leaf;
    default: return Shape::leaf;
  }
}

bool is_payload(Shape shape) noexcept { return shape >= Shape::text && shape <= Shape::integer; }

// Returns the shape of an object that is compared without decoding the cell first, or leaf.
Shape shape_of(const ModuleState& state, PyObject* object) noexcept {
  if (PyTuple_Check(object)) return Shape::tuple;
  if (PyList_Check(object)) return Shape::list;
  if (is_any_dict(object)) return Shape::dict;
  if (PyBytes_CheckExact(object) || is_a(state, object, ValueType::bytes)) return Shape::bytes;
  if (PyUnicode_CheckExact(object) || is_a(state, object, ValueType::str)) return Shape::text;
  return PyLong_CheckExact(object) ? Shape::integer : Shape::leaf;
}

// Returns true for a view of a container, other than a slice with a step.
bool shows_cell(const ModuleState& state, PyObject* object) noexcept {
  for (const ValueType type : {ValueType::tuple, ValueType::list, ValueType::dict, ValueType::set, ValueType::record}) {
    if (is_a(state, object, type)) return as_view(object)->step == 1;
  }
  return false;
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

bool Comparison::count_open(const Content& content, int change) noexcept {
  int* const count = open_.insert(content);
  if (count == nullptr) {
    PyErr_NoMemory();
    return false;
  }
  *count += change;
  return true;
}

template <class Compare>
int Comparison::compare_once(const Content& one, const Content& other, Compare compare) noexcept {
  const auto is_open = [this](const Content& content) noexcept {
    const int* const count = open_.find(content);
    return count != nullptr && *count > 0;
  };
  switch (equals_.join(one, other)) {
    case EqualContents::Joined::now: break;
    case EqualContents::Joined::no_memory: PyErr_NoMemory(); return -1;
    case EqualContents::Joined::before:
      if (!is_open(one) || !is_open(other)) return 1;
      PyErr_SetString(PyExc_RecursionError, "maximum recursion depth exceeded in comparison");
      return -1;
  }
  if (!count_open(one, 1) || !count_open(other, 1)) return -1;
  const int result = compare();
  return count_open(one, -1) && count_open(other, -1) ? result : -1;
}

int Comparison::equal(BlockReader from, const Cell& cell, BlockReader other_from, const Cell& other) noexcept {
  const CellRef one = resolve_through(from, cell), two = resolve_through(other_from, other);
  if (!interruption_.check(work_of(*one.cell))) return -1;
  const Shape shape = shape_of(one);
  if (shape == Shape::leaf || shape != shape_of(two)) return equal_leaves(one, two);
  if (one.cell->length() != two.cell->length()) return 0;
  if (one.cell->length() == 0) return 1;
  const Content contents[2] = {content_of(one.reader, *one.cell), content_of(two.reader, *two.cell)};
  if (contents[0] == contents[1]) return 1;  // NaNs included: what is identical counts as equal
  if (!may_recur(from, one) || !may_recur(other_from, two)) return equal_inside(one, two);
  return compare_once(contents[0], contents[1], [&]() noexcept { return equal_inside(one, two); });
}

int Comparison::equal_inside(const CellRef& one, const CellRef& other) noexcept {
  const Shape shape = shape_of(one);
  if (is_payload(shape)) {
    bool result;
    if (ValueView::equal(ValueAccess::view(one), ValueAccess::view(other), result) == Status::ok) return result;
    PyErr_NoMemory();
    return -1;
  }
  if (Py_EnterRecursiveCall(" in comparison") != 0) return -1;
  const int result = shape == Shape::dict     ? equal_dicts(one, other)
                     : shape == Shape::set    ? equal_sets(one, other)
                     : shape == Shape::record ? equal_records(one, other)
                                              : equal_sequences(one, other, 0);
  Py_LeaveRecursiveCall();
  return result;
}

// Python's rules for values of different types: 1 == 1.0 == True.
int Comparison::equal_leaves(const CellRef& one, const CellRef& other) noexcept {
  // A Buffer or Descriptor equals only itself, and making it would take it out of the message.
  if (const Moved* moved = moved_of(one)) return moved == moved_of(other);
  if (moved_of(other) != nullptr) return 0;
  const bool is_record = other.cell->tag() == Tag::record && !has_type_name(other);
  const Ref object(is_record ? decode_to_look(state_, other.reader, *other.cell)
                             : decode_at(state_, other.reader, *other.cell, false));
  if (object) return equal_decoded(one, object.get());
  if (PyErr_Occurred() != nullptr) return -1;
  // A record that something moves with equals only itself, too.
  return one.cell->tag() == Tag::record && content_of(one.reader, *one.cell) == content_of(other.reader, *other.cell);
}

int Comparison::equal_decoded(const CellRef& one, PyObject* object) noexcept {
  if (moved_of(one) != nullptr) return 0;
  const bool is_record = one.cell->tag() == Tag::record && !has_type_name(one);
  const Ref decoded(is_record ? decode_to_look(state_, one.reader, *one.cell)
                              : decode_at(state_, one.reader, *one.cell, false));
  if (!decoded && PyErr_Occurred() == nullptr) return 0;
  return decoded ? PyObject_RichCompareBool(decoded.get(), object, Py_EQ) : -1;
}

int Comparison::equal_sequences(const CellRef& one, const CellRef& other, std::size_t first) noexcept {
  const auto mine = one.reader.elements(*one.cell);
  const Cell* theirs = other.reader.elements(*other.cell).data();
  int result = 1;
  for (std::size_t i = first; i < mine.size() && result == 1; ++i) {
    result = equal(one.reader, mine[i], other.reader, theirs[i]);
  }
  return result;
}

int Comparison::equal(BlockReader from, const Cell& cell, PyObject* object) noexcept {
  if (is_a(state_, object, ValueType::shared) || shows_cell(state_, object)) {
    const BlockSlice slice = as_view(object)->slice;
    if (!hold(slice.block)) return -1;
    const BlockReader reader = slice.reader();
    return equal(from, cell, reader, is_a(state_, object, ValueType::shared) ? reader.root() : slice.cell);
  }
  const CellRef one = resolve_through(from, cell);
  if (!interruption_.check(work_of(*one.cell))) return -1;
  const Shape shape = shape_of(one);
  if (shape == Shape::leaf || shape != shape_of(state_, object)) return equal_decoded(one, object);
  if (!may_recur(from, one)) return equal_inside(one, object);
  const bool is_exact = PyTuple_CheckExact(object) || PyList_CheckExact(object) || PyDict_CheckExact(object);
  if (!is_payload(shape) && !is_exact) return equal_inside(one, object);
  return compare_once(content_of(one.reader, *one.cell), {object, 0},
                      [&]() noexcept { return equal_inside(one, object); });
}

int Comparison::equal_inside(const CellRef& one, PyObject* object) noexcept {
  const Shape shape = shape_of(one);
  if (is_payload(shape)) return equal_decoded(one, object);
  if (Py_EnterRecursiveCall(" in comparison") != 0) return -1;
  const int result = shape == Shape::dict ? equal_dict(one, object) : equal_sequence(one, object);
  Py_LeaveRecursiveCall();
  return result;
}

// Code that runs meanwhile may change a list.
int Comparison::equal_sequence(const CellRef& one, PyObject* sequence) noexcept {
  const auto mine = one.reader.elements(*one.cell);
  const auto length = static_cast<Py_ssize_t>(mine.size());
  for (Py_ssize_t i = 0;; ++i) {
    if (PySequence_Fast_GET_SIZE(sequence) != length) return 0;
    if (i == length) return 1;
    const Ref item(Py_NewRef(PySequence_Fast_GET_ITEM(sequence, i)));
    const int result = equal(one.reader, mine[static_cast<std::size_t>(i)], item.get());
    if (result != 1) return result;
  }
}

int Search::equals(BlockReader from, const Cell& cell) noexcept {
  if (!interruption_.check(0)) return -1;
  const CellRef ref = resolve_through(from, cell);
  const bool again = may_recur(from, ref) && (ref.cell->has_elements() || ref.cell->has_payload());
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

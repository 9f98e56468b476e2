// Compares values: a worklist of pairs replaces recursion. A content that both values show in many places is compared
// once, so the time is proportional to the size of the values in memory, however often they repeat their parts.
#include "base/content_map.h"
#include "base/worklist.h"
#include "value/text.h"
#include "value/value_access.h"

namespace xichan {
namespace internal {

bool equal_text(const TextParts& one, const TextParts& other) noexcept {
  if (one.length != other.length) return false;
  const unsigned width = text_width(one.kind);
  if (width == text_width(other.kind)) {
    return one.length == 0 || std::memcmp(one.data, other.data, one.length * width) == 0;
  }
  // A slice of a text may be wider than its own code points require.
  for (std::uint64_t i = 0; i < one.length; ++i) {
    if (load_code_point(one.kind, one.data, i) != load_code_point(other.kind, other.data, i)) return false;
  }
  return true;
}

}  // namespace internal

using namespace internal;
namespace {

struct Pair {
  BlockReader readers[2];
  const Cell* cells[2];
  std::uint64_t length;
};

bool equal_leaves(ValueView one, ValueView other, ValueKind kind) noexcept {
  switch (kind) {
    case ValueKind::boolean: return one.as_bool() == other.as_bool();
    case ValueKind::integer: return one.as_integer() == other.as_integer();
    case ValueKind::real: return one.as_real() == other.as_real();
    case ValueKind::big_integer:  // C3: equal values have equal lengths
    case ValueKind::bytes: {
      const auto a = one.as_bytes(), b = other.as_bytes();
      return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
    }
    case ValueKind::text: {
      return equal_text(text_parts(ValueAccess::reader(one), ValueAccess::cell(one)),
                        text_parts(ValueAccess::reader(other), ValueAccess::cell(other)));
    }
    case ValueKind::sender:
    case ValueKind::receiver: return ValueAccess::end(one)->object == ValueAccess::end(other)->object;
    case ValueKind::none:
    case ValueKind::tuple:
    case ValueKind::queue: break;
  }
  return true;
}

}  // namespace

Status ValueView::equal(ValueView one, ValueView other, bool& out) noexcept {
  Worklist<Pair> pairs;
  EqualContents equals;
  // Returns false if the values differ, or if memory is exhausted. `again` if each may be seen from several places.
  Status status = Status::ok;
  const auto compare = [&](ValueView a, ValueView b, bool again) noexcept {
    const ValueKind kind = a.kind();
    if (kind != b.kind()) return false;
    const Cell &left = ValueAccess::cell(a), &right = ValueAccess::cell(b);
    const bool nested = has_elements(left);
    if (!nested && !(left.has_payload() && right.has_payload())) return equal_leaves(a, b, kind);
    if (left.length() != right.length()) return false;
    const Content contents[2] = {content_of(ValueAccess::reader(a), left), content_of(ValueAccess::reader(b), right)};
    if (contents[0] == contents[1] || (nested && left.length() == 0)) return true;
    if (again) {
      // The pair counts as equal from now on; if it is not, neither are the values.
      const auto joined = equals.join(contents[0], contents[1]);
      if (joined == EqualContents::Joined::no_memory) status = Status::no_memory;
      if (joined != EqualContents::Joined::now) return joined == EqualContents::Joined::before;
    }
    if (!nested) return equal_leaves(a, b, kind);
    if (pairs.push({{ValueAccess::reader(a), ValueAccess::reader(b)}, {&left, &right}, left.length()})) return true;
    status = Status::no_memory;
    return false;
  };
  bool equal = compare(one, other, false);
  while (equal && !pairs.empty()) {
    const Pair pair = pairs.pop();
    const Cell* elements[2] = {pair.readers[0].elements(*pair.cells[0]).data(),
                               pair.readers[1].elements(*pair.cells[1]).data()};
    for (std::uint64_t i = 0; equal && i < pair.length; ++i) {
      const CellRef a = resolve_through(pair.readers[0], elements[0][i]);
      const CellRef b = resolve_through(pair.readers[1], elements[1][i]);
      const bool again = may_recur(pair.readers[0], a) && may_recur(pair.readers[1], b);
      equal = compare(ValueAccess::view(a), ValueAccess::view(b), again);
    }
  }
  if (status == Status::ok) out = equal;
  return status;
}

}  // namespace xichan

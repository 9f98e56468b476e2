// Compares values: a worklist of pairs replaces recursion.
#include "base/worklist.h"
#include "value/text.h"
#include "value/value_access.h"

namespace xichan {

using namespace internal;
namespace {

struct Pair {
  BlockReader readers[2];
  const Cell* cells[2];
  std::uint64_t length;
};

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
  // Returns false if the values differ, or if the worklist cannot grow.
  Status status = Status::ok;
  const auto compare = [&](ValueView a, ValueView b) noexcept {
    const ValueKind kind = a.kind();
    if (kind != b.kind()) return false;
    if (kind != ValueKind::tuple && kind != ValueKind::queue) return equal_leaves(a, b, kind);
    const Cell &left = ValueAccess::cell(a), &right = ValueAccess::cell(b);
    if (left.length() != right.length()) return false;
    const bool same = ValueAccess::reader(a).block() == ValueAccess::reader(b).block() && left.word == right.word;
    if (left.length() == 0 || same) return true;
    const Pair pair{{ValueAccess::reader(a), ValueAccess::reader(b)}, {&left, &right}, left.length()};
    if (pairs.push(pair)) return true;
    status = Status::no_memory;
    return false;
  };
  bool equal = compare(one, other);
  while (equal && !pairs.empty()) {
    const Pair pair = pairs.pop();
    const Cell* elements[2] = {pair.readers[0].elements(*pair.cells[0]).data(),
                               pair.readers[1].elements(*pair.cells[1]).data()};
    for (std::uint64_t i = 0; equal && i < pair.length; ++i) {
      equal = compare(ValueAccess::view(pair.readers[0], elements[0][i]),
                      ValueAccess::view(pair.readers[1], elements[1][i]));
    }
  }
  if (status == Status::ok) out = equal;
  return status;
}

}  // namespace xichan

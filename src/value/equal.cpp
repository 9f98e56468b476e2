// Compares values: a worklist of pairs replaces recursion. A content that both values show in many places is compared
// once, so the time is proportional to the size of the values in memory, however often they repeat their parts.
#include "base/content_map.h"
#include "base/worklist.h"
#include "value/content_key.h"
#include "value/index.h"
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
    case ValueKind::buffer:
    case ValueKind::descriptor:
    case ValueKind::state:
    case ValueKind::receiver: return ValueAccess::end(one)->object == ValueAccess::end(other)->object;
    default: break;  // None and Ellipsis
  }
  return true;
}

// How leaves compare: `exact`, as ValueView::equal does, or `as_keys`, as content_key.h says.
enum class Leaves : bool { exact, as_keys };

// Compares two values. Keys that do not compare by their content are values, too: `depth` counts keys within keys.
class Comparison {
 public:
  Comparison(Leaves leaves, unsigned depth) noexcept : leaves_(leaves), depth_(depth) {}

  Status run(ValueView one, ValueView other, bool& out) noexcept {
    bool equal = compare(one, other);
    while (equal && !pairs_.empty()) {
      const Pair pair = pairs_.pop();
      equal = pair.cells[0]->is_hashed() ? compare_entries(pair) : compare_elements(pair);
    }
    if (status_ == Status::ok) out = equal;
    return status_;
  }

 private:
  static constexpr unsigned deepest = 3;  // with n keys at each depth, comparisons take n^2 steps at each

  // Returns false if the values differ, or if memory is exhausted.
  bool compare(ValueView a, ValueView b) noexcept {
    const ValueKind kind = a.kind();
    const Cell &left = ValueAccess::cell(a), &right = ValueAccess::cell(b);
    if (leaves_ == Leaves::as_keys && (is_content_leaf(left.tag()) || is_content_leaf(right.tag()))) {
      return equal_leaf_content({ValueAccess::reader(a), &left}, {ValueAccess::reader(b), &right});
    }
    if (kind != b.kind()) return false;
    const bool nested = left.has_elements();
    if (!nested && !(left.has_payload() && right.has_payload())) return equal_leaves(a, b, kind);
    if (left.length() != right.length()) return false;
    const Content contents[2] = {content_of(ValueAccess::reader(a), left), content_of(ValueAccess::reader(b), right)};
    if (contents[0] == contents[1] || (nested && left.length() == 0)) return true;
    if (!nested) return equal_leaves(a, b, kind);
    return pairs_.push({{ValueAccess::reader(a), ValueAccess::reader(b)}, {&left, &right}}) || fail();
  }

  // Compares the values of two cells. A pair that may be met again, in a cycle even, is compared once.
  bool compare(const Pair& in, const Cell& one, const Cell& other) noexcept {
    const CellRef a = resolve_through(in.readers[0], one), b = resolve_through(in.readers[1], other);
    if (may_recur(in.readers[0], a) || may_recur(in.readers[1], b)) {
      const auto has_content = [](const Cell& cell) noexcept { return cell.has_payload() || cell.has_elements(); };
      if (has_content(*a.cell) && has_content(*b.cell) && a.cell->length() == b.cell->length()) {
        // The pair counts as equal from now on; if it is not, neither are the values.
        const auto joined = equals_.join(content_of(a.reader, *a.cell), content_of(b.reader, *b.cell));
        if (joined == EqualContents::Joined::no_memory) return fail();
        if (joined == EqualContents::Joined::before) return true;
      }
    }
    return compare(ValueAccess::view(a), ValueAccess::view(b));
  }

  bool compare_elements(const Pair& pair) noexcept {
    const auto one = pair.readers[0].elements(*pair.cells[0]), other = pair.readers[1].elements(*pair.cells[1]);
    for (std::uint64_t i = 0; i < one.size(); ++i) {
      if (!compare(pair, one[i], other[i])) return false;
    }
    return true;
  }

  bool compare_entries(const Pair& pair) noexcept {
    const Cell &left = *pair.cells[0], &right = *pair.cells[1];
    const auto one = pair.readers[0].elements(left), other = pair.readers[1].elements(right);
    const unsigned step = left.entry_cells();
    for (std::uint64_t i = 0; i < left.entries(); ++i) {
      std::uint64_t found;
      const Cell& key = one[i * step];
      Lookup lookup = find_entry(pair.readers[1], right, pair.readers[0], key, found);
      if (lookup == Lookup::missing) {
        // A NaN is not found where it is.
        if (leaves_ == Leaves::exact || equal_keys(pair.readers[0], key, pair.readers[0], key)) return false;
        lookup = Lookup::unknown;
      }
      if (lookup == Lookup::unknown) {
        if (depth_ == deepest) {  // in order
          if (!compare(pair, key, other[i * step])) return false;
          found = i;
        } else if (!find_value(pair, key, i, found)) {
          return false;
        }
      }
      if (step == 2 && !compare(pair, one[i * step + 1], other[found * step + 1])) return false;
    }
    return true;
  }

  // Finds a key among those of the other dict or set: most likely at the same place.
  bool find_value(const Pair& pair, const Cell& key, std::uint64_t at, std::uint64_t& found) noexcept {
    const Cell& right = *pair.cells[1];
    const ValueView view = ValueAccess::view(pair.readers[0], key);
    for (std::uint64_t i = 0; i < right.entries(); ++i) {
      found = (at + i) % right.entries();
      const Cell& candidate = pair.readers[1].elements(right)[found * right.entry_cells()];
      bool equal = equal_keys(pair.readers[0], key, pair.readers[1], candidate);
      if (!equal) {
        status_ = Comparison(leaves_, depth_ + 1).run(view, ValueAccess::view(pair.readers[1], candidate), equal);
        if (status_ != Status::ok) return false;
      }
      if (equal) return true;
    }
    return false;
  }

  bool fail() noexcept {
    status_ = Status::no_memory;
    return false;
  }

  const Leaves leaves_;
  const unsigned depth_;
  Status status_ = Status::ok;
  Worklist<Pair> pairs_;
  EqualContents equals_;
};

}  // namespace

Status ValueView::equal(ValueView one, ValueView other, bool& out) noexcept {
  return Comparison(Leaves::exact, 0).run(one, other, out);
}

Status internal::equal_values(BlockReader one, const Cell& cell, BlockReader other, const Cell& with,
                              bool& equal) noexcept {
  return Comparison(Leaves::as_keys, 0).run(ValueAccess::view(one, cell), ValueAccess::view(other, with), equal);
}

}  // namespace xichan

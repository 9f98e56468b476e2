// Bodies of a few cells that reach each check of verify(), most of them invalid.
#include <cstring>
#include <initializer_list>

#include "targets.h"
#include "value/cell.h"

namespace xichan::fuzz {

using namespace internal;
namespace {

constexpr std::uint64_t first = sizeof(Cell);  // offset of the first element

constexpr std::uint64_t at(std::uint64_t cell) { return cell * sizeof(Cell); }

std::string body(std::initializer_list<Cell> cells, std::string_view payload = {}) {
  std::string bytes(cells.size() * sizeof(Cell), '\0');
  if (!bytes.empty()) std::memcpy(bytes.data(), cells.begin(), bytes.size());
  return bytes.append(payload);
}

Cell marked(Cell cell) {
  cell.mark_repeated();
  return cell;
}

Cell integer(std::int64_t value) { return Cell::integer(value); }
Cell text(std::string_view ascii) { return Cell::of_short(Tag::short_ascii, ascii.data(), ascii.size()); }
Cell bytes(std::size_t length) { return Cell::of_short(Tag::short_bytes, "12345678901234", length); }

// Values that belong to a process, and damaged references.
void add_damaged(std::vector<std::string>& seeds) {
  for (unsigned tag = 0; tag < tag_count + 2u; ++tag) seeds.push_back(body({Cell::of(static_cast<Tag>(tag))}));
  seeds.push_back(body({Cell::of(Tag::list, 9, first)}));
  seeds.push_back(body({Cell::of(Tag::list, 1, first), marked(Cell::of(Tag::list, 0, at(1)))}));
  seeds.push_back(body({Cell::of(Tag::tuple, 1, first), Cell::of(Tag::repeat, 0, at(1))}));
  seeds.push_back(body({Cell::of(Tag::list, 1, first), Cell::of(Tag::index)}));
  seeds.push_back(body({Cell::of(Tag::dict, 1, first), Cell::none()}));
  std::string large = body({Cell::of(Tag::set, 34, first)});
  for (int i = 0; i < 34; ++i) large += body({integer(i)});
  seeds.push_back(large);
}

void add_arrays(std::vector<std::string>& seeds) {
  const auto structured = [](int kind, Cell field, std::int64_t items, std::size_t length) {
    return body({Cell::of(Tag::array, 4, first), integer(kind), Cell::of(Tag::tuple, 2, at(5)),
                 Cell::of(Tag::tuple, 1, at(7)), bytes(length), field, Cell::of(Tag::tuple, 1, at(8)), integer(items),
                 text("<i4")});
  };
  seeds.push_back(structured(2, integer(8), 2, 8));
  seeds.push_back(structured(2, text("field"), 0, 0));
  seeds.push_back(structured(2, Cell::none(), 2, 8));
  seeds.push_back(structured(2, integer(8), 2, 7));
  seeds.push_back(structured(2, integer(8), 1, 0));
  seeds.push_back(structured(0, integer(8), 2, 8));
  seeds.push_back(body({Cell::of(Tag::array, 4, first), integer(2), text("<u8"), Cell::of(Tag::tuple, 2, at(5)),
                        bytes(0), integer(0), integer(std::int64_t{1} << 62)}));
}

void add_keys(std::vector<std::string>& seeds) {
  const auto key = [&](Cell cell) { seeds.push_back(body({Cell::of(Tag::set, 1, first), cell})); };
  for (const Tag tag : {Tag::list, Tag::dict, Tag::set, Tag::frozenset, Tag::frozendict}) key(Cell::of(tag, 0, at(1)));
  seeds.push_back(body({Cell::of(Tag::set, 1, first), Cell::of(Tag::tuple, 1, at(2)), Cell::of(Tag::list, 0, at(2))}));
  seeds.push_back(body({Cell::of(Tag::set, 1, first), Cell::of(Tag::tuple, 2, at(2)), integer(1), text("two")}));
  for (const int kind : {1, 2, 4}) {
    seeds.push_back(body({Cell::of(Tag::set, 1, first), Cell::of(Tag::array, 4, at(2)), integer(kind),
                          text(kind == 1 ? "Q" : "<u8"), Cell::of(Tag::tuple), bytes(8)}));
  }
}

void add_records(std::vector<std::string>& seeds) {
  const auto record = [&](int type, std::initializer_list<Cell> fields) {
    seeds.push_back(body({Cell::of(Tag::record, 1 + fields.size(), first), integer(type)}) + body(fields));
  };
  record(99, {});
  record(1, {bytes(4)});
  record(2, {bytes(7), Cell::none()});
  record(3, {bytes(11), integer(1)});
  record(4, {integer(1), integer(2), integer(3)});
  record(5, {Cell::of(Tag::record, 4, at(4)), Cell::none(), integer(4), integer(1), integer(2), integer(3)});
  seeds.back()[2] = 3;  // the last four cells are those of the timedelta
  record(6, {text("UTC")});
  record(15, {integer(1), text("eth0")});
  record(20, {Cell::of(Tag::dict, 0, at(2))});
  record(24, {Cell::none(), Cell::of(Tag::dict, 0, at(3))});
  seeds.push_back(body({Cell::of(Tag::record, 3, first), integer(9), Cell::of(Tag::bytes, 16, at(4)), Cell::none()},
                       "0123456789abcdef"));
  seeds.push_back(body({Cell::of(Tag::record, 1, first), text("type")}));
}

}  // namespace

std::vector<std::string> forged_seeds() {
  std::vector<std::string> seeds;
  add_damaged(seeds);
  add_arrays(seeds);
  add_keys(seeds);
  add_records(seeds);
  return seeds;
}

}  // namespace xichan::fuzz

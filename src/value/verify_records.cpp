// V5: the fields of the standard types.
#include <string_view>

#include "value/object_sizes.h"
#include "value/records.h"
#include "value/value_access.h"
#include "value/verify_containers.h"

namespace xichan::internal {
namespace {

// The fields of each type in records.h, one character each:
//   d t D u   bytes of a date, time, datetime or UUID      i   int          I  int of 64 bits, or None
//   s S       text; or None                                T    text that the constructor converts
//   r z       record; or None                              m l  dict, list that the constructor copies
// T, m and l occur once: neither a repeat nor repeated.
constexpr std::string_view fields_of[] = {
    "",  "d", "tz", "Dz", "iii", "rS", "s",   "T", "ii", "uI", "s", "s",  "s",
    "s", "i", "iS", "ii", "iiS", "ii", "iiS", "m", "lI", "m",  "m", "Sm", "m",
};
static_assert(std::size(fields_of) == static_cast<std::size_t>(StandardType::log_record) + 1);

bool is_text(Tag tag) noexcept { return is_short_text(tag) || is_long_text(tag); }

bool is_field(char kind, const Cell& direct, const Cell& cell) noexcept {
  const Tag tag = cell.tag();
  const auto is_short_bytes = [&](unsigned length) noexcept {
    return tag == Tag::short_bytes && cell.short_length() == length;
  };
  switch (kind) {
    case 'd': return is_short_bytes(4);
    case 't': return is_short_bytes(7);
    case 'D': return is_short_bytes(11);
    case 'u': return tag == Tag::bytes && cell.length() == 16;
    case 'i': return tag == Tag::integer || tag == Tag::big_int;
    case 'I': return tag == Tag::integer || tag == Tag::none;
    case 's': return is_text(tag);
    case 'S': return is_text(tag) || tag == Tag::none;
    case 'T': return is_short_text(direct.tag()) || (is_long_text(direct.tag()) && !direct.is_repeated());
    case 'r': return tag == Tag::record;
    case 'z': return tag == Tag::record || tag == Tag::none;
    case 'm': return direct.tag() == Tag::dict && !direct.is_repeated();
    default: return direct.tag() == Tag::list && !direct.is_repeated();
  }
}

}  // namespace

std::uint64_t standard_fields(std::int64_t type) noexcept {
  return type < 1 || type >= static_cast<std::int64_t>(std::size(fields_of)) ? UINT64_MAX : fields_of[type].size();
}

bool is_standard_field(std::int64_t type, std::uint64_t i, const Cell& cell) noexcept {
  const std::uint64_t fields = standard_fields(type);
  return fields != UINT64_MAX && i < fields && is_field(fields_of[type][i], Cell::of(cell.tag()), cell);
}

bool verify_standard(const BodyCells& cells, std::int64_t type, std::uint64_t first, std::uint64_t fields) noexcept {
  if (standard_fields(type) != fields) return false;
  for (const char kind : fields_of[type]) {
    if (!is_field(kind, cells.at(first), cells.resolved(first))) return false;
    first += sizeof(Cell);
  }
  return true;
}

std::uint64_t standard_bytes(const BodyCells& cells, std::int64_t type, std::uint64_t first) noexcept {
  constexpr std::uint64_t plain = 512, zone = 1 << 15, container = 1024, entry = 192;
  if (type == static_cast<std::int64_t>(StandardType::zone_info)) return zone;  // the transitions of the zone
  const std::string_view kinds = fields_of[type];
  std::uint64_t bytes = plain;
  for (const char kind : kinds) {
    const Cell cell = cells.at(first);
    if (kind == 'm' || kind == 'l') bytes += container + cell.length() * entry;  // a copy, at least as large
    if (kind == 'T' && cell.has_payload()) bytes += cell.length();
    first += sizeof(Cell);
  }
  return bytes;
}

}  // namespace xichan::internal

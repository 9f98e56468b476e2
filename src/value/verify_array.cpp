// V4: the format and shape of an array.
#include <cstring>
#include <limits>
#include <string_view>

#include "base/worklist.h"
#include "value/array_format.h"
#include "value/value_access.h"
#include "value/verify_containers.h"

namespace xichan::internal {
namespace {

bool is_text(Tag tag) noexcept { return is_short_text(tag) || is_long_text(tag); }

constexpr std::uint64_t of_content = UINT64_MAX;  // size of a structured item: whatever the content has room for

// Returns the number of cells of a structured format, or 0 if it consists of anything but tuples, text and ints, or a
// tuple in it is a repeat. Without memory it returns 0, too.
std::uint64_t structure_cells(const BodyCells& cells, std::uint64_t format) noexcept {
  Worklist<Cell> open;
  std::uint64_t count = 1;
  if (!open.push(cells.at(format))) return 0;
  while (!open.empty()) {
    const Cell tuple = open.pop();
    count += tuple.length();
    for (std::uint64_t i = 0; i < tuple.length(); ++i) {
      const std::uint64_t at = tuple.word + i * sizeof(Cell);
      const Tag tag = cells.at(at).tag();
      if (tag == Tag::tuple) {
        if (!open.push(cells.at(at))) return 0;
      } else if (tag != Tag::integer && !is_text(cells.resolved(at).tag())) {
        return 0;
      }
    }
  }
  return count;
}

// Returns the size of an item, `of_content` for a structured one, or 0 if the format is unknown.
std::uint64_t item_size(const BodyCells& cells, ArrayKind kind, std::uint64_t at, KnownStructures& known,
                        std::uint64_t& format_bytes) noexcept {
  const Cell format = cells.at(at);
  const bool is_numpy = kind >= ArrayKind::ndarray;
  if (format.tag() == Tag::tuple) {
    // A format that many arrays name is read once.
    std::uint64_t* const count = is_numpy ? known.insert({&cells.body()[at], 0}) : nullptr;
    if (count == nullptr) return 0;
    if (*count == 0) *count = structure_cells(cells, at);
    constexpr std::uint64_t field = 512;
    format_bytes = *count * field;
    return *count == 0 ? 0 : of_content;
  }
  if (format.tag() != Tag::short_ascii && format.tag() != Tag::ascii) return 0;
  const std::string_view text =
      format.tag() == Tag::ascii
          ? std::string_view(reinterpret_cast<const char*>(&cells.body()[format.word]), format.length())
          : std::string_view(format.payload(), format.short_length());
  return format_size(kind, text);
}

}  // namespace

bool verify_array(const BodyCells& cells, ArrayKind kind, std::uint64_t format, const Cell& shape,
                  std::uint64_t content_bytes, KnownStructures& known, std::uint64_t& format_bytes) noexcept {
  std::uint64_t size = item_size(cells, kind, format, known, format_bytes);
  if (size == 0 || shape.length() > largest_dimensions) return false;
  if (kind == ArrayKind::array && shape.length() != 1) return false;
  if (kind == ArrayKind::scalar && shape.length() != 0) return false;
  std::uint64_t items = 1, spread = 1;  // without the dimensions that are 0, for the strides
  for (std::uint64_t i = 0; i < shape.length(); ++i) {
    const Cell length = cells.at(shape.word + i * sizeof(Cell));
    if (length.tag() != Tag::integer || length.as_integer() < 0) return false;
    if (length.word != 0 && __builtin_mul_overflow(spread, length.word, &spread)) return false;
    items *= length.word;  // at most `spread`
  }
  if (size == of_content) {
    if (items == 0 || content_bytes % items != 0) return items == 0 && content_bytes == 0;
    size = content_bytes / items;
    if (size == 0) return false;
  }
  std::uint64_t extent = 0;
  if (__builtin_mul_overflow(spread, size, &extent) ||
      extent > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
    return false;
  }
  return items * size == content_bytes;
}

}  // namespace xichan::internal

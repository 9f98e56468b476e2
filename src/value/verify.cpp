#include "value/verify.h"

#include "arena/block.h"
#include "base/checked.h"
#include "value/block_builder.h"
#include "value/block_reader.h"
#include "value/body_cells.h"
#include "value/text.h"
#include "value/verify_containers.h"

namespace xichan::internal {
namespace {

class Verifier {
 public:
  Verifier(std::span<const std::byte> body, VerifyError& error) noexcept
      : body_(body), cells_(body), error_(error), targeted_(body.size()) {}

  Status run(BodySizes& sizes) noexcept {
    if (check_size() && check_containers() && check_values() && check_rest() && check_marks()) {
      return verify_containers(cells_, cells_end_, error_, sizes);
    }
    return in_memory_ ? Status::invalid : Status::no_memory;
  }

 private:
  bool check_size() noexcept {
    if (body_.size() < sizeof(Cell)) return fail("body is shorter than a cell", body_.size());
    if (body_.size() % Block::alignment != 0) return fail("body size is not a multiple of 16", body_.size());
    return true;
  }

  // Finds the end of the cells. The elements of each container must begin at the current end, and extend it.
  bool check_containers() noexcept {
    cells_end_ = sizeof(Cell);
    for (std::uint64_t at = 0; at < cells_end_; at += sizeof(Cell)) {
      const Cell cell = cells_.at(at);
      if (!cell.has_elements() || cell.tag() == Tag::queue) continue;
      if (!check_mark(cell, at)) return false;
      const std::uint64_t length = cell.length();
      if (length > (body_.size() - cells_end_) / sizeof(Cell))
        return fail("container is longer than the remaining body", at);
      const std::uint64_t empty = cell.tag() == Tag::tuple ? 0 : at;  // C6
      if (cell.word != (length == 0 ? empty : cells_end_)) return fail("elements are not next in order", at);
      cells_end_ += length * sizeof(Cell);
    }
    return true;
  }

  bool check_values() noexcept {
    payload_end_ = cells_end_;
    for (std::uint64_t at = 0; at < cells_end_; at += sizeof(Cell)) {
      if (!check_value(cells_.at(at), at)) return false;
    }
    return true;
  }

  // Only padding to a multiple of 16 bytes may follow the last payload.
  bool check_rest() noexcept {
    if (body_.size() - payload_end_ >= Block::alignment) return fail("bytes after the last value", payload_end_);
    return check_zeros(payload_end_, body_.size());
  }

  // Each mark must be used, so that equal values have equal bodies.
  bool check_marks() noexcept {
    if (marks_ == targets_) return true;
    std::uint64_t at = 0;
    while (!is_marked(cells_.at(at)) || targeted_.test(at)) at += sizeof(Cell);
    return fail("repeat mark without a back-reference", at);
  }

  static bool is_marked(const Cell& cell) noexcept {
    return (cell.has_payload() || cell.has_elements()) && cell.is_repeated();
  }

  bool check_mark(const Cell& cell, std::uint64_t at) noexcept {
    if (cell.short_length() > 1) return fail("unknown mark", at);
    if (cell.is_repeated() && cell.word == 0) return fail("empty tuple is marked as repeated", at);
    marks_ += cell.is_repeated();
    return true;
  }

  bool check_value(const Cell& cell, std::uint64_t at) noexcept {
    switch (cell.tag()) {
      case Tag::none:
      case Tag::false_:
      case Tag::true_:
      case Tag::ellipsis:
      case Tag::index: return cell.word == 0 ? check_plain(cell, at) : fail("value without content has a word", at);
      case Tag::integer:
      case Tag::real: return check_plain(cell, at);
      case Tag::short_ascii:
      case Tag::short_latin1:
      case Tag::short_ucs2:
      case Tag::short_ucs4: return check_short_text(cell, at);
      case Tag::short_bytes: return check_short(cell, 1, at);
      case Tag::ascii:
      case Tag::latin1:
      case Tag::ucs2:
      case Tag::ucs4: return check_text(cell, at);
      case Tag::bytes: return check_payload(cell, 1, 0, at);
      case Tag::big_int: return check_big_int(cell, at);
      case Tag::tuple:
      case Tag::list:
      case Tag::dict:
      case Tag::frozendict:
      case Tag::set:
      case Tag::frozenset:
      case Tag::range:
      case Tag::slice:
      case Tag::complex:
      case Tag::bytearray:
      case Tag::array:
      case Tag::record: return true;  // checked by check_containers
      case Tag::repeat: return check_repeat(cell, at);
      case Tag::queue:
      case Tag::shared:
      case Tag::reference:
      case Tag::window:
      case Tag::block:
      case Tag::shared_block: return fail("value cannot leave its process", at);
      case Tag::empty: return fail("cell has no value", at);
    }
    return fail("unknown tag", at);
  }

  bool check_plain(const Cell& cell, std::uint64_t at) noexcept {
    return cell.head >> 8 == 0 || fail("reserved byte is not zero", at);
  }

  bool check_short(const Cell& cell, unsigned width, std::uint64_t at) noexcept {
    if (!fits_short(cell.short_length(), width)) return fail("short value exceeds its cell", at);
    return check_zeros(at + short_at + cell.short_length() * width, at + sizeof(Cell));
  }

  bool check_short_text(const Cell& cell, std::uint64_t at) noexcept {
    const TextKind kind = text_kind(cell.tag());
    return check_short(cell, text_width(kind), at) && check_points(kind, at + short_at, cell.short_length(), at);
  }

  bool check_text(const Cell& cell, std::uint64_t at) noexcept {
    const TextKind kind = text_kind(cell.tag());
    return check_payload(cell, text_width(kind), text_width(kind), at) &&
           check_points(kind, cell.word, cell.length(), at);
  }

  bool check_points(TextKind kind, std::uint64_t from, std::uint64_t length, std::uint64_t at) noexcept {
    const std::uint32_t highest = highest_code_point(kind, &body_[from], length);
    if (highest > max_code_point) return fail("code point exceeds U+10FFFF", at);
    return narrowest_kind(highest) == kind || fail("text is not in its narrowest form", at);
  }

  bool check_big_int(const Cell& cell, std::uint64_t at) noexcept {
    constexpr std::uint64_t limb = BlockBuilder::payload_alignment;
    if (cell.length() < 2 * limb || cell.length() % limb != 0) return fail("int has an invalid length", at);
    if (!check_payload(cell, 1, 0, at)) return false;
    const auto limb_at = [&](std::uint64_t offset) noexcept {
      std::int64_t value;
      std::memcpy(&value, &body_[offset], sizeof value);
      return value;
    };
    // The last limb must differ from the sign extension of the one before it.
    const std::uint64_t last = cell.word + cell.length() - limb;
    return limb_at(last) != limb_at(last - limb) >> 63 || fail("int is not in its shortest form", at);
  }

  // The payload must be next in order, followed by `extra` zero bytes and padding.
  bool check_payload(const Cell& cell, unsigned width, unsigned extra, std::uint64_t at) noexcept {
    if (fits_short(cell.length(), width)) return fail("value fits in a cell but has a payload", at);
    if (cell.word != payload_end_) return fail("payload is not next in order", at);
    if (!check_mark(cell, at)) return false;
    const std::uint64_t bytes = cell.length() * width;  // at most 50 bits
    const std::uint64_t whole = align_up(bytes + extra, BlockBuilder::payload_alignment);
    if (whole > body_.size() - payload_end_) return fail("payload is longer than the remaining body", at);
    const std::uint64_t begin = payload_end_;
    payload_end_ += whole;
    return check_zeros(begin + bytes, payload_end_);
  }

  bool check_repeat(const Cell& cell, std::uint64_t at) noexcept {
    if (cell.head >> 8 != 0) return fail("reserved byte is not zero", at);
    if (cell.word >= at || cell.word % sizeof(Cell) != 0)
      return fail("back-reference does not point to an earlier cell", at);
    const Cell first = cells_.at(cell.word);
    if (!is_marked(first)) return fail("back-reference to a cell that is not marked as repeated", at);
    if (targeted_.test(cell.word)) return true;
    ++targets_;
    in_memory_ = targeted_.set(cell.word);
    return in_memory_;
  }

  bool check_zeros(std::uint64_t from, std::uint64_t to) noexcept {
    for (; from < to; ++from) {
      if (body_[from] != std::byte{0}) return fail("padding is not zero", from);
    }
    return true;
  }

  bool fail(const char* what, std::uint64_t offset) noexcept {
    error_ = {what, offset};
    return false;
  }

  static constexpr std::uint64_t short_at = sizeof(Cell) - short_payload;

  const std::span<const std::byte> body_;
  const BodyCells cells_;
  VerifyError& error_;
  std::uint64_t cells_end_ = 0;    // a multiple of 16, up to body_.size()
  std::uint64_t payload_end_ = 0;  // a multiple of 8, up to body_.size()
  std::uint64_t marks_ = 0;
  std::uint64_t targets_ = 0;  // marked cells with a back-reference
  CellBits targeted_;          // these cells
  bool in_memory_ = true;
};

}  // namespace

Status verify(std::span<const std::byte> body, VerifyError& error, BodySizes& sizes) noexcept {
  return Verifier(body, error).run(sizes);
}

}  // namespace xichan::internal

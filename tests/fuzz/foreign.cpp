// Bodies and dumps from elsewhere. After `verify` says ok, everything that BlockReader hands out lies in the body: each
// byte is read, so that AddressSanitizer sees it, too.
#include <cstring>
#include <string_view>

#include "base/worklist.h"
#include "targets.h"
#include "value/block_builder.h"
#include "value/block_reader.h"
#include "value/dump.h"
#include "value/index.h"
#include "value/message.h"
#include "value/text.h"

namespace xichan::fuzz {

using namespace internal;
namespace {

class Walk {
 public:
  explicit Walk(const Block* block) : block_(block), reader_(block) {}

  void run() {
    visit(reader_.root());
    std::uint64_t cells = 1;
    while (!containers_.empty()) {
      for (const Cell& cell : containers_.pop()) {
        visit(cell);
        ++cells;
      }
    }
    XICHAN_FUZZ_REQUIRE(cells * sizeof(Cell) <= block_->body_bytes());  // none is met twice
  }

 private:
  void visit(const Cell& item) {
    inside(&item, sizeof item);
    const CellRef place = resolve(reader_, item);
    const Cell& cell = *place.cell;
    inside(&cell, sizeof cell);
    XICHAN_FUZZ_REQUIRE(place.reader.block() == block_);
    switch (cell.tag()) {
      case Tag::none:
      case Tag::false_:
      case Tag::true_:
      case Tag::integer:
      case Tag::real: return;
      case Tag::short_ascii:
      case Tag::short_latin1:
      case Tag::short_ucs2:
      case Tag::short_ucs4: return text(cell, cell.payload(), cell.short_length());
      case Tag::short_bytes: return inside(cell.payload(), cell.short_length());
      case Tag::ascii:
      case Tag::latin1:
      case Tag::ucs2:
      case Tag::ucs4: return text(cell, reader_.payload(cell), cell.length());
      case Tag::bytes:
      case Tag::big_int: return inside(reader_.payload(cell), cell.length());
      case Tag::ellipsis: return;
      case Tag::index: return inside(reader_.payload(cell), cell.length() * sizeof(std::uint32_t));
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
      case Tag::record: {
        if (item.tag() == Tag::repeat) return;
        const auto elements = reader_.elements(cell);
        inside(elements.data(), elements.size_bytes());
        if (cell.is_hashed()) find_keys(cell, elements);
        XICHAN_FUZZ_REQUIRE(containers_.push(elements));
        return;
      }
      default: __builtin_trap();
    }
  }

  // Every key that compares by its content and equals itself is found.
  void find_keys(const Cell& cell, std::span<const Cell> elements) {
    for (std::uint64_t i = 0; i < cell.entries(); ++i) {
      const Cell& key = elements[i * cell.entry_cells()];
      std::uint64_t hash, found;
      if (!hash_key(reader_, key, hash)) continue;
      const Lookup lookup = find_entry(reader_, cell, reader_, key, found);
      const bool no_table = cell.is_indexed() && elements.back().length() == 0;
      const Lookup expected = !equal_keys(reader_, key, reader_, key) ? Lookup::missing
                              : no_table                              ? Lookup::unknown
                                                                      : Lookup::found;
      XICHAN_FUZZ_REQUIRE(lookup == expected);
    }
  }

  void text(const Cell& cell, const void* data, std::uint64_t length) {
    const TextKind kind = text_kind(cell.tag());
    inside(data, length * text_width(kind));
    const std::uint32_t highest = highest_code_point(kind, data, length);
    XICHAN_FUZZ_REQUIRE(highest <= max_code_point && narrowest_kind(highest) == kind);
    if (cell.has_payload()) {
      inside(data, (length + 1) * text_width(kind));
      XICHAN_FUZZ_REQUIRE(load_code_point(kind, data, length) == 0);
    }
  }

  // Reads what is there, and requires that it is in the body.
  void inside(const void* data, std::uint64_t bytes) {
    const auto at = static_cast<std::uint64_t>(static_cast<const std::byte*>(data) - block_->body());
    XICHAN_FUZZ_REQUIRE(at <= block_->body_bytes() && bytes <= block_->body_bytes() - at);
    volatile unsigned sum = 0;
    for (std::uint64_t i = 0; i < bytes; ++i) sum = sum + static_cast<const unsigned char*>(data)[i];
  }

  const Block* block_;
  BlockReader reader_;
  Worklist<std::span<const Cell>> containers_;
};

bool is_valid(std::span<const std::byte> body) {
  VerifyError flaw;
  BodySizes sizes;
  const bool valid = verify(body, flaw, sizes) == Status::ok;
  XICHAN_FUZZ_REQUIRE(valid || (flaw.what != nullptr && flaw.offset <= body.size()));
  return valid;
}

// Written out again as the one element of a tuple, the value has the same body, one cell further, except for marks that
// nothing needed.
void check_written_again(const Cell& message, std::uint64_t bytes) {
  BlockBuilder builder;
  builder.count_tuple(1);
  builder.count_reference();
  if (builder.allocate() != Status::ok) return;
  retain(message);
  builder.write_reference(builder.write_tuple(builder.root(), 1)[0], {&block_reference, message.as_block()});
  const Cell wrapped = builder.finish();
  Cell flat;
  UnportableValue stay;
  XICHAN_FUZZ_REQUIRE(flatten(wrapped, flat, stay) == Status::ok);
  const auto body = dump_body(flat);
  XICHAN_FUZZ_REQUIRE(is_valid(body));
  XICHAN_FUZZ_REQUIRE(body.size() == bytes + sizeof(Cell));
  release(flat);
  release(wrapped);
}

// `valid` as far as verify() checks: equal keys are found while loading.
void check_dump(std::span<const std::byte> dump, bool valid) {
  Cell cell;
  VerifyError flaw;
  const Status status = load(dump, cell, flaw);
  XICHAN_FUZZ_REQUIRE(valid || status != Status::ok);
  if (status != Status::ok) {
    XICHAN_FUZZ_REQUIRE(status == Status::invalid && flaw.what != nullptr && flaw.offset <= dump.size());
    XICHAN_FUZZ_REQUIRE(!valid || std::string_view(flaw.what).starts_with("two keys"));
    return;
  }
  if (cell.owns_block()) {
    XICHAN_FUZZ_REQUIRE(cell.as_block()->body_bytes() >= dump.size() - sizeof(DumpHeader));
    Walk(cell.as_block()).run();
    check_written_again(cell, dump.size() - sizeof(DumpHeader));
  }
  release(cell);
}

}  // namespace

void check_foreign(std::span<const std::byte> data) {
  // As a body, behind a header that fits it.
  const DumpHeader header = dump_header(data.size());
  std::vector<std::byte> dump(sizeof header + data.size());
  std::memcpy(dump.data(), &header, sizeof header);
  if (!data.empty()) std::memcpy(dump.data() + sizeof header, data.data(), data.size());
  check_dump(dump, is_valid(data));
  // As a dump, header and all.
  const bool has_header = data.size() >= sizeof header && std::memcmp(data.data(), &header, 8) == 0;
  std::uint64_t length = 0;
  if (has_header) std::memcpy(&length, data.data() + 8, sizeof length);
  const bool fits = has_header && length == data.size() - sizeof header;
  check_dump(data, fits && is_valid(data.subspan(sizeof header)));
}

}  // namespace xichan::fuzz

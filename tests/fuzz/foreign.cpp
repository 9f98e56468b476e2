// Bodies and dumps from elsewhere. After `verify` says ok, everything that BlockReader hands out lies in the body: each
// byte is read, so that AddressSanitizer sees it, too.
#include <cstring>

#include "base/worklist.h"
#include "targets.h"
#include "value/block_builder.h"
#include "value/block_reader.h"
#include "value/dump.h"
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
    while (!tuples_.empty()) {
      for (const Cell& cell : tuples_.pop()) {
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
      case Tag::tuple: {
        const auto elements = reader_.elements(cell);
        if (!elements.empty()) XICHAN_FUZZ_REQUIRE(tuples_.push(elements));
        return;
      }
      default: __builtin_trap();
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
  Worklist<std::span<const Cell>> tuples_;
};

bool is_valid(std::span<const std::byte> body) {
  VerifyError flaw;
  const bool valid = verify(body, flaw) == Status::ok;
  XICHAN_FUZZ_REQUIRE(valid || (flaw.what != nullptr && flaw.offset <= body.size()));
  return valid;
}

// Written out again as the one element of a tuple, the value has the same body, one cell further, except for marks that
// nothing needed.
void check_written_again(const Cell& message) {
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
  XICHAN_FUZZ_REQUIRE(body.size() == message.as_block()->body_bytes() + sizeof(Cell));
  release(flat);
  release(wrapped);
}

void check_dump(std::span<const std::byte> dump, bool valid) {
  Cell cell;
  VerifyError flaw;
  const Status status = load(dump, cell, flaw);
  XICHAN_FUZZ_REQUIRE((status == Status::ok) == valid);
  if (status != Status::ok) {
    XICHAN_FUZZ_REQUIRE(status == Status::invalid && flaw.what != nullptr && flaw.offset <= dump.size());
    return;
  }
  if (cell.owns_block()) {
    XICHAN_FUZZ_REQUIRE(cell.as_block()->body_bytes() == dump.size() - sizeof(DumpHeader));
    Walk(cell.as_block()).run();
    check_written_again(cell);
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

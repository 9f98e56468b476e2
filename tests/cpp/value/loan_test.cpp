// Values that show lent objects are read, compared, indexed and dumped as if the objects had been copied.
#include <cstring>
#include <string>

#include "arena/lender.h"
#include "arena/lent_bytes.h"
#include "support/support.h"
#include "value/block_builder.h"
#include "value/block_reader.h"
#include "value/dump.h"
#include "value/message.h"
#include "value/value_access.h"
#include "value/verify.h"
#include "xichan/containers.h"

namespace xichan::internal {
namespace {

int references = 0;
void drop(void*) noexcept { --references; }
bool has_only(void*, std::uint64_t) noexcept { return false; }
void free_orphan(void*) noexcept { FAIL(); }

const std::string content(LentBytes::smallest, 'c');
const std::u16string text(LentBytes::smallest, u'\u20ac');

class LoanValue : public test::ArenaTest {
 protected:
  Lender* const lender = Lender::create({drop, has_only, free_orphan});

  void TearDown() override {
    lender->close();
    EXPECT_EQ(references, 0);
    ArenaTest::TearDown();
  }

  // Writes a lent object, or a copy of it.
  void write(BlockBuilder& builder, Cell& cell, Tag tag, const void* data, std::uint64_t length, std::uint64_t bytes,
             bool lent) {
    if (lent) {
      Loan* const loan = lender->lend(const_cast<void*>(data), bytes);
      ASSERT_NE(loan, nullptr);
      ++references;
      builder.write_loan(cell, tag, length, data, bytes, Lender::place(loan));
    } else if (tag == Tag::bytes) {
      builder.write_bytes(cell, data, length);
    } else {
      builder.write_text(cell, text_kind(tag), data, length);
    }
  }

  // (bytes, {text: 1, 0: 2, ..., 39: 2}, the bytes again)
  Value tuple(bool lent) {
    constexpr std::uint64_t entries = 41;
    BlockBuilder builder;
    builder.count_tuple(3);
    builder.count_hashed(entries, 2);
    if (lent) {
      builder.count_reference();
      builder.count_reference();
    } else {
      builder.count_bytes(content.size());
      builder.count_text(TextKind::ucs2, text.size());
    }
    EXPECT_EQ(builder.allocate(), Status::ok);
    Cell* const cells = builder.write_tuple(builder.root(), 3);
    write(builder, cells[0], Tag::bytes, content.data(), content.size(), content.size(), lent);
    Cell* const dict = builder.write_hashed(cells[1], entries, Tag::dict);
    write(builder, dict[0], Tag::ucs2, text.data(), text.size(), 2 * text.size(), lent);
    dict[1] = Cell::integer(1);
    for (unsigned i = 1; i < entries; ++i) dict[2 * i] = Cell::integer(i), dict[2 * i + 1] = Cell::integer(2);
    builder.write_repeat(cells[2], cells[0]);
    builder.write_index(cells[1]);
    Value value;
    ValueAccess::adopt(value, builder.finish());
    return value;
  }
};

std::vector<std::byte> dumped(const Value& value) {
  Dump dump;
  EXPECT_EQ(value.dump(dump), Status::ok);
  std::vector<std::byte> data(dump.size());
  dump.write(data.data());
  return data;
}

TEST_F(LoanValue, PayloadIsTheObjectItself) {
  const Value value = tuple(true);
  EXPECT_EQ(references, 2);
  const ValueView view = value.view();
  EXPECT_EQ(static_cast<const void*>(view[0].as_bytes().data()), content.data());
  EXPECT_EQ(view[0].as_bytes().size(), content.size());
  EXPECT_EQ(view[2].as_bytes().data(), view[0].as_bytes().data());
  const Cell& cell = ValueAccess::cell(value);
  EXPECT_EQ(cell.as_block()->lent_bytes(), content.size() + 2 * text.size());
  EXPECT_EQ(cost_of(cell), cell.as_block()->total_bytes() + content.size() + 2 * text.size());
  EXPECT_LT(cell.as_block()->total_bytes(), 4096u);
}

TEST_F(LoanValue, EqualsItsCopyAndFindsKeys) {
  const Value lent = tuple(true), again = tuple(true), copied = tuple(false);
  EXPECT_TRUE(lent.view() == again.view());
  EXPECT_TRUE(lent.view() == copied.view());
  EXPECT_TRUE(copied.view() == lent.view());
  const DictView in_lent{lent.view()[1]}, in_copied{copied.view()[1]};
  ASSERT_TRUE(in_lent.find(in_copied.entry(0).key).has_value());
  ASSERT_TRUE(in_copied.find(in_lent.entry(0).key).has_value());
}

TEST_F(LoanValue, DumpHasTheContent) {
  const Value lent = tuple(true), copied = tuple(false);
  const std::vector<std::byte> data = dumped(lent);
  EXPECT_EQ(data, dumped(copied));
  Value loaded;
  ASSERT_EQ(Value::load(data, loaded), Status::ok);
  EXPECT_EQ(ValueAccess::cell(loaded).as_block()->lent_bytes(), 0u);
  EXPECT_TRUE(loaded.view() == lent.view());
}

TEST_F(LoanValue, PartOutlivesItsMessage) {
  Value lent = tuple(true);
  Value part;
  ASSERT_EQ(lent.view()[0].to_value(part), Status::ok);
  lent = Value();
  EXPECT_EQ(part.view().as_bytes().size(), content.size());
  EXPECT_EQ(static_cast<const void*>(part.view().as_bytes().data()), content.data());
  EXPECT_EQ(dumped(part).size(), sizeof(DumpHeader) + sizeof(Cell) + content.size());
  lender->drain();
  EXPECT_EQ(references, 2);
}

// The body of a block with loans is none of those that may come from outside.
TEST_F(LoanValue, BodyIsRefusedFromOutside) {
  const Value value = tuple(true);
  const Block* const block = ValueAccess::cell(value).as_block();
  const std::span<const std::byte> body(block->body(), block->body_bytes());
  VerifyError error;
  BodySizes sizes;
  EXPECT_EQ(verify(body, error, sizes), Status::invalid);
}

}  // namespace
}  // namespace xichan::internal

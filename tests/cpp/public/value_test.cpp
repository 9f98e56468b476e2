// Values in C++: construction, reading in place, sharing, UTF-8 and dumps.
#include <bit>
#include <limits>
#include <string>

#include "public/public_support.h"

namespace xichan {
namespace {

using PublicValue = test::ArenaTest;
using namespace std::string_literals;

std::span<const std::byte> as_bytes(const std::string& data) { return std::as_bytes(std::span(data)); }

Value text(const std::string& utf8) {
  Value value;
  EXPECT_EQ(Value::text(utf8, value), Status::ok) << utf8;
  return value;
}

Value tuple(std::span<const Value> items) {
  Value value;
  EXPECT_EQ(Value::tuple(items, value), Status::ok);
  return value;
}

TEST_F(PublicValue, ScalarsRoundTrip) {
  EXPECT_EQ(view_of(Value()).kind(), ValueKind::none);
  EXPECT_TRUE(view_of(Value::of(true)).as_bool());
  EXPECT_FALSE(view_of(Value::of(false)).as_bool());
  EXPECT_EQ(view_of(Value::of(false)).kind(), ValueKind::boolean);
  EXPECT_EQ(view_of(Value::of(INT64_MIN)).as_integer(), INT64_MIN);
  EXPECT_EQ(view_of(Value::of(UINT32_MAX)).as_integer(), std::int64_t{UINT32_MAX});
  EXPECT_EQ(view_of(Value::of(static_cast<signed char>(-1))).as_integer(), -1);
  EXPECT_EQ(view_of(Value::of(7)).kind(), ValueKind::integer);
  EXPECT_EQ(std::bit_cast<std::uint64_t>(view_of(Value::of(-0.0)).as_real()), std::uint64_t{1} << 63);
  EXPECT_EQ(view_of(Value::of(1.5)).kind(), ValueKind::real);
}

TEST_F(PublicValue, AccessorOfOtherKindReturnsZero) {
  const Value values[] = {Value(),        Value::of(true), Value::of(3),
                          Value::of(2.5), text("short"),   text(std::string(99, 'x'))};
  for (const Value& value : values) {
    const ValueView view = value.view();
    if (view.kind() != ValueKind::boolean) {
      EXPECT_FALSE(view.as_bool());
    }
    if (view.kind() != ValueKind::integer) {
      EXPECT_EQ(view.as_integer(), 0);
    }
    if (view.kind() != ValueKind::real) {
      EXPECT_EQ(view.as_real(), 0);
    }
    EXPECT_TRUE(view.as_bytes().empty());
    if (view.kind() != ValueKind::text) {
      EXPECT_EQ(view.size(), 0u);
      EXPECT_EQ(view.utf8(), "");
    }
  }
}

TEST_F(PublicValue, TextOfEveryWidthAndLengthRoundTrips) {
  for (const std::string& point : {"a"s, "\0"s, "\x7f"s, "\u0080"s, "\u00ff"s, "\u0100"s, "\u20ac"s, "\uffff"s,
                                   "\U00010000"s, "\U0010ffff"s, "\xed\xa0\x80"s, "\xed\xbf\xbf"s}) {
    std::string utf8;
    for (std::size_t length = 0; length < 40; ++length, utf8 += point) {
      const Value value = text(utf8);
      EXPECT_EQ(value.view().kind(), ValueKind::text);
      EXPECT_EQ(value.view().size(), length);
      EXPECT_EQ(value.view().utf8_size(), utf8.size());
      EXPECT_EQ(value.view().utf8(), utf8);
    }
  }
  const std::string mixed = "na\u00efve \u20ac \U0001f600 \0 end"s;
  EXPECT_EQ(view_of(text(mixed)).utf8(), mixed);
}

TEST_F(PublicValue, EveryCodePointRoundTrips) {
  for (char32_t point = 0; point <= 0x10ffff; point += point < 0x11000 ? 1 : 37) {
    std::string utf8;
    const auto put = [&](unsigned bits) { utf8 += static_cast<char>(bits); };
    if (point < 0x80) {
      put(point);
    } else if (point < 0x800) {
      put(0xc0 | point >> 6), put(0x80 | (point & 63));
    } else if (point < 0x10000) {
      put(0xe0 | point >> 12), put(0x80 | (point >> 6 & 63)), put(0x80 | (point & 63));
    } else {
      put(0xf0 | point >> 18), put(0x80 | (point >> 12 & 63)), put(0x80 | (point >> 6 & 63)), put(0x80 | (point & 63));
    }
    const Value value = text(utf8);
    ASSERT_EQ(value.view().size(), 1u) << static_cast<unsigned>(point);
    ASSERT_EQ(value.view().utf8(), utf8) << static_cast<unsigned>(point);
  }
}

TEST_F(PublicValue, MalformedUtf8IsRefused) {
  for (const std::string& bad : {"\x80"s,
                                 "\xbf"s,
                                 "\xc0\x80"s,
                                 "\xc1\xbf"s,
                                 "\xc2"s,
                                 "\xc2\x41"s,
                                 "\xc2\xc2"s,
                                 "\xe0\x80\x80"s,
                                 "\xe0\x9f\xbf"s,
                                 "\xe2\x82"s,
                                 "\xe2\x41\x80"s,
                                 "\xe2\x82\x41"s,
                                 "\xf0\x80\x80\x80"s,
                                 "\xf0\x8f\xbf\xbf"s,
                                 "\xf0\x9f\x98"s,
                                 "\xf4\x90\x80\x80"s,
                                 "\xf5\x80\x80\x80"s,
                                 "\xfe"s,
                                 "\xff"s,
                                 "\xf8\x88\x80\x80\x80"s}) {
    for (const std::string& around : {""s, "plain "s, std::string(100, 'x')}) {
      Value out = Value::of(5);
      EXPECT_EQ(Value::text(around + bad + around, out), Status::invalid);
      EXPECT_EQ(Value::text(around + bad, out), Status::invalid);
      EXPECT_EQ(out.view().as_integer(), 5) << "unchanged";
    }
  }
}

TEST_F(PublicValue, BytesOfEveryLengthRoundTrip) {
  for (std::size_t length = 0; length < 40; ++length) {
    const std::string data = std::string(length / 2, '\0') + std::string(length - length / 2, '\xff');
    Value value;
    ASSERT_EQ(Value::bytes(as_bytes(data), value), Status::ok);
    EXPECT_EQ(value.view().kind(), ValueKind::bytes);
    EXPECT_EQ(value.view().size(), length);
    const auto read = value.view().as_bytes();
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(read.data()), read.size()), data);
  }
  Value value;
  EXPECT_EQ(Value::bytes({}, value), Status::ok) << "an empty span may have no address";
  EXPECT_EQ(value.view().size(), 0u);
}

TEST_F(PublicValue, TuplesShareContentOfItems) {
  const std::string big(100'000, 'b');
  Value items[] = {text(big), Value::of(2), Value(), text("x")};
  const std::uint64_t before = new_bytes();
  const Value one = tuple(items);
  const Value two = tuple(std::span(&one, 1));
  EXPECT_LT(new_bytes() - before, 1'000u);
  items[0] = Value();
  const ValueView view = two.view();
  ASSERT_EQ(view.kind(), ValueKind::tuple);
  ASSERT_EQ(view.size(), 1u);
  ASSERT_EQ(view[0].size(), 4u);
  EXPECT_EQ(view[0][0].utf8(), big);
  EXPECT_EQ(view[0][1].as_integer(), 2);
  EXPECT_EQ(view[0][2].kind(), ValueKind::none);
  EXPECT_EQ(view[0][3].utf8(), "x");
}

TEST_F(PublicValue, EmptyTuplesAreValidItems) {
  Value items[] = {tuple({}), tuple({})};
  EXPECT_EQ(items[0].view().kind(), ValueKind::tuple);
  EXPECT_EQ(items[0].view().size(), 0u);
  const Value outer = tuple(items);
  EXPECT_EQ(outer.view()[1].kind(), ValueKind::tuple);
  EXPECT_EQ(outer.view()[1].size(), 0u);
}

TEST_F(PublicValue, OneMillionNestedTuplesNeedNoStack) {
  test::on_small_stack([] {
    const int depth = test::sanitized ? 100'000 : 1'000'000;
    Value value = text("the innermost value of them all");
    for (int i = 0; i < depth; ++i) {
      Value outer;
      ASSERT_EQ(Value::tuple(std::span(&value, 1), outer), Status::ok);
      value = std::move(outer);
    }
    ValueView view = value.view();
    for (int i = 0; i < depth; ++i) view = view[0];
    EXPECT_EQ(view.utf8(), "the innermost value of them all");
  });
}

TEST_F(PublicValue, MovesAndClonesShareOneBlock) {
  Value first = text(std::string(1'000, 'm'));
  Value copy = first.clone();
  EXPECT_EQ(new_blocks(), 1u);
  Value moved = std::move(first);
  EXPECT_EQ(first.view().kind(), ValueKind::none);
  copy = std::move(moved);
  EXPECT_EQ(copy.view().size(), 1'000u);
  Value& self = copy;
  copy = std::move(self);
  EXPECT_EQ(copy.view().size(), 1'000u);
  copy = Value();
  EXPECT_EQ(new_blocks(), 0u);
}

TEST_F(PublicValue, OutOfMemoryLeavesOutputUnchanged) {
  Value out = Value::of(5);
  const Value item = text(std::string(100, 'i'));
  set_memory_limit(memory_stats().bytes);
  EXPECT_EQ(Value::text(std::string(100, 'x'), out), Status::arena_full);
  EXPECT_EQ(Value::bytes(as_bytes(std::string(100, 'x')), out), Status::arena_full);
  EXPECT_EQ(Value::tuple(std::span(&item, 1), out), Status::arena_full);
  EXPECT_EQ(Value::text("short", out), Status::ok) << "a short text needs no memory";
  set_memory_limit(UINT64_MAX);
  EXPECT_EQ(out.view().utf8(), "short");
}

std::string dumped(const Value& value) {
  Dump dump;
  EXPECT_EQ(value.dump(dump), Status::ok);
  std::string data(dump.size(), '\0');
  dump.write(reinterpret_cast<std::byte*>(data.data()));
  return data;
}

TEST_F(PublicValue, DumpAndLoadRoundTrip) {
  const Value items[] = {text("a text that needs a block"), Value::of(1.5), Value(), text("short")};
  const Value inner = tuple(items);
  const Value twice[] = {inner.clone(), inner.clone()};
  const std::string data = dumped(tuple(twice));
  EXPECT_EQ(data.substr(0, 4), "\x89XCH");
  Value back;
  ASSERT_EQ(Value::load(as_bytes(data), back), Status::ok);
  ASSERT_EQ(back.view().size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(back.view()[i].size(), 4u);
    EXPECT_EQ(back.view()[i][0].utf8(), "a text that needs a block");
    EXPECT_EQ(back.view()[i][1].as_real(), 1.5);
    EXPECT_EQ(back.view()[i][3].utf8(), "short");
  }
  EXPECT_EQ(dumped(back), data);
  EXPECT_EQ(data.find("needs a block"), data.rfind("needs a block")) << "stored once";
}

TEST_F(PublicValue, DumpOfSmallValueIsTwoCells) {
  EXPECT_EQ(dumped(Value()).size(), 32u);
  EXPECT_EQ(Dump().size(), 32u);
  Value back;
  ASSERT_EQ(Value::load(as_bytes(dumped(text("short"))), back), Status::ok);
  EXPECT_EQ(back.view().utf8(), "short");
}

TEST_F(PublicValue, InvalidDumpLeavesOutputUnchanged) {
  const std::string data = dumped(text("a text that needs a block"));
  Value out = Value::of(5);
  for (std::size_t length = 0; length < data.size(); ++length) {
    EXPECT_EQ(Value::load(as_bytes(data.substr(0, length)), out), Status::invalid);
  }
  EXPECT_EQ(Value::load(as_bytes("some other text, not a dump"), out), Status::invalid);
  set_memory_limit(memory_stats().bytes);
  EXPECT_EQ(Value::load(as_bytes(data), out), Status::arena_full);
  set_memory_limit(UINT64_MAX);
  EXPECT_EQ(out.view().as_integer(), 5);
}

template <class T>
concept HasView = requires(T&& value) { std::forward<T>(value).view(); };
template <class T>
concept IsValue = requires(T value) { Value::of(value); };

static_assert(HasView<Value&> && HasView<const Value&>);
static_assert(!HasView<Value> && !HasView<const Value>, "the view of a temporary would dangle");
static_assert(IsValue<bool> && IsValue<signed char> && IsValue<unsigned char> && IsValue<std::int64_t>);
static_assert(!IsValue<char> && !IsValue<wchar_t> && !IsValue<char8_t> && !IsValue<char16_t> && !IsValue<char32_t>,
              "a character is neither an integer nor text");

TEST_F(PublicValue, CheckedAccessorsReturnValuesOfTheirKindOnly) {
  Value list;
  const auto raw = std::as_bytes(std::span("ab", 2));
  ASSERT_EQ(Value::pack(list, true, 0, 0.0, "", "caf\xc3\xa9", raw, UINT64_MAX, -1), Status::ok);
  const ValueView view = list.view();
  EXPECT_EQ(view[0].get_bool(), true);
  EXPECT_EQ(view[1].get_integer(), 0);
  EXPECT_EQ(view[2].get_real(), 0.0);
  EXPECT_EQ(view[3].get_ascii(), "");
  EXPECT_EQ(view[4].get_ascii(), std::nullopt) << "not ASCII";
  EXPECT_EQ(view[4].get_text(), "caf\xc3\xa9");
  ASSERT_TRUE(view[5].get_bytes());
  EXPECT_EQ(view[5].get_bytes()->size(), 2u);
  EXPECT_EQ(view[6].get_unsigned(), UINT64_MAX);
  EXPECT_EQ(view[6].get_integer(), std::nullopt) << "more than 63 bits";
  EXPECT_EQ(view[1].get_unsigned(), 0u);
  EXPECT_EQ(view[7].get_unsigned(), std::nullopt) << "negative";
  EXPECT_EQ(view.get_item(1)->get_integer(), 0);
  for (const ValueView wrong : {view, view[1], view[3], ValueView()}) {
    EXPECT_FALSE(wrong.get_bool() || wrong.get_real() || wrong.get_bytes());
  }
  EXPECT_FALSE(view.get_integer() || view.get_text() || view.get_ascii() || view.get_unsigned());
  EXPECT_FALSE(view.get_item(8) || view[1].get_item(0));
}

}  // namespace
}  // namespace xichan

// Containers, arrays and records: made, read, compared, dumped and visited.
#include <algorithm>
#include <cmath>
#include <vector>

#include "public/public_support.h"

namespace xichan {
namespace {

class PublicContainers : public test::PublicTest {
 protected:
  template <class... Items>
  static Value list(Items&&... items) {
    const Value values[] = {make(std::forward<Items>(items))..., Value()};
    Value value;
    EXPECT_EQ(Value::list({values, sizeof...(Items)}, value), Status::ok);
    return value;
  }
  template <class... Items>
  static Value set(Items&&... items) {
    const Value values[] = {make(std::forward<Items>(items))..., Value()};
    Value value;
    EXPECT_EQ(Value::set({values, sizeof...(Items)}, value), Status::ok);
    return value;
  }
  static Value dict(std::vector<ValueEntry> entries) {
    Value value;
    EXPECT_EQ(Value::dict(entries, value), Status::ok);
    return value;
  }
  template <class... Parts>
  static std::vector<ValueEntry> entries(Parts&&... parts) {
    Value values[] = {make(std::forward<Parts>(parts))...};
    std::vector<ValueEntry> made;
    for (std::size_t i = 0; i < sizeof...(Parts); i += 2)
      made.push_back({std::move(values[i]), std::move(values[i + 1])});
    return made;
  }
  static Value make(Value&& value) { return std::move(value); }
  static Value make(const Value& value) { return value.clone(); }
  static Value make(const char* utf8) { return text(utf8); }
  template <class T>
  static Value make(T number) {
    return Value::of(number);
  }
  static Value point_type() {
    const std::string_view names[] = {"x", "y", "a name of more than fourteen letters"};
    Value type;
    EXPECT_EQ(Value::record_type("geometry", "Point", names, type), Status::ok);
    return type;
  }
  static Value point(const Value& type, int x, int y) {
    const Value fields[] = {Value::of(x), Value::of(y), text("third")};
    Value value;
    EXPECT_EQ(Value::record(type, fields, value), Status::ok);
    return value;
  }
  static Value array(const std::vector<double>& items) {
    const std::size_t shape[] = {items.size()};
    Value value;
    EXPECT_EQ(Value::array(ArrayType::ndarray, "<f8", shape, std::as_bytes(std::span(items)), value), Status::ok);
    return value;
  }
  static Value byte_array(std::string_view data) {
    Value value;
    EXPECT_EQ(Value::byte_array(std::as_bytes(std::span(data)), value), Status::ok);
    return value;
  }
  static Value range(std::int64_t start, std::int64_t stop, std::int64_t step) {
    Value value;
    EXPECT_EQ(Value::range(start, stop, step, value), Status::ok);
    return value;
  }
  static Value large_dict(int count) {
    std::vector<ValueEntry> made;
    for (int i = 0; i < count; ++i) made.push_back({text("the key with number " + std::to_string(i)), Value::of(i)});
    return dict(std::move(made));
  }
  static Value reloaded(const Value& value) {
    Dump dump;
    EXPECT_EQ(value.dump(dump), Status::ok);
    std::vector<std::byte> data(dump.size());
    dump.write(data.data());
    Value back;
    EXPECT_EQ(Value::load(data, back), Status::ok);
    return back;
  }

  static std::vector<Value> one_of_each() {
    std::vector<Value> all;
    all.push_back(list());
    all.push_back(list(1, "two", list(3)));
    all.push_back(dict({}));
    all.push_back(dict(entries("key", 1, 2.5, list())));
    all.push_back(large_dict(100));
    all.push_back(set(1, "two", tuple(3)));
    all.push_back(Value::ellipsis());
    all.push_back(byte_array("a few bytes of more than a cell"));
    all.push_back(byte_array(""));
    all.push_back(range(1, 10, 2));
    all.push_back(array({1, 2.5}));
    all.push_back(point(point_type(), 1, 2));
    Value value;
    const auto fixed = entries("frozen", 1);
    EXPECT_EQ(Value::frozen_dict(fixed, value), Status::ok);
    all.push_back(std::move(value));
    EXPECT_EQ(Value::frozen_set({}, value), Status::ok);
    all.push_back(std::move(value));
    EXPECT_EQ(Value::slice(Value::of(1), Value(), text("step"), value), Status::ok);
    all.push_back(std::move(value));
    EXPECT_EQ(Value::complex({1, -2}, value), Status::ok);
    all.push_back(std::move(value));
    const Value decimal[] = {text("1.50")};
    EXPECT_EQ(Value::record(Value::of(7), decimal, value), Status::ok);
    all.push_back(std::move(value));
    return all;
  }
};

TEST_F(PublicContainers, EveryContainerSurvivesDump) {
  for (const Value& value : one_of_each()) {
    EXPECT_TRUE(value == reloaded(value));
    const Value nested = list(value, tuple(value, dict(entries("key", value))));
    const Value back = reloaded(nested);
    EXPECT_TRUE(nested == back);
    EXPECT_FALSE(value == nested);
  }
}

TEST_F(PublicContainers, ContainersOfDifferentKindsAreNotEqual) {
  const std::vector<Value> all = one_of_each();
  for (const Value& one : all) {
    for (const Value& other : all) EXPECT_EQ(one == other, &one == &other);
  }
}

TEST_F(PublicContainers, ListIsReadLikeTuple) {
  const Value value = list(1, "two", list(3));
  const ValueView view = value.view();
  EXPECT_EQ(view.kind(), ValueKind::list);
  EXPECT_EQ(view.size(), 3u);
  EXPECT_EQ(view[2][0].as_integer(), 3);
  EXPECT_EQ(view.get_item(0)->as_integer(), 1);
  EXPECT_FALSE(view.get_item(3));
  EXPECT_EQ(std::ranges::count_if(view, [](ValueView item) { return item.kind() == ValueKind::text; }), 1);
}

TEST_F(PublicContainers, DictFindsKeys) {
  const Value value = dict(entries("b", 1, "a", 2, 7, "seven", tuple(1, "x"), 3));
  const DictView view(value.view());
  EXPECT_EQ(value.view().kind(), ValueKind::dict);
  EXPECT_EQ(value.view().size(), 4u);
  EXPECT_EQ(value.view().elements(), 0u);
  EXPECT_EQ(view.size(), 4u);
  EXPECT_FALSE(view.empty());
  EXPECT_EQ(view.find("a")->as_integer(), 2);
  EXPECT_EQ(view.find(7)->as_ascii(), "seven");
  EXPECT_EQ(view.find(view_of(Value::of(7.0)))->as_ascii(), "seven");
  EXPECT_EQ(view.find(view_of(tuple(1, "x")))->as_integer(), 3);
  EXPECT_FALSE(view.find("missing"));
  EXPECT_FALSE(view.find("\xff"));
  EXPECT_TRUE(view.contains("b"));
  EXPECT_FALSE(view.contains(8));
  std::vector<std::int64_t> values;
  for (const auto [key, item] : view) values.push_back(item.as_integer());
  EXPECT_EQ(values, (std::vector<std::int64_t>{1, 2, 0, 3})) << "in the order of the dict";
  EXPECT_EQ(view.entry(4).key.kind(), ValueKind::none);
  const DictView other(view_of(list(1)));
  EXPECT_EQ(other.size(), 0u);
  EXPECT_FALSE(other.find(1));
  EXPECT_EQ(other.begin(), other.end());
}

TEST_F(PublicContainers, LargeDictFindsKeys) {
  const Value value = large_dict(1000);
  for (const Value& dict : {value.clone(), reloaded(value)}) {
    const DictView view(dict.view());
    for (int i = 0; i < 1000; ++i) {
      ASSERT_EQ(view.find("the key with number " + std::to_string(i))->as_integer(), i);
    }
    EXPECT_FALSE(view.find("the key with number 1000"));
  }
}

TEST_F(PublicContainers, KeysThatAreValuesAreFound) {
  const Value type = point_type();
  const Value value = dict(entries(point(type, 1, 2), "a", point(type, 3, 4), "b", 5, "c"));
  const DictView view(value.view());
  EXPECT_EQ(view.find(view_of(point(type, 3, 4)))->as_ascii(), "b");
  EXPECT_EQ(view.find(5)->as_ascii(), "c");
  EXPECT_EQ(view.find(view_of(Value::of(5.0)))->as_ascii(), "c");
  EXPECT_FALSE(view.find(view_of(point(type, 3, 5))));
  EXPECT_FALSE(view.find(6));
}

TEST_F(PublicContainers, SetFindsElements) {
  const Value value = set(1, "two", tuple(3));
  const SetView view(value.view());
  EXPECT_EQ(view.size(), 3u);
  EXPECT_FALSE(view.empty());
  EXPECT_TRUE(view.contains("two"));
  EXPECT_TRUE(view.contains(view_of(Value::of(1))));
  EXPECT_TRUE(view.contains(view_of(tuple(3))));
  EXPECT_FALSE(view.contains("three"));
  EXPECT_FALSE(view.contains("\xff"));
  EXPECT_EQ(std::distance(view.begin(), view.end()), 3);
  EXPECT_EQ(value.view().elements(), 3u);
  EXPECT_TRUE(SetView(view_of(list(1))).empty());
  EXPECT_FALSE(SetView(view_of(list(1))).contains(view_of(Value::of(1))));
}

TEST_F(PublicContainers, InvalidKeysAreRefused) {
  const auto refused = [](Value key, Value other = Value::ellipsis()) {
    const std::vector<ValueEntry> made = entries(key, 1, other, 2);
    Value value = text("unchanged");
    EXPECT_EQ(Value::dict(made, value), Status::invalid);
    EXPECT_EQ(Value::frozen_dict(made, value), Status::invalid);
    const Value items[] = {std::move(key), std::move(other)};
    EXPECT_EQ(Value::set(items, value), Status::invalid);
    EXPECT_EQ(Value::frozen_set(items, value), Status::invalid);
    EXPECT_EQ(value.view().as_ascii(), "unchanged");
  };
  refused(list());
  refused(dict({}));
  refused(set());
  refused(byte_array("x"));
  refused(array({1}));
  refused(tuple(1, tuple(list())));
  Value frozen;
  const auto of_list = entries(1, list());
  EXPECT_EQ(Value::frozen_dict(of_list, frozen), Status::ok);
  refused(std::move(frozen));
  refused(text("equal"), text("equal"));
  refused(Value::of(1), Value::of(1.0));
  std::vector<Value> many;
  for (int i = 0; i < 50; ++i) many.push_back(Value::of(i));
  many.push_back(Value::of(25));
  Value value;
  EXPECT_EQ(Value::set(many, value), Status::invalid);
  many.back() = tuple(tuple());
  EXPECT_EQ(Value::set(many, value), Status::ok) << "without an index";
  const Value shared = tuple(1);
  const Value twice = tuple(shared, shared);
  EXPECT_EQ(Value::set({&twice, 1}, value), Status::ok);
  Value scalar;
  EXPECT_EQ(Value::array(ArrayType::scalar, "<i4", {}, std::as_bytes(std::span("123", 4)), scalar), Status::ok);
  EXPECT_EQ(Value::set({&scalar, 1}, value), Status::ok);
}

TEST_F(PublicContainers, OrderOfKeysDoesNotMatter) {
  EXPECT_TRUE(dict(entries("a", 1, "b", 2)) == dict(entries("b", 2, "a", 1)));
  EXPECT_FALSE(dict(entries("a", 1, "b", 2)) == dict(entries("b", 1, "a", 2)));
  EXPECT_FALSE(dict(entries("a", 1, "b", 2)) == dict(entries("a", 1, "c", 2)));
  EXPECT_FALSE(dict(entries("a", 1)) == dict(entries("a", 1, "b", 2)));
  EXPECT_TRUE(set(1, 2, "x") == set("x", 2, 1));
  EXPECT_FALSE(set(1, 2) == set(1, 3));
  EXPECT_TRUE(list(dict(entries("a", list(1), "b", 2))) == list(dict(entries("b", 2, "a", list(1)))));
  const Value type = point_type();
  EXPECT_TRUE(set(point(type, 1, 2), point(type, 3, 4)) == set(point(type, 3, 4), point(type, 1, 2)));
  EXPECT_FALSE(set(point(type, 1, 2), point(type, 3, 4)) == set(point(type, 3, 4), point(type, 1, 3)));
  const auto nest = [](Value inner, int depth) {
    for (int i = 0; i < depth; ++i) {
      Value outer;
      EXPECT_EQ(Value::frozen_set({&inner, 1}, outer), Status::ok);
      inner = std::move(outer);
    }
    return inner;
  };
  EXPECT_TRUE(nest(point(type, 1, 2), 6) == nest(point(type, 1, 2), 6)) << "keys within keys";
  EXPECT_FALSE(nest(point(type, 1, 2), 6) == nest(point(type, 1, 3), 6));
}

TEST_F(PublicContainers, RecordHasNamesAndFields) {
  const Value value = point(point_type(), 1, 2);
  const RecordView view(value.view());
  EXPECT_EQ(value.view().kind(), ValueKind::record);
  EXPECT_EQ(view.standard_type(), 0);
  EXPECT_EQ(view.module().as_ascii(), "geometry");
  EXPECT_EQ(view.name().as_ascii(), "Point");
  EXPECT_EQ(view.form().as_ascii(), "fields");
  EXPECT_EQ(view.size(), 3u);
  EXPECT_EQ(value.view().size(), 3u);
  EXPECT_EQ(view[1].as_integer(), 2);
  EXPECT_EQ(value.view()[1].as_integer(), 2);
  EXPECT_EQ(view[3].kind(), ValueKind::none);
  EXPECT_EQ(view.field_name(0).as_ascii(), "x");
  EXPECT_EQ(view.find("y")->as_integer(), 2);
  EXPECT_EQ(view.find("a name of more than fourteen letters")->as_ascii(), "third");
  EXPECT_FALSE(view.find("z"));
  EXPECT_FALSE(view.find("\xff"));
  const RecordView other(view_of(list(1)));
  EXPECT_EQ(other.size(), 0u);
  EXPECT_EQ(other.standard_type(), 0);
  EXPECT_EQ(other.module().kind(), ValueKind::none);
  EXPECT_FALSE(other.find("x"));
}

TEST_F(PublicContainers, RecordsMustHaveTheFieldsOfTheirType) {
  Value value;
  const Value fields[] = {text("1.50"), Value()};
  const std::span<const Value> one(fields, 1);
  EXPECT_EQ(Value::record(Value::of(7), one, value), Status::ok);
  EXPECT_EQ(RecordView(value.view()).standard_type(), 7);
  EXPECT_FALSE(RecordView(value.view()).find("x"));
  EXPECT_EQ(Value::record(Value::of(7), fields, value), Status::invalid);
  EXPECT_EQ(Value::record(Value::of(8), one, value), Status::invalid);
  EXPECT_EQ(Value::record(Value::of(0), one, value), Status::invalid);
  EXPECT_EQ(Value::record(Value(), one, value), Status::invalid);
  EXPECT_EQ(Value::record(point_type(), fields, value), Status::invalid);
  EXPECT_EQ(Value::record(tuple(1, 2, 3, 4), one, value), Status::invalid);
  EXPECT_EQ(Value::record(tuple("m", "n", 3, tuple("x")), one, value), Status::invalid);
  EXPECT_EQ(Value::record(tuple("m", "n", "f", tuple(1)), one, value), Status::invalid);
  const std::string_view invalid[] = {"\xff"};
  EXPECT_EQ(Value::record_type("m", "n", invalid, value), Status::invalid);
  EXPECT_EQ(Value::record_type("m", "n", {}, value, "\xff"), Status::invalid);
}

TEST_F(PublicContainers, ArrayHasShapeAndContent) {
  const std::vector<double> items{1, 2.5, -3, 4, 5, 6};
  const std::size_t shape[] = {2, 3};
  Value value;
  ASSERT_EQ(Value::array(ArrayType::fortran, "<f8", shape, std::as_bytes(std::span(items)), value), Status::ok);
  const ArrayView view(value.view());
  EXPECT_EQ(view.type(), ArrayType::fortran);
  EXPECT_EQ(view.format().as_ascii(), "<f8");
  EXPECT_EQ(view.dimensions(), 2u);
  EXPECT_EQ(view.length(1), 3u);
  EXPECT_EQ(view.length(2), 0u);
  EXPECT_TRUE(std::ranges::equal(view.content(), std::as_bytes(std::span(items))));
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(view.content().data()) % 8, 0u);
  EXPECT_EQ(ArrayView(view_of(list(1))).dimensions(), 0u);
  EXPECT_TRUE(ArrayView(view_of(list(1))).content().empty());
  const auto content = std::as_bytes(std::span(items));
  EXPECT_EQ(Value::array(ArrayType::ndarray, "<f8", {shape, 1}, content, value), Status::invalid);
  EXPECT_EQ(Value::array(ArrayType::ndarray, "O", shape, content, value), Status::invalid);
  EXPECT_EQ(Value::array(ArrayType::ndarray, "\xff", shape, content, value), Status::invalid);
  EXPECT_EQ(Value::array(ArrayType::ndarray, "\u20ac", shape, content, value), Status::invalid);
}

// The dump in docs/reference/block-format.md.
TEST_F(PublicContainers, ArrayHasDocumentedBody) {
  const std::int16_t items[] = {1, 2};
  const std::size_t shape[] = {2};
  Value value;
  ASSERT_EQ(Value::array(ArrayType::array, "h", shape, std::as_bytes(std::span(items)), value), Status::ok);
  Dump dump;
  ASSERT_EQ(value.dump(dump), Status::ok);
  const std::uint64_t words[] = {0x4001c, 0x10, 4, 0, 0x680106, 0, 0x10011, 0x50, 0x00020001040a, 0, 4, 2};
  EXPECT_TRUE(std::ranges::equal(dump.body(), std::as_bytes(std::span(words))));
}

TEST_F(PublicContainers, OtherPartsAreRead) {
  const Value bytes = byte_array("bytes");
  EXPECT_EQ(bytes.view().size(), 5u);
  EXPECT_EQ(bytes.view().as_bytes().size(), 5u);
  EXPECT_FALSE(bytes.view().get_bytes());
  const Value numbers = range(1, 10, 3);
  EXPECT_EQ(numbers.view().elements(), 3u);
  EXPECT_EQ(numbers.view()[2].as_integer(), 3);
  Value value;
  EXPECT_EQ(Value::range(1, 2, 0, value), Status::invalid);
  EXPECT_EQ(Value::complex({1, -2}, value), Status::ok);
  EXPECT_EQ(value.view().as_complex(), std::complex<double>(1, -2));
  EXPECT_EQ(numbers.view().as_complex(), 0.0);
  EXPECT_EQ(Value::slice(Value::of(1), Value(), text("a step of more than a cell"), value), Status::ok);
  EXPECT_EQ(value.view()[2].as_ascii(), "a step of more than a cell");
}

TEST_F(PublicContainers, VisitorGetsEveryKind) {
  const auto name = [](const Value& value) {
    return visit(
        value.view(),
        overloaded{[](None) { return "none"; }, [](Ellipsis) { return "ellipsis"; }, [](ListView) { return "list"; },
                   [](const DictView& dict) { return dict.empty() ? "empty" : "dict"; },
                   [](const SetView&) { return "set"; }, [](RangeView) { return "range"; },
                   [](SliceView) { return "slice"; }, [](std::complex<double>) { return "complex"; },
                   [](ByteArrayView) { return "byte_array"; }, [](const ArrayView&) { return "array"; },
                   [](const RecordView&) { return "record"; }, [](auto) { return "other"; }});
  };
  std::string names;
  for (const Value& value : one_of_each()) names += std::string(name(value)) + " ";
  EXPECT_EQ(names,
            "list list empty dict dict set ellipsis byte_array byte_array range array record dict set slice complex "
            "record ");
}

TEST_F(PublicContainers, SharedPartsAreWrittenOnceAndKeepIdentity) {
  Value shared = list(19, text(std::string(1000, 'x')));
  Value value = list(shared, shared, dict(entries("key", shared)));
  for (int i = 0; i < 40; ++i) value = list(value, value);
  Dump dump;
  ASSERT_EQ(value.dump(dump), Status::ok);
  EXPECT_LT(dump.size(), 4000u) << "2^40 paths lead to one text";
  const Value back = reloaded(value);
  EXPECT_TRUE(value == back);
  Dump again;
  ASSERT_EQ(back.dump(again), Status::ok);
  EXPECT_TRUE(std::ranges::equal(dump.body(), again.body()));
}

TEST_F(PublicContainers, MemoryFailureIsReported) {
  const Value items[] = {Value::of(1), Value::of(2)};
  const auto some = entries(1, 2);
  set_memory_limit(memory_stats().bytes);
  Value value;
  EXPECT_EQ(Value::list(items, value), Status::arena_full);
  EXPECT_EQ(Value::set(items, value), Status::arena_full);
  EXPECT_EQ(Value::dict(some, value), Status::arena_full);
  EXPECT_EQ(Value::byte_array({}, value), Status::arena_full);
  EXPECT_EQ(Value::array(ArrayType::array, "b", {}, {}, value), Status::arena_full);
  EXPECT_EQ(Value::record_type("m", "n", {}, value), Status::arena_full);
  set_memory_limit(UINT64_MAX);
}

}  // namespace
}  // namespace xichan

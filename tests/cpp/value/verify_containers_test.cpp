// verify() accepts exactly the containers and records that an encoder writes.
#include <cmath>

#include "support/support.h"
#include "value/body_writer.h"
#include "value/dump.h"

namespace xichan::internal {
namespace {

using test::Body;
using test::BodyWriter;
using test::error_of;
using test::Node;

class VerifyContainers : public test::ArenaTest {
 protected:
  std::string error(Node* root) { return error_of(w.write(root)); }
  bool accepts(Node* root) { return error(root).empty(); }

  /// Returns the error of loading, which compares keys too.
  std::string load_error(Node* root, std::uint64_t max_bytes = UINT64_MAX) {
    const Body body = w.write(root);
    const DumpHeader header = dump_header(body.size());
    Body dump(sizeof header);
    std::memcpy(dump.data(), &header, sizeof header);
    dump.insert(dump.end(), body.begin(), body.end());
    Cell cell;
    VerifyError flaw;
    const Status status = load(dump, cell, flaw, max_bytes);
    if (status == Status::ok) release(cell);
    return status == Status::ok ? "" : flaw.what;
  }

  std::vector<Node*> numbers(int count) {
    std::vector<Node*> made;
    for (int i = 0; i < count; ++i) made.push_back(w.number(i));
    return made;
  }

  BodyWriter w;
};

TEST_F(VerifyContainers, EveryContainerIsAccepted) {
  for (const Tag tag : {Tag::tuple, Tag::list, Tag::set, Tag::frozenset}) {
    EXPECT_TRUE(accepts(w.container(tag, {}))) << static_cast<int>(tag);
    EXPECT_TRUE(accepts(w.container(tag, numbers(32)))) << static_cast<int>(tag);
    EXPECT_TRUE(accepts(w.list({w.container(tag, {}), w.container(tag, numbers(3))}))) << static_cast<int>(tag);
  }
  for (const Tag tag : {Tag::dict, Tag::frozendict}) {
    EXPECT_TRUE(accepts(w.container(tag, {}))) << static_cast<int>(tag);
    EXPECT_TRUE(accepts(w.container(tag, numbers(64)))) << static_cast<int>(tag);
    std::vector<Node*> large = numbers(66);
    large.push_back(w.index());
    EXPECT_TRUE(accepts(w.container(tag, large))) << static_cast<int>(tag);
  }
  EXPECT_TRUE(accepts(w.of(Cell::of(Tag::ellipsis))));
}

TEST_F(VerifyContainers, EmptyContainerHasItsOwnOffset) {
  const Body body = w.write(w.tuple({w.list({}), w.tuple({})}));
  EXPECT_EQ(error_of(body), "");
  EXPECT_EQ(error_of(test::with(body, 16 + 8, std::uint64_t{0})), "elements are not next in order");
  EXPECT_EQ(error_of(test::with(body, 32 + 8, std::uint64_t{32})), "elements are not next in order");
  Node* empty = w.tuple({});
  EXPECT_EQ(error(w.tuple({empty, w.repeat(empty)})), "empty tuple is marked as repeated");
  Node* list = w.list({});
  EXPECT_EQ(error(w.tuple({list, w.repeat(list)})), "");
}

TEST_F(VerifyContainers, NumberOfCellsMustFitTheIndex) {
  const std::string wrong = "dict or set has a wrong number of cells";
  const auto with_index = [&](int count) {
    std::vector<Node*> parts = numbers(count);
    parts.push_back(w.index());
    return parts;
  };
  EXPECT_EQ(error(w.dict(numbers(1))), wrong);
  EXPECT_EQ(error(w.dict(numbers(65))), wrong);
  EXPECT_EQ(error(w.dict(numbers(66))), wrong);
  EXPECT_EQ(error(w.dict(numbers(67))), "large dict or set does not end in an index");
  EXPECT_EQ(error(w.set(numbers(33))), wrong);
  EXPECT_EQ(error(w.set(numbers(34))), "large dict or set does not end in an index");
  EXPECT_EQ(error(w.set(with_index(32))), wrong);
  EXPECT_EQ(error(w.set(with_index(33))), "");
  EXPECT_EQ(error(w.dict(with_index(64))), wrong);
  EXPECT_EQ(error(w.dict(with_index(66))), "");
  EXPECT_EQ(error(w.dict(with_index(67))), wrong);
}

TEST_F(VerifyContainers, StrayIndexIsRefused) {
  const std::string stray = "index outside a large dict or set";
  EXPECT_EQ(error(w.index()), stray);
  EXPECT_EQ(error(w.list({w.index()})), stray);
  EXPECT_EQ(error(w.set({w.index()})), stray);
  std::vector<Node*> parts = numbers(33);
  parts.push_back(w.of(Cell::of(Tag::index, 0, 16)));
  EXPECT_EQ(error(w.set(parts)), "value without content has a word");
  parts.back() = w.of(Cell::of(Tag::index, 128));
  EXPECT_EQ(error(w.set(parts)), "reserved byte is not zero");
}

TEST_F(VerifyContainers, FixedShapesAreRequired) {
  const auto number = [&] { return w.number(1); };
  Node* big = w.big_int({0, 1});
  EXPECT_TRUE(accepts(w.container(Tag::range, {number(), number(), number()})));
  EXPECT_TRUE(accepts(w.container(Tag::range, {big, w.repeat(big), w.big_int({0, 1})})));
  EXPECT_EQ(error(w.container(Tag::range, {number(), number(), w.number(0)})), "step of a range is 0");
  for (Node* range : {w.container(Tag::range, {number(), number()}),
                      w.container(Tag::range, {number(), number(), w.none()}), w.container(Tag::range, {})}) {
    EXPECT_EQ(error(range), "range does not have three ints");
  }
  EXPECT_TRUE(accepts(w.container(Tag::slice, {w.none(), w.list({}), w.text("x")})));
  EXPECT_EQ(error(w.container(Tag::slice, {w.none()})), "slice does not have three elements");
  EXPECT_TRUE(accepts(w.container(Tag::complex, {w.real(1), w.real(2)})));
  for (Node* complex : {w.container(Tag::complex, {w.real(1)}), w.container(Tag::complex, {w.real(1), number()}),
                        w.container(Tag::complex, {number(), w.real(1)})}) {
    EXPECT_EQ(error(complex), "complex does not have two floats");
  }
}

TEST_F(VerifyContainers, ByteArrayHasBytesOfItsOwn) {
  const std::string foreign = "content of a bytearray or array is not bytes of its own";
  EXPECT_TRUE(accepts(w.container(Tag::bytearray, {w.bytes("")})));
  EXPECT_TRUE(accepts(w.container(Tag::bytearray, {w.bytes(std::string(100, 'x'))})));
  EXPECT_EQ(error(w.container(Tag::bytearray, {})), "bytearray or array has a wrong number of cells");
  EXPECT_EQ(error(w.container(Tag::bytearray, {w.text("text")})), foreign);
  Node* bytes = w.bytes(std::string(100, 'x'));
  EXPECT_EQ(error(w.tuple({bytes, w.container(Tag::bytearray, {w.repeat(bytes)})})), foreign);
  Node* content = w.bytes(std::string(100, 'x'));
  EXPECT_EQ(error(w.tuple({w.tuple({w.container(Tag::bytearray, {content})}),
                           w.tuple({w.tuple({w.tuple({w.repeat(content)})})})})),
            foreign);
}

TEST_F(VerifyContainers, KeysMustHaveHash) {
  const std::string unhashable = "key of a dict or element of a set has no hash";
  const auto array = [&](ArrayKind kind) {
    return w.array(kind, w.text(kind >= ArrayKind::ndarray ? "<i4" : "i"),
                   kind == ArrayKind::scalar ? std::vector<std::int64_t>{} : std::vector<std::int64_t>{1}, "1234");
  };
  for (Node* key : {w.list({}), w.dict({}), w.set({}), w.container(Tag::bytearray, {w.bytes("x")}),
                    array(ArrayKind::array), array(ArrayKind::ndarray), array(ArrayKind::fortran)}) {
    EXPECT_EQ(error(w.set({key})), unhashable);
    EXPECT_EQ(error(w.dict({key, w.none()})), unhashable);
    EXPECT_EQ(error(w.set({w.tuple({w.number(1), w.tuple({key})})})), unhashable);
    EXPECT_EQ(error(w.set({w.container(Tag::frozendict, {w.none(), key})})), unhashable);
    EXPECT_EQ(error(w.set({w.container(Tag::slice, {w.none(), key, w.none()})})), unhashable);
    EXPECT_EQ(error(w.set({w.container(Tag::frozenset, {key})})), unhashable);
    EXPECT_EQ(error(w.dict({w.none(), key})), "");
  }
  Node* list = w.list({});
  Node* tuple = w.tuple({list});
  EXPECT_EQ(error(w.tuple({list, w.set({w.repeat(list)})})), unhashable) << "through a repeat";
  EXPECT_EQ(error(w.tuple({tuple, w.set({w.repeat(tuple)})})), unhashable) << "through a repeat";
  Node* shared = w.tuple({w.number(1)});
  EXPECT_EQ(error(w.set({shared, w.tuple({w.repeat(shared), w.repeat(shared)})})), "");
  std::vector<Node*> large = numbers(66);
  large.push_back(w.index());
  EXPECT_EQ(error(w.set({w.container(Tag::frozendict, large)})), "");
  EXPECT_EQ(error(w.set({array(ArrayKind::scalar), array(ArrayKind::memoryview), w.record({w.number(6), w.text("UTC")}),
                         w.container(Tag::range, numbers(3)), w.of(Cell::of(Tag::ellipsis))})),
            "");
}

TEST_F(VerifyContainers, EqualKeysAreRefused) {
  const std::string equal = "two keys of a dict or elements of a set are equal";
  const std::string at_the_end = std::string(40, 'k');
  EXPECT_EQ(load_error(w.set({w.text("a"), w.text("b")})), "");
  EXPECT_EQ(load_error(w.set({w.text("a"), w.text("a")})), equal);
  EXPECT_EQ(load_error(w.set({w.number(1), w.of(Cell::boolean(true))})), equal);
  EXPECT_EQ(load_error(w.set({w.number(0), w.real(-0.0)})), equal);
  EXPECT_EQ(load_error(w.set({w.real(0x1p70), w.big_int({0, 64})})), equal);
  EXPECT_EQ(load_error(w.set({w.real(NAN), w.real(NAN)})), "");
  EXPECT_EQ(load_error(w.set({w.text("ab"), w.bytes("ab")})), "");
  EXPECT_EQ(load_error(w.dict({w.tuple({w.number(1), w.text(at_the_end)}), w.none(),
                               w.tuple({w.real(1), w.text(at_the_end)}), w.none()})),
            equal);
  const auto large = [&](Node* last) {
    std::vector<Node*> parts = numbers(40);
    parts.push_back(last);
    parts.push_back(w.index());
    return w.list({w.set(parts)});
  };
  EXPECT_EQ(load_error(large(w.text("x"))), "");
  EXPECT_EQ(load_error(large(w.real(39))), equal);
  EXPECT_EQ(load_error(large(w.container(Tag::frozenset, {}))), "") << "without a table";
}

TEST_F(VerifyContainers, CyclesThroughMutableContainersAreAccepted) {
  Node* list = w.list({});
  list->parts = {w.tuple({w.repeat(list)})};
  EXPECT_EQ(error(list), "");
  Node* dict = w.dict({});
  dict->parts = {w.none(), w.repeat(dict)};
  EXPECT_EQ(error(dict), "");
  Node* record = w.record({});
  record->parts = {w.tuple({w.text("m"), w.text("n"), w.text("fields"), w.tuple({w.text("f")})}),
                   w.tuple({w.repeat(record)})};
  EXPECT_EQ(error(record), "");
}

TEST_F(VerifyContainers, CyclesThroughFrozenContainersAreRefused) {
  const std::string cyclic = "tuple or frozen container contains itself";
  Node* tuple = w.tuple({});
  tuple->parts = {w.number(1), w.repeat(tuple)};
  EXPECT_EQ(error(tuple), cyclic);
  tuple->parts = {w.container(Tag::slice, {w.none(), w.tuple({w.repeat(tuple)}), w.none()})};
  EXPECT_EQ(error(tuple), cyclic);
  EXPECT_EQ(error(w.list({tuple})), cyclic);
  for (const Tag tag : {Tag::frozenset, Tag::frozendict}) {
    tuple->parts = {w.container(tag, {w.number(1), w.repeat(tuple)})};
    EXPECT_EQ(error(tuple), cyclic);
  }
  // A graph without a cycle: 60 pairs, each of the next pair twice.
  Node* next = w.tuple({w.none()});
  for (int i = 0; i < 60; ++i) next = w.tuple({next, w.repeat(next)});
  EXPECT_EQ(error(next), "");
  // Deep, and backwards through repeats.
  Node* first = w.tuple({w.none()});
  std::vector<Node*> all{first};
  for (int i = 0; i < 1000; ++i) all.push_back(w.tuple({w.repeat(all.back())}));
  EXPECT_EQ(error(w.list(all)), "");
}

TEST_F(VerifyContainers, RecordsHaveTypeAndFields) {
  const auto type = [&](std::vector<Node*> names) {
    return w.tuple({w.text("module"), w.text("Name"), w.text("fields"), w.tuple(std::move(names))});
  };
  EXPECT_EQ(error(w.record({type({w.text("a"), w.text("b")}), w.none(), w.list({})})), "");
  EXPECT_EQ(error(w.record({type({})})), "");
  EXPECT_EQ(error(w.record({})), "record has no type");
  EXPECT_EQ(error(w.record({w.none()})), "type of a record is not a standard type or tuple");
  EXPECT_EQ(error(w.record({w.tuple({w.none()})})), "type of a record is not a standard type or tuple");
  EXPECT_EQ(error(w.record({w.tuple({w.text("m"), w.none(), w.text("f"), w.tuple({})})})),
            "type of a record has no name");
  EXPECT_EQ(error(w.record({type({w.text("a")})})), "record has a wrong number of fields");
  EXPECT_EQ(error(w.record({w.tuple({w.text("m"), w.text("n"), w.text("f"), w.none()})})),
            "record has a wrong number of fields");
  EXPECT_EQ(error(w.record({type({w.number(1)}), w.none()})), "name of a field is not a str");
  Node* shared = type({w.text(std::string(30, 'n'))});
  EXPECT_EQ(error(w.list({w.record({shared, w.none()}), w.record({w.repeat(shared), w.none()})})), "");
}

TEST_F(VerifyContainers, StandardRecordsHaveTheirFields) {
  const std::string wrong = "record is not of a standard type with its fields";
  const auto standard = [&](int type, std::vector<Node*> fields) {
    fields.insert(fields.begin(), w.number(type));
    return w.record(std::move(fields));
  };
  const auto zone = [&] { return standard(6, {w.text("Europe/Paris")}); };
  const auto delta = [&] { return standard(4, {w.number(1), w.number(2), w.number(3)}); };
  for (Node* valid : {
           standard(1, {w.bytes("1234")}),
           standard(2, {w.bytes("1234567"), w.none()}),
           standard(3, {w.bytes("12345678901"), zone()}),
           delta(),
           standard(5, {delta(), w.none()}),
           standard(5, {delta(), w.text("name")}),
           standard(7, {w.text("1.5")}),
           standard(7, {w.text(std::string(100, '1'))}),
           standard(8, {w.number(1), w.big_int({1, 1})}),
           standard(9, {w.bytes("0123456789abcdef"), w.none()}),
           standard(10, {w.text("/a")}),
           standard(15, {w.big_int({1, 1}), w.none()}),
           standard(17, {w.number(1), w.number(128), w.text("eth0")}),
           standard(20, {w.dict({w.text("a"), w.none()})}),
           standard(21, {w.list(numbers(3)), w.number(5)}),
           standard(24, {w.text("list"), w.dict({})}),
           standard(25, {w.dict({})}),
       }) {
    EXPECT_EQ(error(valid), "");
  }
  for (Node* invalid : {
           standard(0, {}),
           standard(26, {w.none()}),
           standard(-1, {w.none()}),
           standard(1, {}),
           standard(1, {w.bytes("123")}),
           standard(2, {w.bytes("1234567"), w.number(1)}),
           standard(3, {w.bytes("1234567"), w.none()}),
           standard(4, {w.number(1), w.number(2), w.none()}),
           standard(5, {w.none(), w.none()}),
           standard(6, {w.bytes("UTC")}),
           standard(7, {w.number(1)}),
           standard(9, {w.bytes("0123456789abcde"), w.none()}),
           standard(9, {w.bytes("0123456789abcdef"), w.real(1)}),
           standard(17, {w.number(1), w.number(128), w.number(1)}),
           standard(20, {w.none()}),
           standard(21, {w.tuple({}), w.none()}),
       }) {
    EXPECT_EQ(error(invalid), wrong);
  }
}

TEST_F(VerifyContainers, CopiedFieldsBelongToTheRecord) {
  const std::string wrong = "record is not of a standard type with its fields";
  Node* list = w.list(numbers(3));
  EXPECT_EQ(error(w.tuple({list, w.record({w.number(21), w.repeat(list), w.none()})})), wrong);
  EXPECT_EQ(error(w.tuple({w.record({w.number(21), list, w.none()}), w.tuple({w.tuple({w.repeat(list)})})})), wrong);
  Node* dict = w.dict({w.none(), w.none()});
  EXPECT_EQ(error(w.tuple({dict, w.record({w.number(22), w.repeat(dict)})})), wrong);
  Node* digits = w.text(std::string(100, '1'));
  EXPECT_EQ(error(w.tuple({digits, w.record({w.number(7), w.repeat(digits)})})), wrong);
  Node* zone = w.text(std::string(100, 'z'));
  EXPECT_EQ(error(w.tuple({zone, w.record({w.number(6), w.repeat(zone)})})), "");
}

TEST_F(VerifyContainers, ArraysHaveFormatAndShape) {
  const std::string wrong = "array has an invalid kind, format or shape";
  using enum ArrayKind;
  const auto valid = [&](ArrayKind kind, const std::string& format, std::vector<std::int64_t> shape,
                         std::size_t bytes) {
    const std::string found = error(w.array(kind, w.text(format), std::move(shape), std::string(bytes, 'x')));
    EXPECT_TRUE(found.empty() || found == wrong) << found;
    return found.empty();
  };
  for (const auto& [code, size] : {std::pair{'b', 1},
                                   {'B', 1},
                                   {'u', 4},
                                   {'w', 4},
                                   {'h', 2},
                                   {'H', 2},
                                   {'i', 4},
                                   {'I', 4},
                                   {'l', 8},
                                   {'L', 8},
                                   {'q', 8},
                                   {'Q', 8},
                                   {'f', 4},
                                   {'d', 8}}) {
    EXPECT_TRUE(valid(array, std::string(1, code), {5}, 5 * static_cast<std::size_t>(size))) << code;
  }
  for (const auto& [code, size] : {std::pair{"e", 2}, {"Zf", 8}, {"Zd", 16}}) {  // of Python 3.15
    EXPECT_TRUE(valid(array, code, {5}, 5 * static_cast<std::size_t>(size))) << code;
  }
  for (const char* format : {"", "O", "c", "dd", "@d", "P"}) EXPECT_FALSE(valid(array, format, {1}, 8)) << format;
  EXPECT_FALSE(valid(array, "d", {1, 1}, 8));
  EXPECT_FALSE(valid(array, "d", {}, 8));
  for (const auto& [format, size] : {std::pair{"B", 1},
                                     {"?", 1},
                                     {"c", 1},
                                     {"e", 2},
                                     {"@l", 8},
                                     {"<l", 4},
                                     {">L", 4},
                                     {"=q", 8},
                                     {"!h", 2},
                                     {"n", 8},
                                     {"@P", 8},
                                     {"I", 4}}) {
    EXPECT_TRUE(valid(memoryview, format, {2, 3}, 6 * static_cast<std::size_t>(size))) << format;
  }
  for (const char* format : {"", "@", "<n", "O", "T{i:x:}", "2i", "<f4"}) {
    EXPECT_FALSE(valid(memoryview, format, {1}, 8)) << format;
  }
  for (const auto& [format, size] : {std::pair{"<f8", 8},
                                     {"|b1", 1},
                                     {"=i4", 4},
                                     {">u2", 2},
                                     {"<M8[ns]", 8},
                                     {"<m8", 8},
                                     {"<U10", 40},
                                     {"|S5", 5},
                                     {"|V16", 16},
                                     {"<c16", 16},
                                     {"f2", 2}}) {
    for (const ArrayKind kind : {ndarray, fortran}) {
      EXPECT_TRUE(valid(kind, format, {3, 1, 2}, 6 * static_cast<std::size_t>(size))) << format;
    }
    EXPECT_TRUE(valid(scalar, format, {}, static_cast<std::size_t>(size))) << format;
  }
  for (const char* format : {"", "<", "|O8", "<f", "<f8x", "<i8[ns]", "<M8ns", "<S0", "<V12345678901", "d",
                             "<M8[s],O,m8[s]", "<m8[]]", "<M8["}) {
    EXPECT_FALSE(valid(ndarray, format, {1}, 8)) << format;
  }
  EXPECT_FALSE(valid(scalar, "<f8", {1}, 8));
  EXPECT_TRUE(valid(ndarray, "<f8", {0, 5}, 0));
  EXPECT_TRUE(valid(memoryview, "d", {}, 8));
  EXPECT_FALSE(valid(ndarray, "<f8", {2}, 8));
  EXPECT_FALSE(valid(ndarray, "<f8", {-1}, 8));
  EXPECT_FALSE(valid(ndarray, "<f8", {1ll << 32, 1ll << 32}, 0)) << "the product overflows";
  EXPECT_FALSE(valid(ndarray, "<f8", {1ll << 61}, 0)) << "the product with the size overflows";
  EXPECT_FALSE(valid(ndarray, "<f8", {1ll << 60, 0}, 0)) << "so would the strides";
  EXPECT_TRUE(valid(ndarray, "<f8", std::vector<std::int64_t>(64, 1), 8));
  EXPECT_FALSE(valid(ndarray, "<f8", std::vector<std::int64_t>(65, 1), 8));
  const auto array_of = [&](Node* kind, Node* format, Node* shape) {
    return w.container(Tag::array, {kind, format, shape, w.bytes("12345678")});
  };
  const auto one = [&] { return w.tuple({w.number(1)}); };
  EXPECT_EQ(error(array_of(w.number(5), w.text("<f8"), one())), wrong);
  EXPECT_EQ(error(array_of(w.number(-1), w.text("<f8"), one())), wrong);
  EXPECT_EQ(error(array_of(w.none(), w.text("<f8"), one())), wrong);
  EXPECT_EQ(error(array_of(w.number(2), w.none(), one())), wrong);
  EXPECT_EQ(error(array_of(w.number(2), w.text("<f8"), w.list({w.number(1)}))), wrong);
  EXPECT_EQ(error(array_of(w.number(2), w.text("<f8"), w.tuple({w.none()}))), wrong);
  EXPECT_EQ(error(array_of(w.number(2), w.text("<f8                 "), one())), wrong) << "a long text";
  EXPECT_EQ(error(w.container(Tag::array, {w.number(2), w.text("<f8"), one()})),
            "bytearray or array has a wrong number of cells");
}

TEST_F(VerifyContainers, StructuredFormatsAreTrees) {
  const std::string wrong = "array has an invalid kind, format or shape";
  using enum ArrayKind;
  const auto structure = [&](std::vector<Node*> parts) {
    parts.push_back(w.tuple({w.text("x"), w.text("<f8"), w.number(0)}));
    return w.tuple(std::move(parts));
  };
  EXPECT_EQ(error(w.array(ndarray, structure({}), {2}, std::string(32, 'x'))), "");
  EXPECT_EQ(error(w.array(scalar, structure({}), {}, std::string(32, 'x'))), "");
  EXPECT_EQ(error(w.array(ndarray, structure({}), {0}, "")), "");
  EXPECT_EQ(error(w.array(memoryview, structure({}), {2}, std::string(32, 'x'))), wrong);
  EXPECT_EQ(error(w.array(ndarray, structure({}), {0}, "x")), wrong);
  EXPECT_EQ(error(w.array(ndarray, structure({}), {3}, std::string(32, 'x'))), wrong);
  EXPECT_EQ(error(w.array(ndarray, structure({}), {1, 3}, "")), wrong);
  EXPECT_EQ(error(w.array(ndarray, structure({w.none()}), {2}, std::string(32, 'x'))), wrong);
  EXPECT_EQ(error(w.array(ndarray, structure({w.list({})}), {2}, std::string(32, 'x'))), wrong);
  Node* inner = w.tuple({w.text("x")});
  EXPECT_EQ(error(w.array(ndarray, structure({inner, w.repeat(inner)}), {2}, std::string(32, 'x'))), wrong);
  Node* format = structure({});
  EXPECT_EQ(error(w.list({w.array(ndarray, format, {2}, std::string(32, 'x')),
                          w.array(ndarray, w.repeat(format), {2}, std::string(32, 'x'))})),
            "");
}

// n arrays with one structured format of n fields take time for n cells, not n^2.
TEST_F(VerifyContainers, SharedFormatIsReadOnce) {
  std::vector<Node*> fields, arrays;
  for (int i = 0; i < 20'000; ++i) fields.push_back(w.text("f"));
  Node* format = w.tuple(fields);
  arrays.push_back(w.array(ArrayKind::ndarray, format, {1}, "x"));
  for (int i = 0; i < 20'000; ++i) arrays.push_back(w.array(ArrayKind::ndarray, w.repeat(format), {1}, "x"));
  EXPECT_EQ(error(w.list(arrays)), "");
}

TEST_F(VerifyContainers, ObjectBytesAreBounded) {
  const auto bytes = [&](Node* root) {
    const Body body = w.write(root);
    VerifyError flaw;
    BodySizes sizes;
    EXPECT_EQ(verify(body, flaw, sizes), Status::ok);
    return sizes.object_bytes;
  };
  EXPECT_EQ(bytes(w.none()), 0u);
  EXPECT_GE(bytes(w.number(1)), 32u);
  EXPECT_GE(bytes(w.real(1)), 24u);
  EXPECT_GE(bytes(w.text(std::string(1000, 'x'))), 1049u);
  EXPECT_GE(bytes(w.bytes(std::string(1000, 'x'))), 1033u);
  EXPECT_GE(bytes(w.list(numbers(1000))), 8056u + 32'000);
  EXPECT_GE(bytes(w.container(Tag::set, {})), 216u);
  EXPECT_GE(bytes(w.big_int(std::vector<std::uint64_t>(100, 1))), 900u);
  // Not more than a constant for each byte of the body.
  std::vector<Node*> many;
  for (int i = 0; i < 1000; ++i) many.push_back(w.set({}));
  for (int i = 0; i < 1000; ++i) many.push_back(w.record({w.number(21), w.list({}), w.none()}));
  Node* root = w.list(many);
  EXPECT_LT(bytes(root), w.write(root).size() * 64);
  EXPECT_EQ(load_error(root, bytes(root)), "");
  EXPECT_EQ(load_error(root, bytes(root) - 1), "value may take more than max_bytes");
}

TEST_F(VerifyContainers, IndexBytesAreCounted) {
  std::vector<Node*> parts = numbers(33);
  parts.push_back(w.index());
  const Body body = w.write(w.set(parts));
  VerifyError flaw;
  BodySizes sizes;
  EXPECT_EQ(verify(body, flaw, sizes), Status::ok);
  EXPECT_EQ(sizes.index_bytes, 128u * 4);
}

// Deep keys and cycles need no stack.
TEST_F(VerifyContainers, DeepNestingNeedsNoStack) {
  Node* first = w.tuple({w.none()});
  Node* deep = first;
  for (int i = 0; i < 200'000; ++i) deep = w.tuple({deep});
  const Body body = w.write(w.tuple({w.set({deep}), w.tuple({w.none()})}));
  test::on_small_stack([&] { EXPECT_EQ(error_of(body), ""); });
}

}  // namespace
}  // namespace xichan::internal

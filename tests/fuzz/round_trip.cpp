// Values made of instructions: dumped, loaded and compared; and dumped again, to the same bytes.
#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "targets.h"
#include "xichan/containers.h"
#include "xichan/value.h"

namespace xichan::fuzz {

using namespace internal;
namespace {

/// Reads the input; zeros after its end.
class Input {
 public:
  explicit Input(std::span<const std::byte> data) : data_(data) {}

  bool empty() const { return data_.empty(); }
  unsigned byte() { return static_cast<unsigned>(take<std::uint8_t>()); }
  template <class T>
  T take() {
    T value{};
    const std::size_t size = std::min(sizeof value, data_.size());
    std::memcpy(&value, data_.data(), size);
    data_ = data_.subspan(size);
    return value;
  }
  std::span<const std::byte> take(std::size_t size) {
    const auto taken = data_.first(std::min(size, data_.size()));
    data_ = data_.subspan(taken.size());
    return taken;
  }

 private:
  std::span<const std::byte> data_;
};

void add_parts(ValueView view, std::vector<ValueView>& parts) {
  parts.insert(parts.end(), view.begin(), view.end());
  for (const auto [key, value] : DictView(view)) parts.insert(parts.end(), {key, value});
  if (view.kind() == ValueKind::record) {
    const RecordView record(view);
    parts.insert(parts.end(), {record.module(), record.name(), record.form()});
    for (std::size_t i = 0; i < record.size(); ++i) parts.push_back(record.field_name(i));
  }
}

class Machine {
 public:
  explicit Machine(Input input) : input_(input) {}

  Value run() {
    for (int steps = 0; !input_.empty() && steps < 300; ++steps) step();
    return stack_.empty() ? Value() : std::move(stack_.back());
  }

 private:
  void step() {
    const unsigned code = input_.byte();
    const unsigned operand = code >> 3;
    switch (code & 7) {
      case 0: return push(operand % 3 == 0 ? Value() : Value::of(operand % 3 == 1));
      case 1: return push(Value::of(input_.take<std::int64_t>() >> operand));
      case 2: return push(Value::of(std::bit_cast<double>(input_.take<std::uint64_t>())));
      case 3: return text(operand);
      case 4: return bytes(operand == 31 ? input_.byte() : operand);
      case 5: return container(operand >> 3, operand & 7);
      case 6: return push(stack_.empty() ? Value() : stack_[operand % stack_.size()].clone());
      case 7: return repeat(operand);
    }
  }

  void push(Value value) {
    if (stack_.size() < 64) stack_.push_back(std::move(value));
  }
  void text(std::size_t size) {
    const auto data = input_.take(size);
    add_text({reinterpret_cast<const char*>(data.data()), data.size()});
  }
  void add_text(std::string_view utf8) {
    Value value;
    if (Value::text(utf8, value) == Status::ok) push(std::move(value));
  }
  void bytes(std::size_t size) {
    Value value;
    XICHAN_FUZZ_REQUIRE(Value::bytes(input_.take(size), value) == Status::ok);
    push(std::move(value));
  }
  // A code point again and again.
  void repeat(unsigned count) {
    const auto point = input_.take(4);
    const unsigned size = std::min<unsigned>(static_cast<unsigned>(point.size()), 1 + count % 4);
    std::string text;
    for (unsigned i = 0; i < count; ++i) text.append(reinterpret_cast<const char*>(point.data()), size);
    add_text(text);
  }
  // Of the last values on the stack. `equal` below visits every path to a part, so there may not be too many.
  void container(unsigned kind, std::size_t count) {
    count = std::min(count, stack_.size());
    const std::span<const Value> items = std::span(stack_).last(count);
    std::size_t leaves = 1;
    for (const Value& item : items) leaves += leaves_of(item.view());
    if (leaves > 500) return;
    Value value;
    const Status status = make(kind == 3 ? 3 + input_.byte() % 9 : kind, items, value);
    if (status != Status::ok) {
      XICHAN_FUZZ_REQUIRE(status == Status::invalid && kind > 1);  // keys and types may be invalid
      return;
    }
    stack_.resize(stack_.size() - count);
    push(std::move(value));
  }
  Status make(unsigned kind, std::span<const Value> items, Value& out) {
    switch (kind) {
      case 0: return Value::tuple(items, out);
      case 1: return Value::list(items, out);
      case 2:
      case 3: {
        std::vector<ValueEntry> entries;
        for (std::size_t i = 0; i + 1 < items.size(); i += 2)
          entries.push_back({items[i].clone(), items[i + 1].clone()});
        return kind == 2 ? Value::dict(entries, out) : Value::frozen_dict(entries, out);
      }
      case 4: return Value::set(items, out);
      case 5: return Value::frozen_set(items, out);
      case 6: return large(input_.byte(), out);
      case 7: return Value::range(input_.take<std::int64_t>(), input_.byte(), input_.byte(), out);
      case 8: return Value::slice(Value::of(1), items.empty() ? Value() : items[0].clone(), Value(), out);
      case 9: {
        const std::size_t shape[] = {2, input_.byte()};
        return Value::array(static_cast<ArrayType>(2), "<u1", shape, input_.take(2 * shape[1]), out);
      }
      case 10: return Value::byte_array(input_.take(input_.byte()), out);
      default: return record(items, out);
    }
  }
  // A dict with an index.
  Status large(unsigned count, Value& out) {
    std::vector<ValueEntry> entries;
    for (unsigned i = 0; i < count; ++i) entries.push_back({Value::of(i), Value::of(i % 2 == 0)});
    return Value::dict(entries, out);
  }
  Status record(std::span<const Value> items, Value& out) {
    if (items.size() > 1 && input_.byte() % 2 == 0) return Value::record(items[0], items.subspan(1), out);
    const std::string_view names[] = {"a", "b", "a long name of a field", "d", "e", "f", "g"};
    Value type;
    XICHAN_FUZZ_REQUIRE(Value::record_type("module", "Class", {names, items.size()}, type) == Status::ok);
    return Value::record(type, items, out);
  }
  static std::size_t leaves_of(ValueView root) {
    std::vector<ValueView> left{root};
    std::size_t count = 0;
    for (; !left.empty(); ++count) {
      const ValueView view = left.back();
      left.pop_back();
      add_parts(view, left);
    }
    return count;
  }

  Input input_;
  std::vector<Value> stack_;
};

bool equal_leaves(const ValueView& one, const ValueView& other) {
  if (one.kind() != other.kind() || one.size() != other.size()) return false;
  const auto a = one.as_bytes(), b = other.as_bytes();
  return one.as_bool() == other.as_bool() && one.as_integer() == other.as_integer() &&
         std::bit_cast<std::uint64_t>(one.as_real()) == std::bit_cast<std::uint64_t>(other.as_real()) &&
         std::equal(a.begin(), a.end(), b.begin(), b.end()) && one.utf8() == other.utf8() &&
         one.as_complex() == other.as_complex() &&
         std::ranges::equal(ArrayView(one).content(), ArrayView(other).content());
}

bool equal(ValueView one, ValueView other) {
  std::vector<std::pair<ValueView, ValueView>> left{{one, other}};
  while (!left.empty()) {
    const auto [a, b] = left.back();
    left.pop_back();
    if (!equal_leaves(a, b)) return false;
    std::vector<ValueView> parts[2];
    add_parts(a, parts[0]);
    add_parts(b, parts[1]);
    if (parts[0].size() != parts[1].size()) return false;
    for (std::size_t i = 0; i < parts[0].size(); ++i) left.emplace_back(parts[0][i], parts[1][i]);
  }
  return true;
}

std::vector<std::byte> dumped(const Value& value) {
  Dump dump;
  XICHAN_FUZZ_REQUIRE(value.dump(dump) == Status::ok);
  std::vector<std::byte> data(dump.size());
  dump.write(data.data());
  return data;
}

}  // namespace

void check_round_trip(std::span<const std::byte> data) {
  const Value value = Machine(Input(data)).run();
  const std::vector<std::byte> dump = dumped(value);
  Value back;
  XICHAN_FUZZ_REQUIRE(Value::load(dump, back) == Status::ok);
  XICHAN_FUZZ_REQUIRE(equal(value.view(), back.view()));
  XICHAN_FUZZ_REQUIRE(dumped(back) == dump);
}

}  // namespace xichan::fuzz

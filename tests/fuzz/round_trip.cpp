// Values made of instructions: dumped, loaded and compared; and dumped again, to the same bytes.
#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>
#include <utility>

#include "targets.h"
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
      case 5: return tuple(operand);
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
  // Of the last values on the stack. What it shares in memory is written out: so it may not grow without bound.
  void tuple(std::size_t count) {
    count = std::min(count, stack_.size());
    std::size_t leaves = 1;
    for (std::size_t i = stack_.size() - count; i < stack_.size(); ++i) leaves += leaves_of(stack_[i].view());
    if (leaves > 500) return;
    Value value;
    const std::span<const Value> items = std::span(stack_).last(count);
    XICHAN_FUZZ_REQUIRE(Value::tuple(items, value) == Status::ok);
    stack_.resize(stack_.size() - count);
    push(std::move(value));
  }
  static std::size_t leaves_of(ValueView root) {
    std::vector<ValueView> left{root};
    std::size_t count = 0;
    for (; !left.empty(); ++count) {
      const ValueView view = left.back();
      left.pop_back();
      if (view.kind() != ValueKind::tuple) continue;
      for (std::size_t i = 0; i < view.size(); ++i) left.push_back(view[i]);
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
         std::equal(a.begin(), a.end(), b.begin(), b.end()) && one.utf8() == other.utf8();
}

bool equal(ValueView one, ValueView other) {
  std::vector<std::pair<ValueView, ValueView>> left{{one, other}};
  while (!left.empty()) {
    const auto [a, b] = left.back();
    left.pop_back();
    if (!equal_leaves(a, b)) return false;
    if (a.kind() != ValueKind::tuple) continue;
    for (std::size_t i = 0; i < a.size(); ++i) left.emplace_back(a[i], b[i]);
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

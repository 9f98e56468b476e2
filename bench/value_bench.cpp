// Building and reading values in C++: one cell, or a block from the arena.
#include <array>
#include <string>
#include <vector>

#include "support.h"
#include "xichan/value.h"

namespace xichan::bench {
namespace {

Value made(Status (*make)(const std::string&, Value&), const std::string& from) {
  Value value;
  if (make(from, value) != Status::ok) std::terminate();
  return value;
}
Status make_text(const std::string& from, Value& value) { return Value::text(from, value); }
Status make_bytes(const std::string& from, Value& value) { return Value::bytes(std::as_bytes(std::span(from)), value); }

// (12345, 'AAPL', 187.25, True, b'0123456789abcdef', ('nested', (1, 2.5, None)))
Value make_record() {
  Value inner, nested, record;
  const std::array inner_items{Value::of(1), Value::of(2.5), Value()};
  if (Value::tuple(inner_items, inner) != Status::ok) std::terminate();
  const std::array nested_items{made(make_text, "nested"), std::move(inner)};
  if (Value::tuple(nested_items, nested) != Status::ok) std::terminate();
  const std::array items{Value::of(12345),
                         made(make_text, "AAPL"),
                         Value::of(187.25),
                         Value::of(true),
                         made(make_bytes, "0123456789abcdef"),
                         std::move(nested)};
  if (Value::tuple(items, record) != Status::ok) std::terminate();
  return record;
}

void build_integer(benchmark::State& state) {
  std::int64_t number = 0;
  for (auto _ : state) {
    const Value value = Value::of(number++);
    benchmark::DoNotOptimize(value.view().as_integer());
  }
}

void build_text(benchmark::State& state) {
  const std::string text(static_cast<std::size_t>(state.range(0)), 'x');
  const Value first = made(make_text, text);
  if (first.view().utf8() != text) return fail(state, "not what was put in");
  for (auto _ : state) benchmark::DoNotOptimize(made(make_text, text));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void build_bytes(benchmark::State& state) {
  const std::string text(static_cast<std::size_t>(state.range(0)), 'x');
  const Value value = made(make_bytes, text);
  const auto back = value.view().as_bytes();
  if (!std::ranges::equal(back, std::as_bytes(std::span(text)))) return fail(state, "not what was put in");
  for (auto _ : state) benchmark::DoNotOptimize(made(make_bytes, text));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

// The floor of the two above.
void copy(benchmark::State& state) {
  const std::string text(static_cast<std::size_t>(state.range(0)), 'x');
  std::string out(text.size(), '\0');
  for (auto _ : state) {
    std::memcpy(out.data(), text.data(), text.size());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void build_record(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(make_record());
}

void read_record(benchmark::State& state) {
  const Value record = make_record();
  if (record.view()[5][1][1].as_real() != 2.5) return fail(state, "not what was put in");
  for (auto _ : state) benchmark::DoNotOptimize(record.view()[5][1][1].as_real());
}

void read_text(benchmark::State& state) {
  const std::string text(static_cast<std::size_t>(state.range(0)), 'x');
  const Value value = made(make_text, text);
  std::string out(text.size(), '\0');
  for (auto _ : state) {
    value.view().write_utf8(out.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void build_tuple(benchmark::State& state) {
  std::vector<Value> items;
  for (std::int64_t i = 0; i < state.range(0); ++i) items.push_back(Value::of(i));
  Value tuple;
  for (auto _ : state) {
    if (Value::tuple(items, tuple) != Status::ok) return fail(state, "no memory");
  }
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    if (tuple.view()[static_cast<std::size_t>(i)].as_integer() != i) return fail(state, "not what was put in");
  }
}

const bool entered = [] {
  const auto add = [](const char* name, void (*run)(benchmark::State&)) {
    return with_statistics(benchmark::RegisterBenchmark(name, run));
  };
  add("build/integer", build_integer);
  add("build/text", build_text)->Arg(12)->Arg(16)->Arg(64 << 10);
  add("build/bytes", build_bytes)->Arg(12)->Arg(64)->Arg(1 << 20);
  add("build/record", build_record);
  add("build/tuple", build_tuple)->Arg(1000);
  add("read/record", read_record);
  add("read/text", read_text)->Arg(12)->Arg(64 << 10);
  add("floor/memcpy", copy)->Arg(64)->Arg(64 << 10)->Arg(1 << 20);
  return true;
}();

}  // namespace
}  // namespace xichan::bench

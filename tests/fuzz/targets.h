// What the fuzzers run: each target takes any bytes, and traps when something is wrong. No Python in it.
//
// libFuzzer runs them (./dev test fuzz), and `replay_test.cpp` among the C++ tests, with the seeds and some changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace xichan::fuzz {

/// A body, and a dump: what `verify` and `load` take can be read to the last byte, and written again.
void check_foreign(std::span<const std::byte> data);

/// Instructions to make a value: it is dumped, loaded and compared.
void check_round_trip(std::span<const std::byte> data);

/// To begin with: valid bodies and dumps, and instructions.
std::vector<std::string> foreign_seeds();
/// A part of these: bodies that reach each check, most of them invalid.
std::vector<std::string> forged_seeds();
std::vector<std::string> round_trip_seeds();

}  // namespace xichan::fuzz

/// Stops the program where a property does not hold; in every build.
#define XICHAN_FUZZ_REQUIRE(condition)  \
  do {                                  \
    if (!(condition)) __builtin_trap(); \
  } while (false)

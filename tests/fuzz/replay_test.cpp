// The fuzzers' targets with their seeds and changes to them that a fixed generator thinks of, without libFuzzer.
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "support/support.h"
#include "targets.h"

namespace xichan::internal {
namespace {

class FuzzReplay : public test::ArenaTest {};

// One of the changes that fuzzers make.
void change(std::string& data, const std::vector<std::string>& seeds, std::mt19937_64& random) {
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  if (data.empty()) data.assign(16, '\0');
  switch (below(6)) {
    case 0: data[below(data.size())] ^= static_cast<char>(1 << below(8)); break;
    case 1: data[below(data.size())] = static_cast<char>(random()); break;
    case 2: data.resize(below(data.size() + 17)); break;
    case 3: {  // a number where a cell may have one
      const std::uint64_t numbers[] = {below(64), 16 * below(data.size() / 16 + 2), random(), 1ull << below(64)};
      const std::size_t at = below(data.size() / 8 + 1) * 8;
      if (at + 8 <= data.size()) std::memcpy(&data[at], &numbers[below(4)], 8);
      break;
    }
    case 4: {  // one cell in the place of another
      const std::size_t from = below(data.size() / 16 + 1) * 16, to = below(data.size() / 16 + 1) * 16;
      if (from + 16 <= data.size() && to + 16 <= data.size()) std::memmove(&data[to], &data[from], 16);
      break;
    }
    case 5: {
      const std::string& other = seeds[below(seeds.size())];
      if (!other.empty())
        data.insert(below(data.size() / 8 + 1) * 8 % (data.size() + 1), other.substr(below(other.size())));
      break;
    }
  }
}

void replay(const std::vector<std::string>& seeds, void (*check)(std::span<const std::byte>)) {
  std::mt19937_64 random(20'260'000);
  for (const std::string& seed : seeds) check(std::as_bytes(std::span(seed)));
  for (int i = 0; i < test::rounds(50'000); ++i) {
    std::string data = seeds[random() % seeds.size()];
    for (std::size_t changes = 1 + random() % 3; changes > 0; --changes) change(data, seeds, random);
    check(std::as_bytes(std::span(data)));
  }
}

TEST_F(FuzzReplay, Foreign) { replay(fuzz::foreign_seeds(), fuzz::check_foreign); }
TEST_F(FuzzReplay, RoundTrip) { replay(fuzz::round_trip_seeds(), fuzz::check_round_trip); }

}  // namespace
}  // namespace xichan::internal

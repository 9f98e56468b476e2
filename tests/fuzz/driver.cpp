// A fuzzer: libFuzzer calls this with what it thinks of. XICHAN_FUZZ_TARGET is foreign or round_trip.
//
// With one argument `--seeds=FOLDER` the program writes its seeds there instead, and ends.
#include <cstdlib>
#include <fstream>

#include "targets.h"

#define XICHAN_JOIN(a, b) a##b
#define XICHAN_NAMED(a, b) XICHAN_JOIN(a, b)

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  xichan::fuzz::XICHAN_NAMED(check_, XICHAN_FUZZ_TARGET)(std::as_bytes(std::span(data, size)));
  return 0;
}

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
  const std::string option = "--seeds=";
  const std::string argument = *count > 1 ? (*arguments)[1] : "";
  if (argument.compare(0, option.size(), option) != 0) return 0;
  int number = 0;
  for (const std::string& seed : xichan::fuzz::XICHAN_NAMED(XICHAN_FUZZ_TARGET, _seeds)()) {
    std::ofstream(argument.substr(option.size()) + "/seed-" + std::to_string(number++), std::ios::binary) << seed;
  }
  std::exit(0);
}

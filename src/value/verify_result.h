// What the verification of a body finds.
#pragma once

#include <cstdint>

namespace xichan::internal {

/// A description of invalid input for an error message, and the offset of the first invalid byte.
struct VerifyError {
  const char* what = nullptr;
  std::uint64_t offset = 0;
};

/// What a verified body takes when it is read.
struct BodySizes {
  std::uint64_t object_bytes = 0;  // an upper bound of the Python objects that decoding makes
  std::uint64_t index_bytes = 0;   // the tables of its large dicts and sets, each a multiple of 8
};

}  // namespace xichan::internal

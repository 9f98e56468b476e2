#pragma once

#include <cstdint>

namespace xichan::python {

/// What became of a value that is to be encoded as the elements of a tuple (reduced.h).
enum class Reduction : std::uint8_t {
  done,
  unprepared,  // Python code must run first, see prepare.h
  refused,     // objects of this class cannot be sent
  no_memory,
};

}  // namespace xichan::python

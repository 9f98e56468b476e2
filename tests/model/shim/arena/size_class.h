// Stands in for src/arena/size_class.h in the model of the thread caches: one class, of which a magazine takes two
// blocks, so that full and empty ones come up within a few steps.
#pragma once

#include <cstdint>

namespace xichan::internal {

inline constexpr unsigned class_count = 1;
inline constexpr unsigned magazine_rounds = 63;  // the room that it has, as ever

struct SizeClass {
  std::uint32_t size;
  std::uint32_t rounds;
};
inline constexpr SizeClass size_classes[class_count] = {{16, 2}};

}  // namespace xichan::internal

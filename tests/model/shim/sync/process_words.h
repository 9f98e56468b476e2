// Stands in for src/directory/process.h in the models of the channel: one process, which neither forks nor ends.
#pragma once

#include <cstdint>

namespace xichan::internal {

inline std::uint32_t process_generation() noexcept { return 0; }
inline bool process_is_exiting() noexcept { return false; }

}  // namespace xichan::internal

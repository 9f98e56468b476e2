// Stands in for src/sync/process_words.h in the models of the channel: one process, which neither forks nor
// ends, and of which no trace is recorded.
#pragma once

#include <cstdint>

namespace xichan::internal {

inline std::uint32_t process_generation() noexcept { return 0; }
inline std::uint32_t plain_generation() noexcept { return 0; }
inline std::uint32_t current_trace() noexcept { return 0; }
inline bool is_traced() noexcept { return false; }
inline bool process_is_exiting() noexcept { return false; }

}  // namespace xichan::internal

// The memory file of a page: sealed at its size, and backed by memory from the start.
#pragma once

#include <cstddef>

namespace xichan::internal {

/// Makes a memory file named `xichan` of this size. Returns its descriptor, or -errno.
///
/// All of its memory is allocated here: writing to a page that the system cannot back then would end the process with
/// SIGBUS. Sends no signal if the size is beyond RLIMIT_FSIZE. Calls only functions that the child of a fork may call.
int make_memory_file(std::size_t size) noexcept;

}  // namespace xichan::internal

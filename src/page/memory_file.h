// The memory file of a page, and allocating memory before it is written.
//
// A memory file is sparse. Where the system has no memory for it, under strict overcommit or the limit of a group,
// writing to it ends the process with SIGBUS. So every part is allocated before it is written, which may fail.
#pragma once

#include <cstddef>

namespace xichan::internal {

/// Makes a memory file named `xichan`, sealed at this size. Returns its descriptor, or -errno. Sends no signal if the
/// size is beyond RLIMIT_FSIZE. Calls only functions that the child of a fork may call, as do the others.
int make_memory_file(std::size_t size) noexcept;

/// Allocates all of a file. Returns 0 or an errno.
int allocate_file(int number, std::size_t size) noexcept;

/// Allocates mapped memory. Returns 0, or an errno: EINVAL before Linux 5.14.
int allocate_mapped(void* memory, std::size_t size) noexcept;

}  // namespace xichan::internal

#include "page/memory_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

namespace xichan::internal {
namespace {

// From Linux 6.3; older kernels refuse it. Newer ones log a warning without it.
constexpr unsigned no_exec_seal = 0x0008;

// A signal interrupts an allocation, which then begins again: so it is done in parts.
constexpr std::size_t part = 64 << 10;

int create() noexcept {
  const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  long file = syscall(SYS_memfd_create, "xichan", flags | no_exec_seal);
  if (file < 0) file = syscall(SYS_memfd_create, "xichan", flags);
  if (file < 0) return -errno;
  const int number = static_cast<int>(file);
  if (number > STDERR_FILENO) return number;
  // One that was closed, to which other code still writes.
  const int moved = fcntl(number, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  const int error = errno;
  close(number);
  return moved < 0 ? -error : moved;
}

int seal(int number, std::size_t size) noexcept {
  rlimit limit{};
  // The kernel would send SIGXFSZ, which ends a process by default.
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < size) return EFBIG;
  // Of this size for good: a process that could shrink it would kill this one.
  const bool is_sealed = ftruncate(number, static_cast<off_t>(size)) == 0 && fchmod(number, 0600) == 0 &&
                         fcntl(number, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0;
  return is_sealed ? 0 : errno;
}

}  // namespace

int make_memory_file(std::size_t size) noexcept {
  const int number = create();
  if (number < 0) return number;
  const int error = seal(number, size);
  if (error == 0) return number;
  close(number);
  return -error;
}

int allocate_file(int number, std::size_t size) noexcept {
  for (std::size_t at = 0; at < size;) {
    const std::size_t length = std::min(part, size - at);
    if (fallocate(number, 0, static_cast<off_t>(at), static_cast<off_t>(length)) == 0) {
      at += length;
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

int allocate_mapped(void* memory, std::size_t size) noexcept {
  constexpr int populate_write = 23;  // MADV_POPULATE_WRITE, which older headers lack
  return madvise(memory, size, populate_write) == 0 ? 0 : errno;
}

}  // namespace xichan::internal

#include "page/own_process.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <cstddef>

namespace xichan::internal {

// Field 22 of /proc/self/stat. The name of the program, in parentheses, may contain anything.
std::uint64_t process_start() noexcept {
  char text[1024];
  const int file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  const ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  if (length <= 0) return 0;
  text[length] = '\0';
  const char* at = strrchr(text, ')');
  for (int field = 2; at != nullptr && field < 22; ++field) {
    at = strchr(at, ' ');
    if (at != nullptr) ++at;
  }
  std::uint64_t ticks = 0;
  for (; at != nullptr && *at >= '0' && *at <= '9'; ++at) ticks = ticks * 10 + static_cast<std::uint64_t>(*at - '0');
  return ticks;
}

bool is_started_private() noexcept {
  static constexpr char wanted[] = "XICHAN_PAGE=0";
  const int file = open("/proc/self/environ", O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  std::size_t matched = 0;  // characters of `wanted`, counted from the beginning of a variable
  bool differs = false;
  bool found = false;
  char text[1024];
  for (ssize_t length; !found && (length = read(file, text, sizeof text)) > 0;) {
    for (ssize_t i = 0; i < length && !found; ++i) {
      differs = differs || text[i] != wanted[matched];
      found = !differs && ++matched == sizeof wanted;
      if (text[i] != '\0') continue;
      differs = false;
      matched = 0;
    }
  }
  close(file);
  return found;
}

}  // namespace xichan::internal

#include "arena/ceiling.h"

#include <fcntl.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <climits>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "base/atomic.h"

namespace xichan::internal {
namespace {

constinit atomic<std::uint64_t> ceiling{0};  // 0: not read yet
constinit atomic<std::int64_t> next_reading{INT64_MIN};

// Reads the beginning of a file; empty if there is none.
std::string_view read_file(const char* path, char* buffer, std::size_t size) noexcept {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  std::size_t filled = 0;
  while (filled < size) {
    const ssize_t count = read(file, buffer + filled, size - filled);
    if (count <= 0) break;
    filled += static_cast<std::size_t>(count);
  }
  close(file);
  return {buffer, filled};
}

std::uint64_t read_limit(const char* path) noexcept {
  char buffer[32];
  const std::string_view text = read_file(path, buffer, sizeof buffer);
  std::uint64_t limit = UINT64_MAX;
  (void)std::from_chars(text.data(), text.data() + text.size(), limit);  // "max" leaves it
  return limit;
}

// Returns the least limit of a group and its ancestors. In a container without a namespace for control groups the group
// is named as on the host and its limit is found at the mount point, which is read last.
std::uint64_t least_limit(const char* mount, const char* hierarchy, std::string_view group, const char* file) noexcept {
  std::uint64_t least = UINT64_MAX;
  for (;;) {
    while (group.ends_with('/')) group.remove_suffix(1);
    char path[PATH_MAX];
    const int length = std::snprintf(path, sizeof path, "%s%s%.*s/%s", mount, hierarchy, static_cast<int>(group.size()),
                                     group.data(), file);
    if (length > 0 && length < static_cast<int>(sizeof path)) least = std::min(least, read_limit(path));
    if (group.empty()) return least;
    group = group.substr(0, group.rfind('/'));
  }
}

bool lists(std::string_view controllers, std::string_view name) noexcept {
  while (!controllers.empty()) {
    const std::size_t end = std::min(controllers.find(','), controllers.size());
    if (controllers.substr(0, end) == name) return true;
    controllers.remove_prefix(std::min(end + 1, controllers.size()));
  }
  return false;
}

std::uint64_t of_machine() noexcept {
  struct sysinfo info;
  if (sysinfo(&info) != 0) return UINT64_MAX;
  return (std::uint64_t{info.totalram} + info.totalswap) * info.mem_unit;
}

std::int64_t milliseconds() noexcept {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return std::int64_t{now.tv_sec} * 1'000 + now.tv_nsec / 1'000'000;
}

std::uint64_t read_ceiling() noexcept {
  const std::uint64_t bytes = std::min(of_machine(), MemoryCeiling::of_cgroups("/proc/self/cgroup", "/sys/fs/cgroup"));
  ceiling.store(bytes, memory_order_relaxed);
  return bytes;
}

}  // namespace

std::uint64_t MemoryCeiling::of_cgroups(const char* membership, const char* mount) noexcept {
  char buffer[16 * 1024];
  std::string_view text = read_file(membership, buffer, sizeof buffer);
  std::uint64_t least = UINT64_MAX;
  while (!text.empty()) {  // a line: number:controllers:group
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t first = line.find(':');
    const std::size_t second = first == line.npos ? line.npos : line.find(':', first + 1);
    if (second == line.npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string_view group = line.substr(second + 1);
    if (controllers.empty()) {
      least = std::min(least, least_limit(mount, "", group, "memory.max"));
    } else if (lists(controllers, "memory")) {
      least = std::min(least, least_limit(mount, "/memory", group, "memory.limit_in_bytes"));
    }
  }
  return least;
}

bool MemoryCeiling::refresh() noexcept {
  const std::int64_t now = milliseconds();
  std::int64_t next = next_reading.load(memory_order_relaxed);
  if (now < next) return false;
  if (!next_reading.compare_exchange_strong(next, now + 1'000, memory_order_relaxed, memory_order_relaxed))
    return false;
  read_ceiling();
  return true;
}

std::uint64_t MemoryCeiling::bytes() noexcept {
  const std::uint64_t known = ceiling.load(memory_order_relaxed);
  return known != 0 ? known : read_ceiling();  // several threads may be the first
}

}  // namespace xichan::internal

// The page: found, mapped and verified as a reader in another process does it.
#include "page/page.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "page/places.h"
#include "page/wait_report.h"
#include "page/workers.h"
#include "support/support.h"

namespace xichan::internal {
namespace {

TEST(Page, IsASealedFileOfTheUser) {
  ASSERT_NE(page(), nullptr);
  const int descriptor = page_descriptor();
  ASSERT_GE(descriptor, 0);
  struct stat status{};
  ASSERT_EQ(fstat(descriptor, &status), 0);
  EXPECT_EQ(status.st_size, static_cast<off_t>(sizeof(Page)));
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_NE(ftruncate(descriptor, 0), 0);
  EXPECT_TRUE(fcntl(descriptor, F_GETFD) & FD_CLOEXEC);
}

// Runs in a child, which replaces its page, and returns its exit status.
template <class Function>
int in_child(Function function) {
  const pid_t child = fork();
  if (child == 0) _exit(function());
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + status;
}

TEST(Page, IsPrivateBeyondTheLimitOfFileSizes) {
  ASSERT_NE(page(), nullptr);
  EXPECT_EQ(in_child([] {
              const rlimit limit{4096, 4096};
              setrlimit(RLIMIT_FSIZE, &limit);  // the signal of this limit, SIGXFSZ, ends a process
              return in_child([] {
                if (existing_page() == nullptr || page_descriptor() != -1) return 1;
                if (!allocate_in_page(page()->waits[wait_slots - 1])) return 3;
                page()->waits[wait_slots - 1].content.begin_write();
                return take_page_refusal() == EFBIG && take_page_refusal() == 0 ? 7 : 2;
              });
            }),
            7);
}

std::int64_t bytes_allocated() {
  struct stat status{};
  fstat(page_descriptor(), &status);
  return status.st_blocks * 512;
}

TEST(Page, IsAllocatedBeforeItIsWritten) {
  ASSERT_NE(page(), nullptr);
  EXPECT_EQ(in_child([] {
              const std::int64_t before = bytes_allocated();
              if (before < 4096) return 1;
              const bool was_allocated = allocate_in_page(page()->waits[1500]) && allocate_in_page(page()->channels);
              return was_allocated && bytes_allocated() - before >= std::int64_t{sizeof(Page::channels)} ? 7 : 2;
            }),
            7);
}

TEST(Page, WithoutMemoryForItShowsLessAndReportsItOnce) {
  ASSERT_NE(page(), nullptr);
  EXPECT_EQ(in_child([] {
              // Without a mapping it cannot be allocated, and writing to it ends the process.
              constexpr std::size_t begin = (offsetof(Page, waits) + thread_wait_slots * sizeof(WaitSlot)) & ~0xffffu;
              munmap(reinterpret_cast<char*>(page()) + begin + 0x10000, sizeof(Page) - begin - 0x10000);
              std::vector<std::unique_ptr<WaitReport>> reports;
              for (std::size_t i = 0; i < 200; ++i) {
                reports.push_back(std::make_unique<WaitReport>("Receiver.arecv", WaitReport::is_coroutine));
                reports.back()->show({}, 0);
              }
              const std::uint64_t unshown = page()->header.waits_unshown.load();
              if (unshown == 0 || unshown >= 200) return 1;
              if (take_page_refusal() != ENOMEM || take_page_refusal() != 0) return 2;
              reports.clear();
              if (page()->header.waits_unshown.load() != 0) return 3;
              WorkerPlace().claim(WorkerRow{});
              return take_page_refusal() == 0 ? 7 : 4;
            }),
            7);
}

// Runs this test alone in a new process, and returns its exit status. A test that needs an environment of its own is
// disabled, so that it runs here alone.
int run_again(const char* name, char* const* environment) {
  return in_child([&] {
    const std::string filter = std::string("--gtest_filter=") + name;
    execle("/proc/self/exe", "test_page", filter.c_str(), "--gtest_also_run_disabled_tests", nullptr, environment);
    return 1;
  });
}

TEST(Page, DISABLED_IsPrivateHere) {
  ASSERT_NE(page(), nullptr);
  EXPECT_EQ(page_descriptor(), -1);
  EXPECT_EQ(take_page_refusal(), 0);
}

TEST(Page, IsPrivateIfTheProcessWasStartedSo) {
  static constexpr char test[] = "Page.DISABLED_IsPrivateHere";
  char off[] = "XICHAN_PAGE=0", on[] = "XICHAN_PAGE=1", long_name[] = "XXICHAN_PAGE=0", more[] = "XICHAN_PAGE=00";
  char value[5000];
  std::memset(value, 'x', sizeof value);
  value[1] = '=';
  value[sizeof value - 1] = '\0';
  char* const is_off[] = {on, value, off, nullptr};
  char* const is_on[] = {on, long_name, more, value, nullptr};
  EXPECT_EQ(run_again(test, is_off), 0);
  EXPECT_EQ(run_again(test, is_on), 1);
}

TEST(Page, ReadsNoEnvironmentThatOtherThreadsChange) {
  ASSERT_NE(page(), nullptr);
  static constexpr char test[] = "Page.DISABLED_IsSharedAlthoughTheEnvironmentHasChanged";
  char* const none[] = {nullptr};
  EXPECT_EQ(run_again(test, none), 0);
}

TEST(Page, DISABLED_IsSharedAlthoughTheEnvironmentHasChanged) {
  setenv("XICHAN_PAGE", "0", 1);
  ASSERT_NE(page(), nullptr);
  EXPECT_GE(page_descriptor(), 0);
}

TEST(Page, CanBeMadePrivate) {
  ASSERT_NE(page(), nullptr);
  EXPECT_EQ(in_child([] {
              make_page_private();
              return in_child([] { return existing_page() != nullptr && page_descriptor() == -1 ? 7 : 1; });
            }),
            7);
}

TEST(Page, IsReadThroughItsDescriptor) {
  ASSERT_NE(page(), nullptr);
  const std::string path = "/proc/self/fd/" + std::to_string(page_descriptor());
  const int file = open(path.c_str(), O_RDONLY);
  ASSERT_GE(file, 0);
  void* const memory = mmap(nullptr, sizeof(Page), PROT_READ, MAP_SHARED, file, 0);
  close(file);
  ASSERT_NE(memory, MAP_FAILED);
  const auto& header = *static_cast<const PageHeader*>(memory);
  EXPECT_EQ(std::memcmp(memory, "xichanpg", 8), 0);
  EXPECT_EQ(header.version.load(), page_version);
  EXPECT_EQ(header.size.load(), sizeof(Page));
  EXPECT_EQ(header.process.load(), static_cast<std::uint64_t>(getpid()));
  EXPECT_GT(header.start_time.load(), 0u);
  const PageTable& waits = header.tables[0];
  EXPECT_EQ(waits.kind.load(), static_cast<std::uint32_t>(PageTableKind::waits));
  EXPECT_LE(waits.offset.load() + waits.slots.load() * waits.slot_size.load(), sizeof(Page));
  munmap(memory, sizeof(Page));
}

TEST(Page, OfAChildIsItsOwn) {
  ASSERT_NE(page(), nullptr);
  const int inherited = page_descriptor();
  const ino_t inode = [&] {
    struct stat status{};
    fstat(inherited, &status);
    return status.st_ino;
  }();
  const std::uint32_t forks = page_forks();
  const pid_t child = fork();
  if (child == 0) {
    struct stat status{};
    bool good = existing_page() != nullptr && page_forks() == forks + 1;
    good = good && fstat(page_descriptor(), &status) == 0 && status.st_ino != inode;
    // The descriptor of the parent's is closed: no number leads to its file.
    for (int number = 0; number < 256; ++number) good = good && (fstat(number, &status) != 0 || status.st_ino != inode);
    _exit(good ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(Page, AChildLeavesAForeignDescriptorAlone) {
  ASSERT_NE(page(), nullptr);
  // The program closes all descriptors, and opens a file that gets the number of the page's.
  const pid_t child = fork();
  if (child == 0) {
    const int number = page_descriptor();
    close(number);
    const int file = open("/dev/null", O_RDONLY);
    dup2(file, number);
    const pid_t grandchild = fork();
    if (grandchild == 0) _exit(fcntl(number, F_GETFD) >= 0 && page_descriptor() >= 0 ? 0 : 1);
    int status = 0;
    waitpid(grandchild, &status, 0);
    _exit(page_descriptor() == -1 ? WEXITSTATUS(status) : 2);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(Place, IsTheSameForTheSameLine) {
  const Place* const place = Place::intern("a.py", 3);
  ASSERT_NE(place, nullptr);
  EXPECT_EQ(place->file(), "a.py");
  EXPECT_EQ(place->line(), 3u);
  EXPECT_EQ(Place::intern(std::string("a.py"), 3), place);
  EXPECT_NE(Place::intern("a.py", 4), place);
  EXPECT_NE(Place::intern("b.py", 3), place);
}

TEST(Place, IsTheSameForAllThreads) {
  const Place* places[4][100];
  test::together(4, [&](unsigned thread) {
    for (std::uint32_t i = 0; i < 100; ++i) places[thread][i] = Place::intern("threads.py", i);
  });
  for (unsigned thread = 1; thread < 4; ++thread) {
    for (std::uint32_t i = 0; i < 100; ++i) EXPECT_EQ(places[thread][i], places[0][i]);
  }
}

}  // namespace
}  // namespace xichan::internal

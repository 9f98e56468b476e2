// Memory below the arena: runs of pages, slabs, the number of mappings, memory that goes back to the system, the memory
// of rings, and the ceiling.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "arena/arena.h"
#include "arena/cache_quota.h"
#include "arena/ceiling.h"
#include "arena/pages.h"
#include "arena/ring_memory.h"
#include "arena/slabs.h"
#include "ring/segmented.h"
#include "support/support.h"
#include "value/cell.h"
#include "xichan/channel.h"

namespace xichan::internal {
namespace {

constexpr std::uint64_t mib = 1 << 20;

class ArenaPages : public test::ArenaTest {
 protected:
  void TearDown() override {
    Arena::set_limit(UINT64_MAX);
    ArenaTest::TearDown();
  }
};

unsigned mappings() {
  std::ifstream maps("/proc/self/maps");
  unsigned count = 0;
  for (std::string line; std::getline(maps, line);) ++count;
  return count;
}

std::uint64_t resident() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size = 0, pages = 0;
  statm >> size >> pages;
  return pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

Block* block_of(std::uint64_t total) {
  Block* block = nullptr;
  EXPECT_EQ(Arena::allocate(total - sizeof(Block), 0, block), Status::ok);
  std::memset(block->body(), 0xab, block->body_bytes());
  return block;
}

// Runs `check` in a child process, whose memory no other test has used. It returns an empty string if all is well.
void in_child(const std::function<std::string()>& check) {
  if (test::sanitized) GTEST_SKIP() << "sanitizers take memory themselves, and fork may copy their locked mutexes";
  const pid_t child = fork();
  if (child == 0) {
    alarm(120);  // kills a hanging child
    const std::string complaint = check();
    if (!complaint.empty()) std::fprintf(stderr, "%s\n", complaint.c_str());
    _exit(complaint.empty() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

bool is_zero(const void* memory, std::uint64_t bytes) {
  const auto* byte = static_cast<const unsigned char*>(memory);
  return std::all_of(byte, byte + bytes, [](unsigned char b) { return b == 0; });
}

TEST_F(ArenaPages, AllocationsAreZeroedAndDoNotOverlap) {
  struct Piece {
    char* memory;
    std::uint64_t bytes;
  };
  std::vector<Piece> pieces;
  for (int round = 0; round < 3; ++round) {
    for (std::uint64_t bytes :
         {std::uint64_t{1}, 40'000ul, 65'536ul, 65'537ul, 300'000ul, 5 * mib, 16 * mib, 17 * mib}) {
      auto* memory = static_cast<char*>(Pages::allocate(bytes));
      ASSERT_NE(memory, nullptr);
      ASSERT_TRUE(is_zero(memory, bytes));
      std::memset(memory, static_cast<int>(pieces.size() + 1), bytes);
      pieces.push_back({memory, bytes});
    }
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      ASSERT_EQ(pieces[i].memory[0], static_cast<char>(i + 1));
      ASSERT_EQ(pieces[i].memory[pieces[i].bytes - 1], static_cast<char>(i + 1));
    }
    for (std::size_t i = 0; i < pieces.size(); i += 2) {
      Pages::free(pieces[i].memory, pieces[i].bytes);
      pieces[i].memory = static_cast<char*>(Pages::allocate(pieces[i].bytes));
      ASSERT_TRUE(is_zero(pieces[i].memory, pieces[i].bytes)) << "freed pages are returned";
      std::memset(pieces[i].memory, static_cast<int>(i + 1), pieces[i].bytes);
    }
  }
  for (const Piece& piece : pieces) Pages::free(piece.memory, piece.bytes);
}

TEST_F(ArenaPages, FreedRunsAreUsedAgainLowestAddressFirst) {
  std::array<void*, 6> runs;
  for (void*& run : runs) run = Pages::allocate(100'000);
  Pages::free(runs[4], 100'000);
  Pages::free(runs[1], 100'000);
  EXPECT_EQ(Pages::allocate(100'000), std::min(runs[1], runs[4]));
  EXPECT_EQ(Pages::allocate(100'000), std::max(runs[1], runs[4]));
  for (void* run : runs) Pages::free(run, 100'000);
}

TEST_F(ArenaPages, ResizeKeepsContent) {
  for (const auto& [from, to] : {std::pair{300'000ul, 100'000ul}, {70'000ul, 120'000ul}, {20 * mib, 18 * mib}}) {
    auto* memory = static_cast<char*>(Pages::allocate(from));
    std::memset(memory, 7, std::min(from, to));
    auto* resized = static_cast<char*>(Pages::resize(memory, align_up(from, Pages::page), align_up(to, Pages::page)));
    if (resized == nullptr) {  // not possible without copying
      Pages::free(memory, from);
      continue;
    }
    EXPECT_EQ(resized[0], 7);
    EXPECT_EQ(resized[std::min(from, to) - 1], 7);
    Pages::free(resized, to);
  }
  void* memory = Pages::allocate(Region::granule_bytes);
  EXPECT_EQ(Pages::resize(memory, Region::granule_bytes, 2 * Region::granule_bytes), nullptr);
  EXPECT_EQ(Pages::resize(memory, Region::granule_bytes, 17 * mib), nullptr);
  Pages::free(memory, Region::granule_bytes);
}

// With a mapping for each block, this would take one for each that is left.
TEST_F(ArenaPages, ManyLargeBlocksTakeFewMappings) {
  const unsigned before = mappings();
  std::vector<Block*> blocks(10'000);
  for (Block*& block : blocks) ASSERT_EQ(Arena::allocate(40'000, 0, block), Status::ok);
  for (std::size_t i = 0; i < blocks.size(); i += 2) Arena::release(blocks[i]);
  EXPECT_LT(mappings(), before + 100);
  for (std::size_t i = 0; i < blocks.size(); i += 2) ASSERT_EQ(Arena::allocate(90'000, 0, blocks[i]), Status::ok);
  EXPECT_LT(mappings(), before + 100);
  for (Block* block : blocks) Arena::release(block);
  EXPECT_LT(mappings(), before + 100);
}

TEST_F(ArenaPages, ManyThreadsAllocateAndFreeRuns) {
  const test::Watchdog watchdog("runs of pages from many threads", std::chrono::seconds(120));
  test::together(4, [](unsigned thread) {
    std::array<char*, 8> held{};
    std::array<std::uint64_t, 8> size{};
    for (int i = 0; i < test::rounds(10'000); ++i) {
      const auto random = static_cast<std::uint32_t>(i + 1) * 2654435761u ^ thread * 40503u;
      const unsigned slot = random >> 8 & 7;
      if (held[slot] != nullptr) {
        ASSERT_EQ(held[slot][0], static_cast<char>(thread + 1));
        ASSERT_EQ(held[slot][size[slot] - 1], static_cast<char>(thread + 1));
        Pages::free(held[slot], size[slot]);
      }
      size[slot] = 1 + (random >> 12) % 400'000;
      held[slot] = static_cast<char*>(Pages::allocate(size[slot]));
      ASSERT_EQ(held[slot][0], 0);
      ASSERT_EQ(held[slot][size[slot] - 1], 0);
      held[slot][0] = held[slot][size[slot] - 1] = static_cast<char>(thread + 1);
    }
    for (unsigned slot = 0; slot < held.size(); ++slot) {
      if (held[slot] != nullptr) Pages::free(held[slot], size[slot]);
    }
  });
}

TEST_F(ArenaPages, ManyThreadsShareSlabs) {
  const test::Watchdog watchdog("slabs from many threads", std::chrono::seconds(120));
  constexpr std::array<std::uint64_t, 4> sizes = {48, 1040, 20'000, 32'768};
  std::array<std::atomic<unsigned*>, 256> shared{};
  const std::uint64_t before = Pages::returned_bytes();
  test::together(4, [&](unsigned thread) {
    for (int i = 0; i < test::rounds(40'000); ++i) {
      const auto random = static_cast<std::uint32_t>(i + 1) * 2654435761u ^ thread * 40503u;
      const std::uint64_t bytes = sizes[random >> 4 & 3];
      auto* words = static_cast<unsigned*>(Slabs::allocate_object(bytes));
      ASSERT_NE(words, nullptr);
      words[0] = static_cast<unsigned>(bytes / sizeof(unsigned)) - 1;
      words[words[0]] = random | 1;
      std::atomic<unsigned*>& slot = shared[random >> 8 & 255];
      if (unsigned* old = slot.exchange(words)) {
        ASSERT_NE(old[old[0]], 0u);
        old[old[0]] = 0;
        Slabs::deallocate(old);
      }
    }
  });
  for (std::atomic<unsigned*>& slot : shared) {
    if (slot.load() != nullptr) Slabs::deallocate(slot.load());
  }
  EXPECT_GT(Pages::returned_bytes(), before) << "empty slabs are returned at once";
}

TEST_F(ArenaPages, MemoryOfBurstIsReturned) {
  in_child([]() -> std::string {
    std::vector<Block*> blocks(300'000);
    Arena::release(block_of(240));
    const std::uint64_t before = resident();
    for (Block*& block : blocks) block = block_of(240);
    const std::uint64_t full = resident();
    for (Block* block : blocks) Arena::release(block);
    const std::uint64_t drained = resident();
    const std::uint64_t trimmed_bytes = trim();
    const std::uint64_t trimmed = resident();
    if (full < before + 60 * mib) return "the burst took no memory";
    if (drained > before + 5 * mib) return "after the burst: " + std::to_string((drained - before) / mib) + " MiB";
    if (trimmed > before + mib) return "after trim: " + std::to_string((trimmed - before) / 1024) + " KiB";
    return trimmed_bytes == 0 ? "trim returned 0" : "";
  });
}

TEST_F(ArenaPages, MemoryOfChannelsIsReturned) {
  in_child([]() -> std::string {
    struct Pair {
      Sender tx;
      Receiver rx;
    };
    std::vector<Pair> pairs(20'000);
    const std::uint64_t before = resident();
    for (Pair& pair : pairs) {
      if (channel(1024, pair.tx, pair.rx) != Status::ok) return "no channel";
    }
    const std::uint64_t full = resident();
    pairs.clear();
    const std::uint64_t after = resident();
    if (full > before + 50 * mib) return "unused rings take " + std::to_string((full - before) / mib) + " MiB";
    return after > before + 5 * mib ? "closed channels keep " + std::to_string((after - before) / mib) + " MiB" : "";
  });
}

TEST_F(ArenaPages, BlockedThreadReturnsItsCache) {
  const test::Watchdog watchdog("a blocked thread");
  Arena::release_cached();
  const std::uint64_t before = memory_stats().cached;
  Sender tx;
  Receiver rx;
  ASSERT_EQ(channel(1024, tx, rx), Status::ok);
  std::atomic<bool> freed{false};
  std::thread blocked([&] {
    for (const std::uint64_t total : {200u, 5'000u, 100'000u}) Arena::release(block_of(total));
    freed.store(true);
    Value value;
    EXPECT_EQ(rx.recv(value), Status::ok);
  });
  test::await([&] { return freed.load(); });
  test::await([&] { return memory_stats().cached <= before; });  // while the thread is blocked
  EXPECT_EQ(tx.send(Value::of(1)), Status::ok);
  blocked.join();
}

TEST_F(ArenaPages, BlockedThreadReturnsWhatAnotherThreadFrees) {
  const test::Watchdog watchdog("blocked threads");
  Arena::release_cached();
  const std::uint64_t before = memory_stats().cached;
  struct Blocked {
    Blocked() {
      EXPECT_EQ(channel(1024, tx, rx), Status::ok);
      thread = std::thread([this] {
        Value value;
        EXPECT_EQ(rx.recv(value), Status::ok);
      });
      test::await([&] { return rx.stats().waiting_receivers == 1; });
    }
    void end() {
      EXPECT_EQ(tx.send(Value::of(1)), Status::ok);
      thread.join();
    }
    Sender tx;
    Receiver rx;
    std::thread thread;
  };
  const auto free_some = [&] {
    for (int i = 0; i < 50; ++i) Arena::release(block_of(100'000));
    EXPECT_GT(memory_stats().cached, before);
  };
  const auto await_return = [&] { test::await([&] { return memory_stats().cached <= before; }); };
  Blocked one;
  for (int i = 0; i < 2; ++i) {
    free_some();
    await_return();
  }
  // Either of two may be the one that returns memory, and leave before it has done so.
  Blocked other;
  free_some();
  one.end();
  await_return();
  Blocked third;
  free_some();
  other.end();
  await_return();
  third.end();
}

TEST_F(ArenaPages, RingsAreCountedAndLimited) {
  const std::uint64_t before = RingMemory::bytes();
  {
    SegmentedRing<Cell> ring;
    EXPECT_GT(RingMemory::bytes(), before);
    set_memory_limit(memory_stats().bytes + mib);
    std::uint64_t sent = 0;
    Status status = Status::ok;
    for (; sent < 10'000'000 && status == Status::ok; ++sent) status = ring.try_push(Cell::of(Tag::none));
    EXPECT_EQ(status, Status::arena_full);
    EXPECT_LT(sent * sizeof(Cell), 5 * mib) << "4 MiB are free of charge, 1 MiB is the limit";
    EXPECT_GE(memory_stats().rings, mib);
    Block* block;
    EXPECT_EQ(Arena::allocate(mib / 2, 0, block), Status::arena_full) << "rings and blocks share the limit";
    for (Cell cell; ring.try_pop(cell) == Status::ok;) {
    }
    EXPECT_EQ(Arena::allocate(mib / 2, 0, block), Status::ok) << "the drained ring makes room";
    Arena::release(block);
    EXPECT_EQ(ring.try_push(Cell::of(Tag::none)), Status::ok);
  }
  EXPECT_EQ(RingMemory::bytes(), before);
}

TEST_F(ArenaPages, ChannelBeyondLimitIsRefused) {
  set_memory_limit(memory_stats().bytes + 4 * mib);
  Sender tx;
  Receiver rx;
  EXPECT_EQ(channel({.capacity = 1 << 20}, tx, rx), Status::arena_full);
  EXPECT_EQ(channel({.capacity = 1 << 10}, tx, rx), Status::ok);
}

TEST_F(ArenaPages, RingAllocationCanBeMadeToFail) {
  const std::uint64_t before = RingMemory::bytes();
  Arena::fail_after(0);
  Sender tx;
  Receiver rx;
  EXPECT_EQ(channel(1024, tx, rx), Status::no_memory);
  Arena::fail_after(-1);
  EXPECT_EQ(RingMemory::bytes(), before);
}

class ArenaCeiling : public ::testing::Test {
 protected:
  ArenaCeiling() : root_(std::filesystem::path(::testing::TempDir()) / ("xichan-cgroup-" + std::to_string(getpid()))) {
    std::filesystem::create_directories(root_);
  }
  ~ArenaCeiling() override { std::filesystem::remove_all(root_); }

  void write(const std::string& file, const std::string& text) {
    const std::filesystem::path path = root_ / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text << "\n";
  }
  std::uint64_t read() { return MemoryCeiling::of_cgroups((root_ / "self").c_str(), root_.c_str()); }

 private:
  const std::filesystem::path root_;
};

TEST_F(ArenaCeiling, IsLeastLimitOfGroupAndAncestors) {
  EXPECT_EQ(read(), UINT64_MAX) << "no file";
  write("self", "0::/jobs/one/task");
  EXPECT_EQ(read(), UINT64_MAX) << "no limit";
  write("jobs/one/task/memory.max", "max");
  write("jobs/one/memory.max", "300000000");
  write("jobs/memory.max", "500000000");
  EXPECT_EQ(read(), 300'000'000u);
  write("jobs/memory.max", "200000000");
  EXPECT_EQ(read(), 200'000'000u);
  write("jobs/one/task/memory.max", "100000000");
  EXPECT_EQ(read(), 100'000'000u);
}

TEST_F(ArenaCeiling, ReadsVersionOne) {
  write("self", "5:devices:/\n4:cpu,memory:/docker/abc\n0::/");
  write("memory/memory.limit_in_bytes", "9223372036854771712");
  EXPECT_EQ(read(), 9'223'372'036'854'771'712u);
  write("memory/docker/abc/memory.limit_in_bytes", "123456789");
  EXPECT_EQ(read(), 123'456'789u);
}

TEST_F(ArenaCeiling, FindsLimitAtMountPointOfContainer) {
  write("self", "0::/host/path/of/the/container");
  write("memory.max", "64000000");
  EXPECT_EQ(read(), 64'000'000u);
}

TEST_F(ArenaCeiling, IgnoresMalformedLines) {
  write("self", "nonsense\n:\n::\n4:memoryish:/x");
  write("memory/x/memory.limit_in_bytes", "1");
  EXPECT_EQ(read(), UINT64_MAX);
}

TEST_F(ArenaCeiling, BoundsBlocksWithoutLimit) {
  EXPECT_GT(MemoryCeiling::bytes(), 0u);
  Block* block;
  if (MemoryCeiling::bytes() < PTRDIFF_MAX / 2) {
    EXPECT_EQ(Arena::allocate(MemoryCeiling::bytes(), 0, block), Status::no_memory);
  }
}

}  // namespace
}  // namespace xichan::internal

#include "page/page.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>

#include "page/memory_file.h"
#include "page/own_process.h"
#include "xichan/version.h"

namespace xichan::internal {
namespace {

constinit atomic<Page*> current{nullptr};
constinit atomic<int> descriptor{-1};
constinit atomic<std::uint64_t> device{0};  // of the descriptor, which the program may have closed behind our back
constinit atomic<std::uint64_t> inode{0};
constinit atomic<std::uint32_t> forks{0};
constinit atomic<bool> is_private{false};      // the environment says so
constinit atomic<int> refusal{0};              // why there is no file, or not all of it: an errno, until it is taken
constinit atomic<bool> is_refused{false};      // there is such a reason, taken or not
constinit atomic<std::uint32_t> missing{~0u};  // the parts of the page that have not been allocated, a bit each

constexpr std::size_t part = 64 << 10;
static_assert(sizeof(Page) <= 32 * part);

struct Mapping {
  Page* page = nullptr;
  int descriptor = -1;
};

void describe(PageTable& table, PageTableKind kind, std::size_t slot_size, std::size_t offset, std::size_t slots,
              std::size_t used = 0) noexcept {
  table.slot_size.store(static_cast<std::uint32_t>(slot_size), memory_order_relaxed);
  table.offset.store(offset, memory_order_relaxed);
  table.slots.store(slots, memory_order_relaxed);
  table.used.store(used, memory_order_relaxed);
  table.kind.store(static_cast<std::uint32_t>(kind), memory_order_relaxed);
}

void fill(PageHeader& header) noexcept {
  header.version.store(page_version, memory_order_relaxed);
  header.header_size.store(page_header_size, memory_order_relaxed);
  header.size.store(sizeof(Page), memory_order_relaxed);
  header.process.store(static_cast<std::uint64_t>(getpid()), memory_order_relaxed);
  header.start_time.store(process_start(), memory_order_relaxed);
  char release[sizeof header.release] = XICHAN_VERSION;
  for (std::size_t i = 0; i < sizeof release / 8; ++i) {
    std::uint64_t word;
    memcpy(&word, release + i * 8, 8);
    header.release[i].store(word, memory_order_relaxed);
  }
  describe(header.tables[0], PageTableKind::waits, sizeof(WaitSlot), offsetof(Page, waits), wait_slots);
  describe(header.tables[1], PageTableKind::snapshot, sizeof(Page::snapshot), offsetof(Page, snapshot), 1, 1);
  describe(header.tables[2], PageTableKind::channels, sizeof(RowSlot<ChannelRow>), offsetof(Page, channels),
           channel_slots, channel_slots);
  describe(header.tables[3], PageTableKind::objects, sizeof(RowSlot<ObjectRow>), offsetof(Page, objects), object_slots,
           object_slots);
  describe(header.tables[workers_table], PageTableKind::workers, sizeof(WorkerSlot), offsetof(Page, workers),
           worker_slots);
  describe(header.tables[5], PageTableKind::remotes, sizeof(RowSlot<RemoteRow>), offsetof(Page, remotes), remote_slots,
           remote_slots);
  header.magic.store(page_magic, memory_order_release);  // (54) with the readers: the header is complete
}

void note_file(PageHeader& header, int number) noexcept {
  struct stat status{};
  if (number < 0 || fstat(number, &status) != 0) return;
  header.file[0].store(static_cast<std::uint64_t>(number) + 1, memory_order_relaxed);
  header.file[1].store(status.st_dev, memory_order_relaxed);
  header.file[2].store(status.st_ino, memory_order_relaxed);
}

void refuse(int error) noexcept {
  if (!is_refused.exchange(true, memory_order_relaxed)) refusal.store(error, memory_order_relaxed);
}

// Maps a file of which the first part is allocated: the header, and enough for most processes. MAP_FAILED and an errno
// without memory.
void* map_file(int file, int& error) noexcept {
  void* const memory = mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  error = memory == MAP_FAILED ? errno : allocate_mapped(memory, part);
  if (error == EINVAL) error = allocate_file(file, sizeof(Page));
  if (error == 0 || memory == MAP_FAILED) return memory;
  munmap(memory, sizeof(Page));
  return MAP_FAILED;
}

// Calls only functions that the child of a fork may call.
Mapping make_mapping() noexcept {
  Mapping made;
  void* memory = MAP_FAILED;
  if (!is_private.load(memory_order_relaxed)) {
    const int file = make_memory_file(sizeof(Page));
    int error = -file;
    if (file >= 0) memory = map_file(file, error);
    if (memory != MAP_FAILED) {
      made.descriptor = file;
    } else {
      refuse(error);
      if (file >= 0) close(file);
    }
  }
  if (memory == MAP_FAILED) {
    memory = mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }
  if (memory == MAP_FAILED) return made;
  // Without this a child would write to the page of its parent until it has its own.
  madvise(memory, sizeof(Page), MADV_DONTFORK);
  made.page = static_cast<Page*>(memory);
  note_file(made.page->header, made.descriptor);
  fill(made.page->header);
  return made;
}

// Returns the descriptor if it still is that of the file, else -1.
int still_open(int number, std::uint64_t file_device, std::uint64_t file_inode) noexcept {
  struct stat status{};
  const bool is_same =
      number >= 0 && fstat(number, &status) == 0 && status.st_dev == file_device && status.st_ino == file_inode;
  return is_same ? number : -1;
}

// For the child of a fork, where this page is not mapped.
void note(const Mapping& made) noexcept {
  if (made.page == nullptr) return descriptor.store(-1, memory_order_relaxed);
  device.store(made.page->header.file[1].load(memory_order_relaxed), memory_order_relaxed);
  inode.store(made.page->header.file[2].load(memory_order_relaxed), memory_order_relaxed);
  descriptor.store(made.descriptor, memory_order_relaxed);
}

// In the child of a fork, where the page of the parent is not mapped.
void replace_after_fork() noexcept {
  forks.fetch_add(1, memory_order_relaxed);
  if (current.exchange(nullptr, memory_order_relaxed) == nullptr) return;
  const int parents = still_open(descriptor.load(memory_order_relaxed), device.load(memory_order_relaxed),
                                 inode.load(memory_order_relaxed));
  if (parents >= 0) close(parents);
  missing.store(~0u, memory_order_relaxed);
  is_refused.store(false, memory_order_relaxed);
  refusal.store(0, memory_order_relaxed);
  const Mapping made = make_mapping();
  note(made);
  current.store(made.page, memory_order_release);
}

[[gnu::constructor]] void watch_forks() { pthread_atfork(nullptr, nullptr, replace_after_fork); }

Page* create() noexcept {
  if (is_started_private()) make_page_private();
  const Mapping made = make_mapping();
  if (made.page == nullptr) return nullptr;
  Page* other = nullptr;
  // (55) release and acquire: a page is filled before another thread uses it.
  if (current.compare_exchange_strong(other, made.page, memory_order_acq_rel, memory_order_acquire)) {
    note(made);
    return made.page;
  }
  munmap(made.page, sizeof(Page));
  if (made.descriptor >= 0) close(made.descriptor);
  return other;
}

}  // namespace

Page* existing_page() noexcept { return current.load(memory_order_acquire); }  // (55)

Page* page() noexcept {
  Page* const found = existing_page();
  return found != nullptr ? found : create();
}

bool allocate_in_page(const void* begin, std::size_t size) noexcept {
  std::byte* const memory = reinterpret_cast<std::byte*>(existing_page());
  const auto offset = static_cast<std::size_t>(static_cast<const std::byte*>(begin) - memory);
  for (std::size_t i = offset / part; i <= (offset + size - 1) / part; ++i) {
    const std::uint32_t bit = 1u << i;
    // relaxed: the memory is the same in whichever thread it was allocated
    if ((missing.load(memory_order_relaxed) & bit) == 0) continue;
    const int error = allocate_mapped(memory + i * part, std::min(part, sizeof(Page) - i * part));
    if (error != 0 && error != EINVAL) {  // EINVAL: all of it is there since the page was made
      refuse(error);
      return false;
    }
    missing.fetch_and(~bit, memory_order_relaxed);
  }
  return true;
}

void make_page_private() noexcept { is_private.store(true, memory_order_relaxed); }

int take_page_refusal() noexcept { return refusal.exchange(0, memory_order_relaxed); }

int page_descriptor() noexcept {
  const Page* const page = existing_page();
  if (page == nullptr) return -1;
  const auto& file = page->header.file;
  return still_open(static_cast<int>(file[0].load(memory_order_relaxed)) - 1, file[1].load(memory_order_relaxed),
                    file[2].load(memory_order_relaxed));
}

std::uint32_t page_forks() noexcept { return forks.load(memory_order_relaxed); }

std::uint32_t native_thread() noexcept {
  thread_local std::uint32_t id = 0;
  thread_local std::uint32_t read_after = 0;
  const std::uint32_t now = page_forks() + 1;
  if (read_after != now) {
    id = static_cast<std::uint32_t>(syscall(SYS_gettid));
    read_after = now;
  }
  return id;
}

}  // namespace xichan::internal

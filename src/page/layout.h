// The page of a process: fixed-size memory in which the process shows what it does, for readers in this process and in
// others. docs/reference/page.md documents it for readers; whatever changes the layout raises `page_version`.
//
// A reader trusts nothing that it reads: every count and offset is checked against the size of the memory, and every
// slot is guarded by a sequence number. So a process that dies while it writes leaves at most a slot that is rejected.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/atomic.h"
#include "page/rows.h"
#include "page/sequenced.h"
#include "page/slot_set.h"

namespace xichan::internal {

inline constexpr std::uint64_t page_magic = 0x6770'6e61'6863'6978;  // "xichanpg", little-endian
inline constexpr std::uint32_t page_version = 2;

enum class PageTableKind : std::uint32_t { none, waits, snapshot, channels, objects, workers, remotes };

/// Where a table of slots begins in the page.
struct PageTable {
  atomic<std::uint32_t> kind;       // PageTableKind
  atomic<std::uint32_t> slot_size;  // bytes
  atomic<std::uint64_t> offset;     // of slot 0, from the start of the page
  atomic<std::uint64_t> slots;
  atomic<std::uint64_t> used;  // no slot from here on has ever been used
};

inline constexpr std::size_t page_tables = 8;
inline constexpr std::size_t workers_table = 4;  // its place among the tables
inline constexpr std::size_t page_header_size = 4096;

/// Slots for threads come first, as many for coroutines after them: many coroutines leave room for threads.
inline constexpr std::size_t thread_wait_slots = 1024;
inline constexpr std::size_t wait_slots = thread_wait_slots * 2;

struct PageHeader {
  atomic<std::uint64_t> magic;  // stored last: the rest of the header is complete, see (54)
  atomic<std::uint32_t> version;
  atomic<std::uint32_t> header_size;
  atomic<std::uint64_t> size;        // of the page
  atomic<std::uint64_t> process;     // process id, as the process itself sees it
  atomic<std::uint64_t> start_time;  // of the process, in clock ticks since the system has booted; 0: not known
  atomic<std::uint64_t> release[4];  // version of xichan, text padded with zeros
  PageTable tables[page_tables];
  atomic<std::uint64_t> waits_begun;    // the number of the last wait
  atomic<std::uint64_t> waits_unshown;  // waits for which no slot was free
  atomic<std::uint32_t> request;        // futex: how many snapshots readers have asked for, see page/rows.h
  atomic<std::uint32_t> answer;         // futex: the request that the last snapshot answers
  atomic<std::uint32_t> publisher;      // native id of the thread that takes snapshots on request; 0: there is none
  atomic<std::uint32_t> unused[3];
  atomic<std::uint64_t> file[3];        // descriptor + 1, device, inode; 0: private memory; not for readers
  SlotSet<thread_wait_slots> taken[2];  // of the slots for threads, and of those for coroutines; not for readers
};
static_assert(sizeof(PageHeader) <= page_header_size);

/// A blocked call. The words are listed in `WaitWord`.
struct WaitSlot {
  static constexpr std::size_t words = 62;

  SequencedWords<words> content;
  atomic<std::uint64_t> unused;
};
static_assert(sizeof(WaitSlot) == 512);

/// The positions of the words of a WaitSlot. Texts are UTF-8, padded to words.
struct WaitWord {
  static constexpr std::size_t number = 0;       // of the wait; 0: the slot shows none
  static constexpr std::size_t started = 1;      // CLOCK_MONOTONIC, nanoseconds
  static constexpr std::size_t interpreter = 2;  // signed; -1: a thread of C++
  static constexpr std::size_t thread = 3;       // flags << 32 | native thread id
  static constexpr std::size_t line = 4;         // more << 40 | cases << 32 | line
  static constexpr std::size_t lengths = 5;      // of file << 32 | of function << 16 | of call
  static constexpr std::size_t cases = 6;        // of each: kind, low, high
  static constexpr std::size_t call = 18;
  static constexpr std::size_t function = 23;
  static constexpr std::size_t file = 36;
};

inline constexpr std::size_t most_wait_cases = 4;
inline constexpr std::size_t most_call_bytes = (WaitWord::function - WaitWord::call) * 8;
inline constexpr std::size_t most_function_bytes = (WaitWord::file - WaitWord::function) * 8;
inline constexpr std::size_t most_file_bytes = (WaitSlot::words - WaitWord::file) * 8;

struct Page {
  PageHeader header;
  std::byte reserved[page_header_size - sizeof(PageHeader)];
  WaitSlot waits[wait_slots];
  WorkerSlot workers[worker_slots];
  RowSlot<ChannelRow> channels[channel_slots];
  RowSlot<ObjectRow> objects[object_slots];
  RowSlot<RemoteRow> remotes[remote_slots];
  RowSlot<SnapshotRow> snapshot;
  std::byte unused[4096 - sizeof(RowSlot<SnapshotRow>)];
};
static_assert(sizeof(Page) % 4096 == 0);

}  // namespace xichan::internal

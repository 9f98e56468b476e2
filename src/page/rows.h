// The tables of the page besides the waits: the last snapshot of channels, objects and memory, and the
// workers. docs/reference/page.md describes them for readers; xichan.top.layout has the same layout in Python.
//
// A snapshot is taken on request. A reader increments `request` of the header and wakes its futex; the publisher
// (directory/page_publisher.h) takes a snapshot, stores the number in `answer` and wakes its futex. Workers write their
// rows when they change.
//
// A row consists of words of 64 bits, in the byte order of the machine, without padding. Text is UTF-8 that ends at the
// first NUL or at the end of its array; it may be cut within a character.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string_view>
#include <type_traits>

#include "base/atomic.h"
#include "page/sequenced.h"
#include "page/slot_owner.h"

namespace xichan::internal {

/// Copies the beginning of a text into an array of zeros.
template <std::size_t size>
void copy_text(char (&to)[size], std::string_view text) noexcept {
  std::copy_n(text.data(), std::min(size, text.size()), to);
}

/// Describes the snapshot that the other rows belong to: those whose `snapshot` is this number.
struct SnapshotRow {
  std::uint64_t snapshot;  // 1 for the first
  std::int64_t time;       // Deadline::now() when it was taken
  std::uint64_t channels;  // alive; rows exist for `channel_rows` of them
  std::uint64_t objects;
  std::uint32_t channel_rows;
  std::uint32_t object_rows;
  std::uint64_t remotes;  // endpoints of channels on servers
  std::uint64_t remote_rows;
  std::uint64_t memory_blocks;
  std::uint64_t memory_bytes;
  std::uint64_t memory_high_water;
  std::uint64_t memory_limit;  // 2^64 - 1: none
  std::uint64_t memory_cached;
  std::uint64_t memory_rings;
  std::uint64_t memory_lent;
};

struct ChannelRow {
  static constexpr std::uint32_t is_closed = 1;     // no further send is accepted
  static constexpr std::uint32_t is_shut_down = 2;  // by shutdown()
  static constexpr std::uint32_t is_internal = 4;   // xichan itself uses the channel
  static constexpr std::uint32_t is_label = 8;      // `name` says what the channel is, as that of an internal one

  std::uint64_t snapshot;
  std::uint64_t id[2];
  std::uint32_t flavor;  // a number of xichan::Flavor
  std::uint32_t flags;
  std::uint64_t capacity;   // 2^64 - 1: unbounded
  std::uint64_t max_bytes;  // 0: no bound
  std::uint64_t depth;
  std::uint64_t bytes;
  std::uint64_t sent;
  std::uint64_t received;
  std::uint64_t dropped;
  std::uint64_t parks;
  std::uint32_t senders;
  std::uint32_t receivers;
  std::uint32_t waiting_senders;
  std::uint32_t waiting_receivers;
  char name[64];
};

struct ObjectRow {
  static constexpr std::int64_t no_value = INT64_MIN;

  std::uint64_t snapshot;
  std::uint64_t number;
  std::uint32_t kind;  // a number of xichan::StateKind
  std::uint32_t waiting;
  std::int64_t value;  // what the class of object has: its value, what arrived, whether it is held; or no_value
  std::int64_t limit;  // a Barrier: its parties; else 0
  std::int64_t owner_interpreter;  // a lock that is held: of what holds it; -1: not known
  std::uint64_t owner_thread;      // native id; 0: not known, or a coroutine
  char name[64];
};

/// An endpoint of a channel on a server.
struct RemoteRow {
  std::uint64_t snapshot;
  std::int64_t interpreter;  // -1: an endpoint of C++
  std::uint32_t thread;      // native id of the thread that opened it; 0: not known
  std::uint32_t receives;    // 1: a receiver
  char name[64];             // of the channel
  char server[64];
};

struct WorkerRow {
  enum Kind : std::uint32_t { pool, workers };
  enum State : std::uint32_t { starting, ready, ended };

  std::int64_t interpreter;
  std::int64_t thread;  // native id
  std::uint32_t kind;
  std::uint32_t state;
  char name[48];
  char task[104];  // the qualified name of the last function that it was given
  char error[88];  // of the last task that has failed: type and message
};

template <class Row>
inline constexpr bool is_row = std::is_trivially_copyable_v<Row> && std::has_unique_object_representations_v<Row> &&
                               sizeof(Row) % 8 == 0 && alignof(Row) == 8;
static_assert(is_row<SnapshotRow> && is_row<ChannelRow> && is_row<ObjectRow> && is_row<RemoteRow> && is_row<WorkerRow>);

/// A slot with a row. One thread at a time writes it, any thread reads.
template <class Row>
class RowSlot {
  static_assert(is_row<Row>);

 public:
  void write(const Row& row) noexcept {
    std::uint64_t words[sizeof(Row) / 8];
    std::memcpy(words, &row, sizeof row);
    words_.begin_write();
    for (std::size_t i = 0; i < std::size(words); ++i) words_.set(i, words[i]);
    words_.end_write();
  }
  /// Returns false if the row is being written.
  bool read(Row& row) const noexcept {
    std::uint64_t words[sizeof(Row) / 8];
    if (!words_.read(words)) return false;
    std::memcpy(&row, words, sizeof row);
    return true;
  }

 private:
  SequencedWords<sizeof(Row) / 8> words_;
};

/// The slot of a worker, with the words that change with its tasks.
struct WorkerSlot {
  RowSlot<WorkerRow> row;
  SlotOwner owner;
  atomic<std::int64_t> began;    // Deadline::now() when the task that runs began; 0: none runs
  atomic<std::uint64_t> tasks;   // that have ended
  atomic<std::uint64_t> failed;  // of these, by an exception
};

inline constexpr std::size_t channel_slots = 1024;
inline constexpr std::size_t object_slots = 512;
inline constexpr std::size_t worker_slots = 256;
inline constexpr std::size_t remote_slots = 128;

}  // namespace xichan::internal

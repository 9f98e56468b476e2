// Keeps the snapshot in the page (page/tables.h) up to date.
//
// A snapshot is taken
//   * when a reader asks for one: by the publisher, a thread that sleeps on the futex of requests, without a timeout;
//   * by a thread that is about to sleep, if the last one is older than a quarter of a second. So a process whose
//   threads
//     all sleep, or that is stopped, or that has no publisher, shows how it got there.
//
// A second thread changes what a program may do: os.fork() warns. So the publisher starts when there is another thread
// anyway: at the first sleep of a thread other than the main one, or when an interpreter other than the main one
// imports xichan. Before a fork it ends, and after it the parent starts it again if it has other threads; the child
// begins without.
//
// Progress: a snapshot takes the short locks of the registry and of objects, one entry at a time.
#pragma once

#include "xichan/export.h"

namespace xichan::internal {

struct Page;
struct ObjectRow;
struct SnapshotRow;
struct Token;

/// Thread safety: any thread that holds no lock of the core.
class XICHAN_API PagePublisher {
 public:
  /// Starts the thread, unless it runs or no other process can see the page. Without memory it does nothing.
  static void start() noexcept;
  /// Takes a snapshot, unless another thread is about to.
  static void publish() noexcept;

  /// Writes the rows of endpoints of channels on servers, and their numbers. Set by the layer that knows them.
  using Writer = void (*)(Page& page, SnapshotRow& row) noexcept;
  static Writer write_remotes;
  /// Stores the interpreter and native id of the thread that the token of a lock belongs to. Set likewise.
  using FindHolder = void (*)(const Token& token, ObjectRow& row) noexcept;
  static FindHolder find_holder;

  // Called around a fork by process.cpp, first and last.
  static void before_fork() noexcept;
  static void after_fork(bool in_child) noexcept;
};

}  // namespace xichan::internal

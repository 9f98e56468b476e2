// Lends objects to blocks: a block shows the memory of an immutable object, and no copy is made.
//
// A loan owns one reference to the object, and the reference table of a block owns the loan. Any thread may release the
// block, but only the owner of the object may release the reference, under its lock (in Python the GIL of the
// interpreter). So a release pushes the loan on a stack of the owner's Lender. The owner takes the whole stack with one
// exchange and drops the references (`drain`), at its next call. A stack that is only pushed to and taken as a whole
// has no ABA problem.
//
// When the owner ends, its objects stay where they are: they are plain memory. An object to which only loans refer is
// an *orphan*. The last release of its loans frees it, on whatever thread. An object to which something else refers as
// well is never freed, because no thread learns when that reference goes.
//
// Invariants
//   N1  a loan is at one place: in the encoder or a reference table, in the stack, or with the thread that took the
//       stack or releases an orphan. So it is returned once.
//   N2  a Lender is destroyed when its owner has closed it and the last loan is gone; each of them is one holder.
//   N3  `closed` in the stack is final. Whether an object is an orphan is decided before, and never changes.
//   N4  the list of loans, and all members but `returned_` and `holders_`, are guarded by the lock of the owner. After
//       `close` no thread uses them.
//
// Fork: in the child the Lender of the interpreter that forked is used on. Those of other interpreters have no owner
// there; their loans stay in the stack, and their objects in memory, as all memory of these interpreters does.
//
// Progress: lock-free; a release is one compare-and-swap. No function calls Python, apart from those of LentObjects.
#pragma once

#include <cstdint>

#include "arena/block.h"
#include "arena/slabs.h"
#include "base/atomic.h"
#include "base/intrusive_list.h"
#include "xichan/export.h"

namespace xichan::internal {

class Lender;

/// What an owner does with its objects.
struct LentObjects {
  /// Releases one reference. Under the lock of the owner.
  void (*drop)(void* object) noexcept;
  /// Returns true if there are `references` references to an object, no more, and its memory may be freed without the
  /// owner. Under the lock of the owner.
  bool (*has_only)(void* object, std::uint64_t references) noexcept;
  /// Frees the memory of an orphan. Any thread.
  void (*free_orphan)(void* object) noexcept;
};

/// One reference to a lent object.
class Loan : public InSlab {
 public:
  Loan(Lender& lender, void* object, std::uint64_t bytes) noexcept : lender_(lender), object_(object), bytes_(bytes) {}
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;

 private:
  friend class Lender;

  Lender& lender_;
  void* const object_;
  const std::uint64_t bytes_;
  ListHook<Loan> hook_;            // in the list of the lender
  plain<Loan*> next_{nullptr};     // in its stack
  plain<Loan*> group_{nullptr};    // of an orphan: the first of its loans, which counts them; else null
  atomic<std::uint32_t> left_{0};  // the loans of the group, once the lender is closed
  bool placed_ = false;            // a reference table owns it
  bool counted_ = false;           // in `Lender::bounded_`
};

/// Thread safety: each function says whether it needs the lock of the owner.
class XICHAN_API Lender : public InSlab {
 public:
  /// Returns null without memory. The owner destroys the Lender by `close`.
  static Lender* create(const LentObjects& objects) noexcept;
  Lender(const Lender&) = delete;
  Lender& operator=(const Lender&) = delete;

  /// Lends an object of `bytes` bytes, to which the caller adds a reference if the result is not null. Null if the
  /// Lender has lent too much (LentBytes), and without memory: then the caller makes a copy. Drains before. Under the
  /// lock of the owner, as the functions below.
  Loan* lend(void* object, std::uint64_t bytes) noexcept;
  /// Returns the entry for the reference table that owns the loan from now on.
  static Reference place(Loan* loan) noexcept;
  /// Takes back the loans that were not placed.
  void cancel() noexcept;

  /// Drops the references of all loans that were returned. Returns true if there were any.
  bool drain() noexcept { return has_returned() && drain_some(); }
  /// Returns true if `drain` has something to do.
  bool has_returned() const noexcept {
    // relaxed: only a hint; `drain` acquires.
    return returned_.load(memory_order_relaxed) != nullptr;
  }
  /// Returns true if a loan has not been drained.
  bool has_lent() const noexcept { return loans_.first() != nullptr; }

  /// Drains, and ends lending. The loans that are still out release themselves from now on. The owner must not use the
  /// Lender any more.
  void close() noexcept;

  /// The function of `loan_reference`: returns a loan. Any thread.
  static void return_loan(void* loan) noexcept;

 private:
  explicit Lender(const LentObjects& objects) noexcept : objects_(objects) {}
  ~Lender() = default;

  // Marks a stack that is closed; not the address of a loan.
  static Loan* closed() noexcept { return reinterpret_cast<Loan*>(std::uintptr_t{1}); }

  bool drain_some() noexcept;
  void settle(Loan* loan) noexcept;
  void unlink(Loan* loan) noexcept;
  void find_orphans() noexcept;
  static void release_orphan(Loan* loan) noexcept;
  static void destroy(Loan* loan) noexcept;
  void release_holder() noexcept;

  const LentObjects objects_;
  IntrusiveList<Loan, &Loan::hook_> loans_;  // newest first
  std::uint64_t bounded_ = 0;  // bytes lent and not drained; of an object that is lent several times in a row, once
  alignas(cache_line) atomic<Loan*> returned_{nullptr};
  atomic<std::uint64_t> holders_{1};
};

/// The type of references to a Loan.
XICHAN_API extern const ReferenceType loan_reference;

}  // namespace xichan::internal

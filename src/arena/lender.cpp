#include "arena/lender.h"

#include <new>

#include "arena/lent_bytes.h"
#include "base/pointer_map.h"

namespace xichan::internal {

constinit const ReferenceType loan_reference{ReferenceKind::loan, Lender::return_loan};

Lender* Lender::create(const LentObjects& objects) noexcept { return new (std::nothrow) Lender(objects); }

Loan* Lender::lend(void* object, std::uint64_t bytes) noexcept {
  drain();
  const Loan* const last = loans_.first();
  const bool again = last != nullptr && last->object_ == object;
  if (!again && !LentBytes::retain(bounded_, bytes)) return nullptr;
  const bool charged = LentBytes::charge(bytes);
  auto* const loan = charged ? new (std::nothrow) Loan(*this, object, bytes) : nullptr;
  if (loan == nullptr) {
    if (charged) LentBytes::refund(bytes);
    if (!again) LentBytes::drop(bytes);
    return nullptr;
  }
  holders_.fetch_add(1, memory_order_relaxed);  // the owner is a holder
  loan->counted_ = !again;
  if (!again) bounded_ += bytes;
  loans_.push_front(*loan);
  return loan;
}

Reference Lender::place(Loan* loan) noexcept {
  loan->placed_ = true;
  return {&loan_reference, loan};
}

void Lender::cancel() noexcept {
  for (Loan* loan = loans_.first(); loan != nullptr && !loan->placed_; loan = loans_.first()) {
    LentBytes::refund(loan->bytes_);
    settle(loan);
  }
}

bool Lender::drain_some() noexcept {
  // (31) acquire: each release has read the object before the reference to it is dropped. The pushes of a stack are
  // read-modify-writes, so the exchange synchronizes with all of them.
  Loan* loan = returned_.exchange(nullptr, memory_order_acquire);
  while (loan != nullptr) {
    Loan* const next = XICHAN_PLAIN(loan->next_);
    settle(loan);
    loan = next;
  }
  return true;
}

// Ends a loan that was returned to its owner.
void Lender::settle(Loan* loan) noexcept {
  unlink(loan);
  objects_.drop(loan->object_);
  destroy(loan);
}

void Lender::unlink(Loan* loan) noexcept {
  if (loan->counted_) {
    Loan* const newer = loans_.previous(*loan);
    if (newer != nullptr && newer->object_ == loan->object_ && !newer->counted_) {
      newer->counted_ = true;
    } else {
      bounded_ -= loan->bytes_;
      LentBytes::drop(loan->bytes_);
    }
  }
  loans_.remove(*loan);
}

void Lender::return_loan(void* object) noexcept {
  auto* const loan = static_cast<Loan*>(object);
  // No message shows the object any more. The interpreter that keeps it for a while is bounded on its own.
  LentBytes::refund(loan->bytes_);
  // Until the loan is in the stack it is a holder of the Lender, and after that it belongs to another thread.
  atomic<Loan*>& returned = loan->lender_.returned_;
  for (;;) {
    // (32) acquire: with `closed` come the decisions which objects are orphans.
    Loan* first = returned.load(memory_order_acquire);
    if (first == closed()) return release_orphan(loan);
    XICHAN_PLAIN(loan->next_) = first;
    // (31) release: what this thread read from the object, and the link.
    if (returned.compare_exchange_weak(first, loan, memory_order_release, memory_order_relaxed)) return;
  }
}

void Lender::close() noexcept {
  drain();
  find_orphans();
  LentBytes::drop(bounded_);
  // (32) release: the orphans; (31) acquire: as in `drain_some`.
  Loan* loan = returned_.exchange(closed(), memory_order_acq_rel);
  while (loan != nullptr) {
    Loan* const next = XICHAN_PLAIN(loan->next_);
    if (XICHAN_PLAIN(loan->group_) == nullptr) objects_.drop(loan->object_);
    release_orphan(loan);
    loan = next;
  }
  release_holder();
}

// Groups the loans by object, and decides which objects are orphans. Without memory none is.
void Lender::find_orphans() noexcept {
  struct Found {
    std::uint64_t loans;
    Loan* group;
  };
  PointerMap<Found> objects;
  for (const Loan* loan = loans_.first(); loan != nullptr; loan = loans_.next(*loan)) {
    Found* const found = objects.insert(loan->object_);
    if (found == nullptr) return;
    ++found->loans;
  }
  for (Loan* loan = loans_.first(); loan != nullptr; loan = loans_.next(*loan)) {
    Found& found = *objects.find(loan->object_);
    if (found.group == nullptr) {
      if (!objects_.has_only(loan->object_, found.loans)) continue;
      found.group = loan;
      loan->left_.store(static_cast<std::uint32_t>(found.loans), memory_order_relaxed);  // published by `closed`
    }
    XICHAN_PLAIN(loan->group_) = found.group;
  }
}

// Ends a loan whose lender is closed. Any thread, but one for each loan.
void Lender::release_orphan(Loan* loan) noexcept {
  Loan* const group = XICHAN_PLAIN(loan->group_);
  if (group == nullptr) return destroy(loan);
  // (33) release and acquire: all have read the object before it is freed.
  const bool is_last = group->left_.fetch_sub(1, memory_order_acq_rel) == 1;
  if (is_last) loan->lender_.objects_.free_orphan(loan->object_);
  if (group != loan) destroy(loan);
  if (is_last) destroy(group);  // the others used its count
}

void Lender::destroy(Loan* loan) noexcept {
  Lender& lender = loan->lender_;
  delete loan;
  lender.release_holder();
}

void Lender::release_holder() noexcept {
  // (34) release and acquire: the last use of the Lender comes before its destruction.
  if (holders_.fetch_sub(1, memory_order_acq_rel) == 1) delete this;
}

}  // namespace xichan::internal

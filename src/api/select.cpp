// Select for the C++ interface: translates public cases to cases of the core, and the result back.
#include <memory>
#include <new>

#include "api/access.h"
#include "xichan/select.h"

namespace xichan {

using namespace internal;
namespace {

// The core's cases for the duration of a call: a few on the stack, more on the heap.
class Filled {
 public:
  explicit Filled(std::size_t count) noexcept {
    if (count > few) more_.reset(new (std::nothrow) Case[count]);
    cases_ = {count > few ? more_.get() : local_, count};
  }
  bool valid() const noexcept { return cases_.data() != nullptr; }
  std::span<Case> cases() noexcept { return cases_; }

 private:
  static constexpr std::size_t few = 8;

  Case local_[few];
  std::unique_ptr<Case[]> more_;
  std::span<Case> cases_;
};

// After `ok`: empties the value that was sent, or stores the value that was received.
void settle(SelectCase& chosen, const Case& done) noexcept {
  if (done.side == Side::sender) {
    ValueAccess::cell(chosen.value) = Cell::none();
  } else {
    ValueAccess::adopt(chosen.value, done.cell);
  }
}

}  // namespace

// Returns false if the endpoint is closed.
bool SelectCase::fill(Case& filled, const Stop* stop) noexcept {
  if (!endpoint_->usable()) return false;
  const Side side = sends_ ? Side::sender : Side::receiver;
  filled = case_of(*endpoint_->channel_, side, *endpoint_->lane_, sends_ ? ValueAccess::cell(value) : Cell{}, stop);
  return true;
}

Status SelectCase::run(std::span<SelectCase> cases, std::size_t& chosen, const Deadline* deadline,
                       const Stop* stop) noexcept {
  if (cases.empty()) return Status::invalid;
  Filled filled(cases.size());
  if (!filled.valid()) return Status::no_memory;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    if (cases[i].fill(filled.cases()[i], stop)) continue;
    chosen = i;
    return Status::end_closed;
  }
  std::size_t number;
  Status status = try_any(filled.cases(), number);
  if (status == Status::full || status == Status::empty) {
    if (deadline == nullptr) return Status::empty;
    status = wait_until(*deadline, filled.cases(), number);
  }
  if (status == Status::end_closed) status = Status::cancelled;  // as in wait_until
  if (status == Status::timeout || status == Status::no_memory || status == Status::cancelled) return status;
  if (status == Status::ok) settle(cases[number], filled.cases()[number]);
  chosen = number;
  return filled.cases()[number].channel->outcome(filled.cases()[number].side, status);
}

Status select(std::span<SelectCase> cases, std::size_t& chosen, TimeLimit limit) noexcept {
  const Deadline deadline = deadline_of(limit);
  return SelectCase::run(cases, chosen, &deadline);
}

Status select(std::span<SelectCase> cases, std::size_t& chosen, StopRef ref, TimeLimit limit) noexcept {
  const Deadline deadline = deadline_of(limit);
  return run_stoppable(
      ref, [&](const Stop& stop) noexcept { return SelectCase::run(cases, chosen, &deadline, &stop); },
      [cases](const Stop& stop) noexcept {
        for (const SelectCase& one : cases) {
          EndpointAccess::cancel(*one.endpoint_, one.sends_ ? Side::sender : Side::receiver, stop);
        }
      });
}

Status try_select(std::span<SelectCase> cases, std::size_t& chosen) noexcept {
  return SelectCase::run(cases, chosen, nullptr);
}

}  // namespace xichan

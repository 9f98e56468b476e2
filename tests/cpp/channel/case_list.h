// Cases of a select for tests.
#pragma once

#include <vector>

#include "channel/channel_support.h"

namespace xichan::test {

/// Cases, and the state that they refer to.
class CaseList {
 public:
  CaseList& recv(Channel* channel, Lane& own = lane) { return add(channel, Side::receiver, {}, own); }
  CaseList& send(Channel* channel, const Cell& cell, Lane& own = lane) { return add(channel, Side::sender, cell, own); }

  Status attempt() { return try_any(cases_, chosen); }
  Status wait(Deadline deadline = Deadline::never()) {
    return wait_any(cases_, {deadline, Deadline::never(), &owner_exiting, false}, chosen);
  }
  const Cell& cell() const { return cases_[chosen].cell; }
  Case& operator[](std::size_t i) { return cases_[i]; }

  std::size_t chosen = 99;
  Caller caller;
  atomic<bool> owner_exiting{false};

 private:
  CaseList& add(Channel* channel, Side side, const Cell& cell, Lane& own) {
    cases_.push_back({.channel = channel,
                      .side = side,
                      .lane = &own,
                      .end_closed = &caller.closed,
                      .owner = &caller,
                      .cell = cell,
                      .node = {}});
    return *this;
  }

  std::vector<Case> cases_;
};

}  // namespace xichan::test

// What the tests of shared state have in common.
#pragma once

#include <thread>

#include "public/public_support.h"
#include "state/object.h"

namespace xichan::test {

class StateTest : public PublicTest {
 protected:
  void SetUp() override { objects_ = StateObjects::count(); }
  void TearDown() override {
    EXPECT_EQ(StateObjects::count(), objects_) << "objects are left";
    PublicTest::TearDown();
  }

  /// Runs `call` on another thread, and `meanwhile` once `calls` calls wait at the object. Returns its result.
  template <class Call, class Meanwhile>
  static Status waited(const StateBase& at, Call call, Meanwhile meanwhile, unsigned calls = 1) {
    const Watchdog watchdog("a call that waits");
    Status status = Status::invalid;
    std::thread caller([&] { status = call(); });
    await([&] { return at.waiting() >= calls; });
    meanwhile();
    caller.join();
    return status;
  }

 private:
  std::uint64_t objects_ = 0;
};

}  // namespace xichan::test

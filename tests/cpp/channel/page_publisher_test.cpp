// The snapshot in the page: who takes it, when, and what it holds.
#include "directory/page_publisher.h"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "channel/channel_support.h"
#include "endpoint/endpoint.h"
#include "page/page.h"
#include "page/workers.h"
#include "sync/futex.h"

namespace xichan::internal {
namespace {

using test::new_channel;

class Publisher : public test::ChannelTest {
 protected:
  static SnapshotRow head() {
    SnapshotRow row{};
    EXPECT_TRUE(page()->snapshot.read(row));
    return row;
  }

  // The row of a channel in the last snapshot.
  static ChannelRow row_of(const Channel& channel) {
    for (std::uint32_t i = 0; i < head().channel_rows; ++i) {
      ChannelRow row{};
      EXPECT_TRUE(page()->channels[i].read(row));
      if (row.id[0] == channel.id().place && row.id[1] == channel.id().secret) return row;
    }
    ADD_FAILURE() << "the snapshot lacks the channel";
    return {};
  }

  // Asks for a snapshot, as a reader does.
  static bool request() {
    auto& header = page()->header;
    const std::uint32_t number = header.request.fetch_add(1, memory_order_seq_cst) + 1;
    shared_futex_wake_all(header.request);
    const Deadline deadline = Deadline::after(10'000'000'000);
    for (std::uint32_t seen; (seen = header.answer.load(memory_order_seq_cst)) != number;) {
      if (deadline.passed()) return false;
      (void)shared_futex_wait(header.answer, seen, deadline);
    }
    return true;
  }
};

TEST_F(Publisher, SnapshotHasTheCountsOfAChannel) {
  Channel* channel = new_channel(4);
  for (int i = 0; i < 3; ++i) ASSERT_EQ(channel->try_send(Cell::integer(i), lane), Status::ok);
  PagePublisher::publish();
  const ChannelRow row = row_of(*channel);
  EXPECT_EQ(row.snapshot, head().snapshot);
  EXPECT_EQ(row.capacity, 4u);
  EXPECT_EQ(row.depth, 3u);
  EXPECT_EQ(row.sent, 3u);
  EXPECT_EQ(row.senders, 1u);
  EXPECT_EQ(row.flags, 0u);
  channel->shutdown(true);
  PagePublisher::publish();
  EXPECT_EQ(row_of(*channel).flags, ChannelRow::is_closed | ChannelRow::is_shut_down);
  test::drop_both(channel);
}

TEST_F(Publisher, LongNameIsCut) {
  const std::string name(100, 'n');
  ChannelOptions options;
  options.name = name;
  Channel* channel = nullptr;
  ASSERT_EQ(create_channel(options, channel), Status::ok);
  PagePublisher::publish();
  const ChannelRow row = row_of(*channel);
  EXPECT_EQ(std::string(row.name, sizeof row.name), std::string(64, 'n'));
  test::drop_both(channel);
}

TEST_F(Publisher, ChannelsWithValuesComeFirstIfThereIsNoRoomForAll) {
  std::vector<Channel*> channels;
  for (std::size_t i = 0; i < channel_slots + 10; ++i) channels.push_back(new_channel(1));
  ASSERT_EQ(channels.back()->try_send(Cell::integer(1), lane), Status::ok);
  PagePublisher::publish();
  EXPECT_EQ(head().channel_rows, channel_slots);
  EXPECT_GE(head().channels, channel_slots + 10);
  ChannelRow first{};
  ASSERT_TRUE(page()->channels[0].read(first));
  EXPECT_EQ(first.id[0], channels.back()->id().place);
  for (Channel* channel : channels) test::drop_both(channel);
}

TEST_F(Publisher, ThreadAnswersRequestsAndSurvivesAFork) {
  PagePublisher::start();
  if (page_descriptor() < 0) GTEST_SKIP() << "no memory files";
  ASSERT_TRUE(request());
  const std::uint64_t before = head().snapshot;
  ASSERT_TRUE(request());
  EXPECT_GT(head().snapshot, before);
  const pid_t child = fork();
  if (child == 0) {
    const bool is_fresh = page()->header.publisher.load(memory_order_relaxed) == 0 && head().snapshot == 0;
    PagePublisher::start();
    _exit(is_fresh && request() ? 7 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 7);
  PagePublisher::start();
  EXPECT_TRUE(request());
}

TEST_F(Publisher, ThreadIsGoneWhileAForkRuns) {
  PagePublisher::start();
  if (page_descriptor() < 0) GTEST_SKIP() << "no memory files";
  ASSERT_TRUE(request());
  PagePublisher::before_fork();
  EXPECT_EQ(page()->header.publisher.load(memory_order_relaxed), 0u);
  PagePublisher::after_fork(false);
  PagePublisher::start();
  EXPECT_TRUE(request());
}

TEST_F(Publisher, SnapshotThatGoesOnWhileAForkBeginsCanTakeOtherLocks) {
  static atomic<bool> is_on_its_way{false};
  const PagePublisher::Writer before = PagePublisher::write_remotes;
  PagePublisher::write_remotes = [](Page&, SnapshotRow&) noexcept {
    is_on_its_way = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));  // the fork begins
    EndpointOwner::for_each([](const EndpointOwner&) noexcept {});
  };
  std::thread taker(PagePublisher::publish);
  while (!is_on_its_way) std::this_thread::yield();
  const pid_t child = fork();
  if (child == 0) _exit(0);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  taker.join();
  PagePublisher::write_remotes = before;
}

TEST_F(Publisher, WorkersClaimAndReleaseSlots) {
  WorkerRow row{};
  row.interpreter = 77;
  copy_text(row.name, "worker");
  const auto count = [] {
    std::size_t found = 0;
    for (std::size_t i = 0; i < worker_slots; ++i) {
      WorkerView view;
      found += read_worker(i, view) && view.row.interpreter == 77;
    }
    return found;
  };
  {
    WorkerPlace one;
    WorkerPlace two;
    one.claim(row);
    two.claim(row);
    EXPECT_EQ(count(), 2u);
    one.begin(5);
    one.end();
    one.release();
    EXPECT_EQ(count(), 1u);
    release_workers(77);
    EXPECT_EQ(count(), 0u);
    one.claim(row);
    two.release();  // no longer its slot
    EXPECT_EQ(count(), 1u);
  }
  EXPECT_EQ(count(), 0u);
}

TEST_F(Publisher, AWorkerWhoseInterpreterEndsLeavesItsSlotToOthers) {
  WorkerRow row{};
  row.interpreter = 77;
  WorkerRow other{};
  other.interpreter = 78;
  WorkerPlace ended;
  WorkerPlace next;
  ended.claim(row);
  release_workers(77);
  next.claim(other);
  ended.show(row);  // in the middle of which its interpreter has ended
  release_workers(77);
  std::vector<std::int64_t> found;
  for (std::size_t i = 0; i < worker_slots; ++i) {
    WorkerView view;
    if (read_worker(i, view)) found.push_back(view.row.interpreter);
  }
  EXPECT_EQ(found, std::vector<std::int64_t>{78});
  WorkerPlace failing;
  failing.claim(row);
  release_workers(77);
  WorkerPlace last;
  last.claim(other);
  failing.fail(row);
  for (std::size_t i = 0; i < worker_slots; ++i) {
    WorkerView view;
    if (read_worker(i, view)) {
      EXPECT_EQ(view.row.interpreter, 78);
    }
  }
}

TEST_F(Publisher, WorkersBeyondTheTableAreNotShown) {
  WorkerRow row{};
  row.interpreter = 77;
  std::vector<WorkerPlace> places(worker_slots + 1);
  for (WorkerPlace& place : places) place.claim(row);
  places.back().begin(1);
  places.back().end();
  places.back().show(row);
}

}  // namespace
}  // namespace xichan::internal

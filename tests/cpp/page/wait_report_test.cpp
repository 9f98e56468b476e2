// The slots of blocked calls in the page: what is written is what a reader finds, while the call waits and no longer.
#include "page/wait_report.h"

#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "page/page.h"
#include "support/support.h"

namespace xichan::internal {
namespace {

std::vector<ShownWait> shown() {
  std::vector<ShownWait> all;
  for (std::size_t i = 0; i < used_wait_slots(*page()); ++i) {
    ShownWait wait;
    if (read_wait(*page(), i, wait)) all.push_back(wait);
  }
  return all;
}

std::string text(const char* from, std::size_t length) { return {from, length}; }

WaitTarget channel_target(std::uint64_t low, std::uint64_t high, bool receives) {
  return {.what = WaitTarget::What::channel, .receives = receives, .low = low, .high = high};
}

TEST(WaitReport, IsShownFromShowToHide) {
  ASSERT_TRUE(shown().empty());
  WaitReport report("Receiver.recv", WaitReport::has_timeout);
  EXPECT_TRUE(shown().empty());
  const WaitTarget targets[] = {channel_target(7, 8, true)};
  report.show(targets, 1);
  ASSERT_EQ(shown().size(), 1u);
  const ShownWait wait = shown()[0];
  EXPECT_EQ(text(wait.call, wait.call_length), "Receiver.recv");
  EXPECT_EQ(wait.interpreter, -1);
  EXPECT_EQ(wait.thread, static_cast<std::uint32_t>(gettid()));
  EXPECT_EQ(wait.flags, WaitReport::has_timeout);
  EXPECT_EQ(wait.targets, 1u);
  EXPECT_EQ(wait.target[0].what, WaitTarget::What::channel);
  EXPECT_TRUE(wait.target[0].receives);
  EXPECT_EQ(wait.target[0].low, 7u);
  EXPECT_EQ(wait.target[0].high, 8u);
  EXPECT_EQ(wait.more, 0u);
  EXPECT_EQ(wait.function_length, 0u);
  report.hide();
  EXPECT_TRUE(shown().empty());
}

TEST(WaitReport, KeepsItsNumberAndItsBeginning) {
  WaitReport report("Sender.send");
  report.show({}, 0);
  const ShownWait first = shown().at(0);
  report.show({}, 0);  // no effect
  report.hide();
  report.hide();
  report.show({}, 0);
  const ShownWait second = shown().at(0);
  EXPECT_EQ(first.number, second.number);
  EXPECT_EQ(first.started, second.started);
  WaitReport other("Sender.send");
  other.show({}, 0);
  EXPECT_EQ(shown().size(), 2u);
  EXPECT_NE(shown().at(0).number, shown().at(1).number);
}

TEST(WaitReport, ListsAFewTargetsAndCountsTheRest) {
  std::vector<WaitTarget> targets;
  for (std::uint64_t i = 0; i < 7; ++i) targets.push_back(channel_target(i, i, false));
  WaitReport report("select");
  report.show(targets, targets.size());
  const ShownWait wait = shown().at(0);
  EXPECT_EQ(wait.targets, most_wait_cases);
  EXPECT_EQ(wait.more, 7 - most_wait_cases);
  EXPECT_EQ(wait.target[3].low, 3u);
}

struct Texts {
  std::string call, function, file;
};

void describe(const WaitCaller& caller, std::string_view, void (*take)(void*, const WaitText&) noexcept,
              void* context) noexcept {
  const auto& texts = *static_cast<const Texts*>(caller.code);
  WaitText text;
  text.set_call(texts.call);
  text.set_function(texts.function);
  text.set_place(texts.file, 4711);
  take(context, text);
}

ShownWait show_texts(const Texts& texts) {
  WaitReport report("call", 0, {.interpreter = 3, .describe = describe, .code = &texts});
  report.show({}, 0);
  return shown().at(0);
}

TEST(WaitReport, ShowsWhereItWasCalled) {
  const ShownWait wait = show_texts({"Queue.get", "main.<locals>.run", "/tmp/program.py"});
  EXPECT_EQ(wait.interpreter, 3);
  EXPECT_EQ(wait.line, 4711u);
  EXPECT_EQ(text(wait.call, wait.call_length), "Queue.get");
  EXPECT_EQ(text(wait.function, wait.function_length), "main.<locals>.run");
  EXPECT_EQ(text(wait.file, wait.file_length), "/tmp/program.py");
  EXPECT_EQ(wait.flags, 0u);
}

TEST(WaitReport, CutsLongTextsBetweenCharacters) {
  const std::string umlauts = [] {
    std::string text = "x";
    for (int i = 0; i < 200; ++i) text += "\u00e4";
    return text;
  }();
  const ShownWait wait = show_texts({umlauts, umlauts, umlauts});
  EXPECT_EQ(text(wait.call, wait.call_length), umlauts.substr(0, most_call_bytes - 1));
  EXPECT_EQ(text(wait.function, wait.function_length), umlauts.substr(0, most_function_bytes - 1));
  EXPECT_EQ(text(wait.file, wait.file_length), umlauts.substr(umlauts.size() - most_file_bytes));
  EXPECT_EQ(wait.flags, WaitReport::is_file_cut);
}

TEST(WaitReport, IsCountedIfNoSlotIsFree) {
  std::vector<std::unique_ptr<WaitReport>> reports;
  for (std::size_t i = 0; i < thread_wait_slots + 2; ++i) {
    reports.push_back(std::make_unique<WaitReport>("Receiver.recv"));
    reports.back()->show({}, 0);
  }
  EXPECT_EQ(shown().size(), thread_wait_slots);
  EXPECT_EQ(page()->header.waits_unshown.load(memory_order_relaxed), 2u);
  WaitReport coroutine("Receiver.arecv", WaitReport::is_coroutine);
  coroutine.show({}, 0);  // these have slots of their own
  EXPECT_EQ(shown().size(), thread_wait_slots + 1);
  coroutine.hide_shared();
  reports.clear();
  EXPECT_EQ(page()->header.waits_unshown.load(memory_order_relaxed), 0u);
  EXPECT_TRUE(shown().empty());
}

TEST(WaitReport, IsHiddenOnceByThreadsThatHideItTogether) {
  for (int round = 0; round < 1000; ++round) {
    WaitReport report("Receiver.arecv", WaitReport::is_coroutine);
    report.show({}, 0);
    std::thread waker([&] { report.hide_shared(); });
    report.hide_shared();
    waker.join();
    ASSERT_TRUE(shown().empty());
  }
}

TEST(WaitReport, ReadersSeeWholeWaitsOnly) {
  constexpr unsigned threads = 2;
  std::atomic<bool> stop{false};
  std::vector<std::thread> writers;
  for (unsigned t = 0; t < threads; ++t) {
    writers.emplace_back([&stop, t] {
      for (std::uint64_t i = 1; !stop.load(); ++i) {
        WaitReport report("select");
        const WaitTarget targets[] = {channel_target(i, i + t, true), channel_target(i + 1, i + 1 + t, false)};
        report.show(targets, 2);
      }
    });
  }
  std::size_t found = 0;
  for (int round = 0; round < 20'000 || (found == 0 && round < 2'000'000); ++round) {
    for (const ShownWait& wait : shown()) {
      ++found;
      ASSERT_EQ(wait.targets, 2u);
      ASSERT_EQ(wait.target[1].low, wait.target[0].low + 1);
      ASSERT_EQ(wait.target[1].high - wait.target[1].low, wait.target[0].high - wait.target[0].low);
      ASSERT_EQ(text(wait.call, wait.call_length), "select");
    }
  }
  stop = true;
  for (std::thread& writer : writers) writer.join();
  EXPECT_GT(found, 0u);
}

TEST(WaitReport, InheritedWaitsAreGoneInTheChild) {
  WaitReport report("Receiver.recv");
  report.show({}, 0);
  Page* const parents = page();
  const pid_t child = fork();
  if (child == 0) {
    bool good = page() != nullptr && shown().empty();
    good = good && page()->header.process.load(memory_order_relaxed) == static_cast<std::uint64_t>(getpid());
    WaitReport own("Sender.send");
    own.show({}, 0);
    good = good && shown().size() == 1;
    report.hide();  // leaves the wait of the child alone
    good = good && shown().size() == 1;
    _exit(good ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(page(), parents);
  EXPECT_EQ(shown().size(), 1u);
}

}  // namespace
}  // namespace xichan::internal

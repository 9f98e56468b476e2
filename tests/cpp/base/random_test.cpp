// Random bits where a sandbox refuses getrandom, and the containers that bound work on shared parts.
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <set>

#include "base/content_map.h"
#include "base/random.h"
#include "base/slot_set.h"
#include "support/support.h"

namespace xichan::internal {
namespace {

// From now on getrandom, and with `files` opening files too, fail with `error`.
bool refuse_system_calls(unsigned error, bool files) {
  const auto refuse = static_cast<unsigned>(SECCOMP_RET_ERRNO | error);
  const unsigned opens = files ? SYS_openat : SYS_getrandom;
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getrandom, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, opens, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, refuse),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{static_cast<unsigned short>(std::size(code)), code};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// Returns the exit status of a child with these system calls refused: 0 if it got different random numbers.
int exit_status_of_child(unsigned error, bool files) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);  // a loop that never ends is a failure
    if (!refuse_system_calls(error, files)) _exit(77);
    std::uint64_t seen[64];
    for (int i = 0; i < 64; ++i) {
      seen[i] = random_bits();
      for (int j = 0; j < i; ++j) {
        if (seen[j] == seen[i]) _exit(1);
      }
    }
    _exit(0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST(Random, WorksWhereASandboxRefusesGetrandom) {
  for (const unsigned error : {EPERM, ENOSYS}) {
    for (const bool files : {false, true}) {
      const int status = exit_status_of_child(error, files);
      if (status == 77) GTEST_SKIP() << "this kernel has no seccomp filters";
      EXPECT_EQ(status, 0) << "error " << error << (files ? ", without /dev/urandom" : "");
    }
  }
}

TEST(SlotSet, FindsNextMember) {
  SlotSet set;
  EXPECT_EQ(set.next(0), SlotSet::none);
  set.grow(1 << 20);
  std::set<std::uint64_t> members;
  std::uint64_t state = 1;
  for (int i = 0; i < 20'000; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const std::uint64_t member = (state >> 33) % (i % 2 ? 1 << 20 : 300);
    if (i % 3 == 0) {
      if (members.erase(member) != 0) set.erase(member);
    } else {
      members.insert(member);
      set.insert(member);
    }
    const std::uint64_t from = (state >> 13) % ((1 << 20) + 100);
    const auto expected = members.lower_bound(from);
    ASSERT_EQ(set.next(from), expected == members.end() ? SlotSet::none : *expected);
  }
  for (const std::uint64_t member : members) set.erase(member);
  EXPECT_EQ(set.next(0), SlotSet::none);
}

TEST(ContentMap, KeepsContentsAtOneAddressApart) {
  ContentMap<int> map;
  const std::byte bytes[2]{};
  EXPECT_EQ(map.find({&bytes[0], 1}), nullptr);
  for (std::uint64_t head = 0; head < 1'000; ++head) {
    *map.insert({&bytes[0], head}) = static_cast<int>(head);
    *map.insert({&bytes[1], head}) = -1;
  }
  for (std::uint64_t head = 0; head < 1'000; ++head) {
    ASSERT_EQ(*map.find({&bytes[0], head}), static_cast<int>(head));
    ASSERT_EQ(*map.find({&bytes[1], head}), -1);
  }
}

TEST(EqualContents, EqualityIsTransitive) {
  using Joined = EqualContents::Joined;
  EqualContents equals;
  std::vector<std::byte> bytes(1'000);
  const auto content = [&](std::size_t i) { return Content{&bytes[i], 5}; };
  EXPECT_EQ(equals.join(content(3), content(3)), Joined::before);
  for (std::size_t i = 0; i + 2 < bytes.size(); ++i) ASSERT_EQ(equals.join(content(i), content(i + 2)), Joined::now);
  EXPECT_EQ(equals.join(content(0), content(998)), Joined::before);
  EXPECT_EQ(equals.join(content(999), content(1)), Joined::before);
  EXPECT_EQ(equals.join(content(0), content(1)), Joined::now);
  EXPECT_EQ(equals.join(content(998), content(999)), Joined::before);
}

}  // namespace
}  // namespace xichan::internal

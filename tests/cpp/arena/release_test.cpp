// Releasing blocks: on any thread, each reference exactly once, and chains of any length on a small stack.
#include <cstring>

#include "arena/arena.h"
#include "support/support.h"

namespace xichan::internal {
namespace {

using ArenaRelease = test::ArenaTest;

// A reference that logs its release.
struct Noted {
  int number;
  std::vector<int>* log;
};
void note(void* object) noexcept {
  const Noted* noted = static_cast<Noted*>(object);
  noted->log->push_back(noted->number);
}
constinit const ReferenceType noted_reference{ReferenceKind::sender, note};

void count_up(void* counter) noexcept { static_cast<std::atomic<int>*>(counter)->fetch_add(1); }
constinit const ReferenceType counting_reference{ReferenceKind::sender, count_up};

Block* block_with(std::initializer_list<Reference> references) {
  Block* block;
  EXPECT_EQ(Arena::allocate(16, references.size(), block), Status::ok);
  std::copy(references.begin(), references.end(), block->references());
  return block;
}

Block* leaf() { return block_with({}); }

TEST_F(ArenaRelease, ReleasesEachReferenceOnceInOrder) {
  std::vector<int> log;
  Noted noted[] = {{1, &log}, {2, &log}, {3, &log}};
  Block* block =
      block_with({{&noted_reference, &noted[0]}, {&noted_reference, &noted[1]}, {&noted_reference, &noted[2]}});
  Arena::retain(block);
  Arena::release(block);
  EXPECT_TRUE(log.empty());
  Arena::release(block);
  EXPECT_EQ(log, (std::vector{1, 2, 3}));
}

TEST_F(ArenaRelease, DiscardDoesNotReadReferenceTable) {
  Block* block;
  ASSERT_EQ(Arena::allocate(64, 4, block), Status::ok);
  std::memset(block->references(), 0xff, 4 * sizeof(Reference));
  Arena::discard(block);
}

TEST_F(ArenaRelease, SharedChildIsFreedWithLastParent) {
  Block* child = leaf();
  Arena::retain(child);
  Block* one = block_with({{&block_reference, child}});
  Block* other = block_with({{&block_reference, child}});
  Arena::release(one);
  EXPECT_EQ(new_blocks(), 2u);
  Arena::release(other);
  EXPECT_EQ(new_blocks(), 0u);
}

TEST_F(ArenaRelease, ParentMayReferenceChildTwice) {
  Block* child = leaf();
  Arena::retain(child);
  Arena::release(block_with({{&block_reference, child}, {&block_reference, child}}));
  EXPECT_EQ(new_blocks(), 0u);
}

TEST_F(ArenaRelease, ChainOfOneMillionIsFreedOnSmallStack) {
  Block* chain = leaf();
  for (int i = 1; i < 1'000'000; ++i) chain = block_with({{&block_reference, chain}});
  EXPECT_EQ(new_blocks(), 1'000'000u);
  test::on_small_stack([&] { Arena::release(chain); });
  EXPECT_EQ(new_blocks(), 0u);
}

TEST_F(ArenaRelease, TreeIsFreedOnSmallStack) {
  Block* tree = leaf();
  for (int depth = 0; depth < 17; ++depth) {
    Block* copy = leaf();
    for (int k = 0; k < depth; ++k) copy = block_with({{&block_reference, copy}});
    tree = block_with({{&block_reference, tree}, {&block_reference, copy}, {&block_reference, leaf()}});
  }
  test::on_small_stack([&] { Arena::release(tree); });
  EXPECT_EQ(new_blocks(), 0u);
}

// Releasing a reference may release further blocks, as a channel's queue does.
struct Bag {
  std::vector<Block*> blocks;
};
void empty_bag(void* object) noexcept {
  for (Block* block : static_cast<Bag*>(object)->blocks) Arena::release(block);
}
constinit const ReferenceType bag_reference{ReferenceKind::receiver, empty_bag};

TEST_F(ArenaRelease, NestedReleaseIsQueued) {
  std::vector<Bag> bags(100'000);
  for (std::size_t i = 0; i + 1 < bags.size(); ++i) {
    bags[i].blocks = {block_with({{&bag_reference, &bags[i + 1]}}), leaf()};
  }
  Block* first = block_with({{&bag_reference, &bags[0]}});
  test::on_small_stack([&] { Arena::release(first); });
  EXPECT_EQ(new_blocks(), 0u);
}

TEST_F(ArenaRelease, ReleaseOnThreadOtherThanAllocator) {
  const test::Watchdog watchdog("release across threads");
  const int rounds = test::rounds(20'000);
  std::atomic<Block*> hand{nullptr};
  test::together(2, [&](unsigned thread) {
    for (int i = 0; i < rounds; ++i) {
      if (thread == 0) {
        Block* block;
        ASSERT_EQ(Arena::allocate(static_cast<std::uint64_t>(i % 300), 0, block), Status::ok);
        std::memset(block->body(), i & 0xff, static_cast<std::size_t>(i % 300));
        test::await([&] { return hand.load() == nullptr; });
        hand.store(block, std::memory_order_release);
      } else {
        Block* block;
        test::await([&] { return (block = hand.load(std::memory_order_acquire)) != nullptr; });
        for (int k = 0; k < i % 300; ++k) ASSERT_EQ(block->body()[k], static_cast<std::byte>(i & 0xff));
        hand.store(nullptr);
        Arena::release(block);
      }
    }
  });
}

TEST_F(ArenaRelease, ReferencesAreReleasedOnceByManyThreads) {
  const test::Watchdog watchdog("many threads drop one block");
  const int rounds = test::rounds(5'000);
  std::atomic<int> released{0};
  std::vector<Block*> blocks(static_cast<std::size_t>(rounds));
  for (Block*& block : blocks) {
    block = block_with({{&counting_reference, &released}, {&block_reference, leaf()}});
    std::memset(block->body(), 7, 16);
    Arena::retain(block, 3);
  }
  test::together(4, [&](unsigned) {
    for (Block* block : blocks) {
      EXPECT_EQ(block->body()[3], std::byte{7});  // the read must happen before the free
      Arena::release(block);
    }
  });
  EXPECT_EQ(released.load(), rounds);
}

TEST_F(ArenaRelease, CountOfReferencesDoesNotWrapAround) {
  Block* block;
  ASSERT_EQ(Arena::allocate(16, 0, block), Status::ok);
  Arena::set_references(block, Block::saturated - 2);
  Arena::retain(block, 3);
  EXPECT_EQ(Arena::references(block), Block::saturated + 1);
  Arena::release(block);
  EXPECT_EQ(Arena::references(block), Block::saturated + 1) << "it stays there";
  Arena::set_references(block, UINT32_MAX - 1);
  for (int i = 0; i < 10; ++i) Arena::retain(block);
  EXPECT_EQ(Arena::references(block), Block::saturated_refs);
  for (int i = 0; i < 100; ++i) Arena::release(block);
  EXPECT_GE(Arena::references(block), Block::saturated) << "never freed";
  Arena::set_references(block, 1);
  Arena::release(block);
}

}  // namespace
}  // namespace xichan::internal

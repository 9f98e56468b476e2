// Loans: the owner drops the references of those that were returned, orphans are freed once, bounds hold.
#include "arena/lender.h"

#include <deque>
#include <memory>

#include "arena/arena.h"
#include "arena/budget.h"
#include "arena/lent_bytes.h"
#include "support/support.h"

namespace xichan::internal {
namespace {

constexpr std::uint64_t size = LentBytes::smallest;

// An object of an owner. Its references are guarded by the owner's lock; orphans are freed without it.
struct Object {
  std::uint64_t references = 1;
  std::vector<char> content = std::vector<char>(size, 'x');
  std::atomic<int> frees{0};

  void free() {
    ++frees;
    content[0] = 'f';  // a thread that still reads is a data race
  }
};

void drop(void* object) noexcept {
  auto& lent = *static_cast<Object*>(object);
  ASSERT_GT(lent.references, 0u);
  if (--lent.references == 0) lent.free();
}
bool has_only(void* object, std::uint64_t references) noexcept {
  return static_cast<Object*>(object)->references == references;
}
void free_orphan(void* object) noexcept { static_cast<Object*>(object)->free(); }

class Lending : public test::ArenaTest {
 protected:
  Lender* const lender = Lender::create({drop, has_only, free_orphan});

  void TearDown() override {
    EXPECT_EQ(memory_stats().lent_bytes, 0u);
    Arena::fail_after(-1);
    set_memory_limit(UINT64_MAX);
    ArenaTest::TearDown();
  }

  // Returns a block that shows the object; null if it is not lent.
  Block* lend(Object& object, std::uint64_t bytes = size) {
    Loan* const loan = lender->lend(&object, bytes);
    if (loan == nullptr) return nullptr;
    ++object.references;
    Block* block;
    EXPECT_EQ(Arena::allocate(0, 1, block), Status::ok);
    *block->references() = Lender::place(loan);
    block->add_lent_bytes(bytes);
    return block;
  }
};

TEST_F(Lending, ReferenceIsDroppedByTheNextDrain) {
  Object object;
  Block* const block = lend(object);
  EXPECT_EQ(block->lent_bytes(), size);
  EXPECT_EQ(memory_stats().lent_bytes, size);
  EXPECT_GE(memory_stats().bytes, size);
  EXPECT_FALSE(lender->drain());
  Arena::release(block);
  EXPECT_EQ(object.references, 2u);
  EXPECT_TRUE(lender->drain());
  EXPECT_EQ(object.references, 1u);
  EXPECT_FALSE(lender->has_lent());
  EXPECT_EQ(memory_stats().lent_bytes, 0u);
  lender->close();
}

TEST_F(Lending, CancelTakesBackWhatIsNotPlaced) {
  Object placed, first, second;
  Block* const block = lend(placed);
  for (Object* object : {&first, &second}) {
    ASSERT_NE(lender->lend(object, size), nullptr);
    ++object->references;
  }
  lender->cancel();
  EXPECT_EQ(first.references, 1u);
  EXPECT_EQ(second.references, 1u);
  EXPECT_EQ(placed.references, 2u);
  Arena::release(block);
  lender->close();
  EXPECT_EQ(placed.references, 1u);
}

TEST_F(Lending, LastLoanFreesAnOrphan) {
  Object object;
  std::vector<Block*> blocks;
  for (int i = 0; i < 5; ++i) blocks.push_back(lend(object));
  drop(&object);  // the owner's reference
  lender->close();
  for (Block* block : blocks) {
    EXPECT_EQ(object.frees, 0);
    Arena::release(block);
  }
  EXPECT_EQ(object.frees, 1);
}

TEST_F(Lending, ReturnedLoansOfOrphansCountAtTheEnd) {
  Object object;
  Block* const first = lend(object);
  Block* const second = lend(object);
  drop(&object);
  Arena::release(first);
  lender->close();
  EXPECT_EQ(object.references, 1u);
  Arena::release(second);
  EXPECT_EQ(object.frees, 1);
}

TEST_F(Lending, ObjectInUseIsNeverFreed) {
  Object object;
  Block* const block = lend(object);
  lender->close();
  Arena::release(block);
  EXPECT_EQ(object.frees, 0);
  EXPECT_EQ(object.references, 2u);
}

TEST_F(Lending, NoObjectIsAnOrphanWithoutMemory) {
  Object object;
  ASSERT_EQ(lender->lend(&object, UINT64_MAX), nullptr);
  Arena::fail_after(0);
  ASSERT_EQ(lender->lend(&object, size), nullptr);
  Arena::fail_after(-1);
  lender->close();
}

TEST_F(Lending, IsBoundedByALimit) {
  EXPECT_EQ(LentBytes::bound(), 64u << 20);
  set_memory_limit(16 * size);
  EXPECT_EQ(LentBytes::bound(), 4 * size);
  std::deque<Object> objects(5);
  std::vector<Block*> blocks;
  for (int i = 0; i < 4; ++i) blocks.push_back(lend(objects[i]));
  EXPECT_EQ(lend(objects[4]), nullptr);
  Arena::release(blocks[0]);  // the next call takes it back
  blocks[0] = lend(objects[4]);
  ASSERT_NE(blocks[0], nullptr);
  EXPECT_EQ(objects[0].references, 1u);
  for (Block* block : blocks) Arena::release(block);
  lender->close();
}

TEST_F(Lending, ObjectLentSeveralTimesInARowCountsOnce) {
  set_memory_limit(64 * size);  // the bound is 16 objects
  Object object;
  std::deque<Block*> blocks;
  for (int i = 0; i < 40; ++i) blocks.push_back(lend(object));
  ASSERT_NE(blocks.back(), nullptr);
  EXPECT_EQ(memory_stats().lent_bytes, 40 * size);
  for (int i = 0; i < 20; ++i) {  // from either side
    Arena::release(blocks.front());
    blocks.pop_front();
    lender->drain();
    if (i % 2 == 0) continue;
    Arena::release(blocks.back());
    blocks.pop_back();
    lender->drain();
  }
  std::deque<Object> others(16);
  for (int i = 0; i < 15; ++i) blocks.push_back(lend(others[i]));
  EXPECT_NE(blocks.back(), nullptr);
  EXPECT_EQ(lend(others[15]), nullptr);  // the object still counts
  for (Block* block : blocks) Arena::release(block);
  lender->close();
}

TEST_F(Lending, CountsAgainstTheLimit) {
  Object object;
  set_memory_limit(memory_stats().bytes + 3 * size);
  std::vector<Block*> blocks;
  EXPECT_EQ(lend(object), nullptr);  // more than a quarter of the limit
  set_memory_limit(memory_stats().bytes + 6 * size);
  while (Block* block = lend(object)) blocks.push_back(block);
  EXPECT_GE(blocks.size(), 4u);
  EXPECT_LE(blocks.size(), 6u);
  Block* block;
  EXPECT_EQ(Arena::allocate(2 * size, 0, block), Status::arena_full);
  Arena::release(blocks.back());
  blocks.pop_back();
  lender->drain();
  EXPECT_EQ(Arena::allocate(0, 0, block), Status::ok);
  Arena::release(block);
  for (Block* each : blocks) Arena::release(each);
  lender->close();
}

// Threads release what an owner lends, and it ends in the middle.
TEST_F(Lending, ThreadsReturnLoansWhileTheOwnerDrainsAndEnds) {
  for (int round = 0; round < test::rounds(500); ++round) {
    constexpr int readers = 3, each = 8;
    Lender* const own = Lender::create({drop, has_only, free_orphan});
    std::deque<Object> objects(each);
    std::vector<Block*> blocks[readers];
    const auto lend_to = [&](Object& object) {
      Loan* const loan = own->lend(&object, size);
      ASSERT_NE(loan, nullptr);
      ++object.references;
      Block* block;
      ASSERT_EQ(Arena::allocate(0, 1, block), Status::ok);
      *block->references() = Lender::place(loan);
      blocks[(&object - &objects[0] + round) % readers].push_back(block);
    };
    for (Object& object : objects) {
      lend_to(object);
      if (&object - &objects[0] < 3) lend_to(object);
    }
    std::vector<std::thread> threads;
    std::atomic<int> sum{0};
    test::Meeting start(readers + 1);
    for (auto& mine : blocks) {
      threads.emplace_back([&] {
        start.arrive();
        for (Block* block : mine) {
          sum += objects[0].content[1] == 'x';
          Arena::release(block);
        }
      });
    }
    start.arrive();
    for (int i = 0; i < round % 4; ++i) own->drain();
    for (std::size_t i = 1; i < objects.size(); ++i) drop(&objects[i]);  // one is still in use
    own->close();
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(objects[0].frees, 0);
    for (std::size_t i = 1; i < objects.size(); ++i) EXPECT_EQ(objects[i].frees, 1);
    EXPECT_EQ(memory_stats().lent_bytes, 0u);
  }
  lender->close();
}

}  // namespace
}  // namespace xichan::internal

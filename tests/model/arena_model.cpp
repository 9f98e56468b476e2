// A model of a block's reference count (src/arena/arena.h): the thread that releases the last reference may write to
// the block's memory, and every read of the body happens before that.
#include "model.h"

#define static_assert(...)  // sizes differ: the checker's atomics are large
#include "arena/arena.h"
#undef static_assert

namespace xichan::internal {
namespace {

rl::var<int>* body;
int* disposals;

}  // namespace

Status Arena::allocate(std::uint64_t, std::uint64_t, Block*& block) noexcept {
  block = new Block(0, 0, 0);
  return Status::ok;
}
void Arena::dispose(Block* block) noexcept {
  ++*disposals;
  (*body)($) = -1;  // the memory is reused
  delete block;
}
void Arena::free_memory(Block*) noexcept {}

namespace model {
namespace {

// Each thread holds a reference, reads the body and releases the reference; one of them clones its reference first.
template <unsigned Threads>
struct LastReference : Model<LastReference<Threads>, Threads> {
  Block* block;
  rl::var<int> payload;
  int disposed = 0;

  void begin() {
    body = &payload;
    disposals = &disposed;
    RL_ASSERT(Arena::allocate(0, 0, block) == Status::ok);
    payload($) = 7;
    Arena::retain(block, Threads - 1);
  }
  void thread(unsigned index) {
    if (index == 0) {
      Arena::retain(block);
      read_and_release();
    }
    read_and_release();
  }
  void after() { RL_ASSERT(disposed == 1); }

  void read_and_release() {
    RL_ASSERT(payload($) == 7);
    Arena::release(block);
  }
};

}  // namespace
}  // namespace model
}  // namespace xichan::internal

int main(int argc, char** argv) {
  using namespace xichan::internal::model;
  return xichan::internal::model::main(argc, argv,
                                       {
                                           {"last_reference_2", full_search<LastReference<2>>, 100},
                                           {"last_reference_3", full_search<LastReference<3>>, 10'000},
                                       });
}

// The sources of the thread caches for thread_caches_under_model.h: src/arena/thread_cache.cpp and .h, slots.h,
// cache_quota.cpp, accounts.cpp and budget.cpp unchanged, with macros for what the checker lacks. Their atomics are
// those of static_atomic.h, their stores have two slots, and the model provides malloc and the clock.
#pragma once

#include "static_atomic.h"

#include <utility>

#include "arena/poison.h"
#include "arena/size_class.h"

#define static_assert(...)  // sizes differ: the checker's atomics are large
#include "arena/block.h"
#undef static_assert

namespace xichan::internal::model {
namespace {

void* allocate_memory(std::uint64_t bytes) noexcept;
void* allocate_block() noexcept;
void* allocate_cache(std::uint64_t alignment, std::uint64_t bytes) noexcept;
void free_memory(void* memory) noexcept;
int read_clock(int clock, timespec* now) noexcept;

}  // namespace
}  // namespace xichan::internal::model
namespace std {
using xichan::internal::model::allocate_cache;
using xichan::internal::model::allocate_memory;
using xichan::internal::model::free_memory;
}  // namespace std

// The sources under the model. All headers of the standard library that they need are included above.
#define atomic model::StaticAtomic
#define thread_local
#define constinit
#define private public  // the model inspects the caches
#define malloc allocate_memory
#define aligned_alloc allocate_cache
#define free free_memory
#define clock_gettime model::read_clock
#include "arena/budget.h"
#include "arena/slots.h"
#define constexpr  // of a constructor
#include "arena/cache_quota.h"
#undef constexpr
#undef __GLIBC__  // selects a model of thread-locals, which do not exist here
#include "arena/thread_cache.h"
namespace xichan::internal {
template <unsigned>
using FewSlots = Slots<2>;
}
#define Slots FewSlots
#include "arena/accounts.cpp"
#include "arena/budget.cpp"
#include "arena/cache_quota.cpp"
#include "arena/thread_cache.cpp"
#undef Slots
#undef clock_gettime
#undef free
#undef aligned_alloc
#undef malloc
#undef private
#undef constinit
#undef thread_local
#undef atomic

namespace xichan::internal {

void* Slabs::allocate(unsigned) noexcept { return model::allocate_block(); }
void Slabs::deallocate(void* memory) noexcept { model::free_memory(memory); }

}  // namespace xichan::internal

namespace xichan::internal::model {

Locals locals() noexcept { return {ThreadCache::current_, departed}; }
void set_locals(const Locals& values) noexcept {
  ThreadCache::current_ = values.current;
  departed = values.departed;
}

}  // namespace xichan::internal::model

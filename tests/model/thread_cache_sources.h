// The sources of the thread caches for thread_caches_under_model.h: src/arena/thread_cache.cpp and .h, slots.h,
// kept.cpp and budget.cpp as they are, with other words for what the checker does not have. Their atomics are those of
// static_atomic.h, their stores have two slots, and malloc and the clock are the model's.
#pragma once

#include "static_atomic.h"

#include <utility>

#include "arena/large.h"
#include "arena/poison.h"
#include "arena/size_class.h"

#define static_assert(...)  // sizes differ: the checker's atomics are large
#include "arena/block.h"
#undef static_assert

namespace xichan::internal::model {
namespace {

void* obtain_memory(std::uint64_t bytes) noexcept;
void* obtain_cache(std::uint64_t alignment, std::uint64_t bytes) noexcept;
void give_back_memory(void* memory) noexcept;
int tell_time(int clock, timespec* now) noexcept;

}  // namespace
}  // namespace xichan::internal::model
namespace std {
using xichan::internal::model::give_back_memory;
using xichan::internal::model::obtain_cache;
using xichan::internal::model::obtain_memory;
}  // namespace std

// The sources under the model. They look for nothing in the standard library that is not included by now.
#define atomic model::StaticAtomic
#define thread_local
#define constinit
#define private public  // the model looks into the caches
#define malloc obtain_memory
#define aligned_alloc obtain_cache
#define free give_back_memory
#define clock_gettime model::tell_time
#include "arena/budget.h"
#include "arena/slots.h"
#define constexpr  // of a constructor
#include "arena/cache_quota.h"
#undef constexpr
#undef __GLIBC__  // it asks for a model of thread-locals, and there are none
#include "arena/thread_cache.h"
namespace xichan::internal {
template <unsigned>
using FewSlots = Slots<2>;
}
#define Slots FewSlots
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

namespace xichan::internal::model {

Locals locals() noexcept { return {ThreadCache::current_, departed}; }
void set_locals(const Locals& values) noexcept {
  ThreadCache::current_ = values.current;
  departed = values.departed;
}

}  // namespace xichan::internal::model

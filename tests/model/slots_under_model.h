// Memory of slots under the model checker: SnapshotPointers, which are constructed, behind what `Header` holds. Include
// it in one source file per model, because it defines functions.
#pragma once

#include <new>

#include "arena/ring_memory.h"
#include "state/snapshot.h"

namespace xichan::internal {
namespace model {

struct SlotMemory {
  inline static std::uint64_t header = 0;  // bytes before the slots

  template <class Do>
  static void for_each(void* memory, std::uint64_t bytes, Do act) {
    struct Any;
    using Slot = SnapshotPointer<Any>;
    auto* const slots = reinterpret_cast<Slot*>(static_cast<char*>(memory) + header);
    for (std::uint64_t i = 0; i < (bytes - header) / sizeof(Slot); ++i) act(slots + i);
  }
};

}  // namespace model

void* RingMemory::allocate(std::uint64_t bytes) noexcept {
  void* const memory = ::operator new(bytes);
  std::memset(memory, 0, bytes);
  model::SlotMemory::for_each(memory, bytes,
                              [](auto* slot) { new (static_cast<void*>(slot)) std::decay_t<decltype(*slot)>; });
  return memory;
}
void RingMemory::free(void* memory, std::uint64_t bytes) noexcept {
  model::SlotMemory::for_each(memory, bytes, [](auto* slot) { std::destroy_at(slot); });
  ::operator delete(memory);
}

}  // namespace xichan::internal

#include "state/map_entry.h"

#include "base/content_map.h"
#include "base/worklist.h"

namespace xichan::internal {
namespace {

// Sums up the bytes of blocks, and of those that they refer to: views and Shareds keep theirs alive. Each counts once.
class BlockSizes {
 public:
  Status add(const Cell& cell) noexcept {
    if (!cell.owns_block()) return Status::ok;
    const Block* block = cell.as_block();
    if (block->reference_count() == 0) {  // most blocks: nothing is allocated
      bytes_ += block->total_bytes() + block->lent_bytes();
      return Status::ok;
    }
    if (!push(block)) return Status::no_memory;
    while (!blocks_.empty()) {
      block = blocks_.pop();
      bytes_ += block->total_bytes() + block->lent_bytes();
      for (std::uint32_t i = 0; i < block->reference_count(); ++i) {
        const Reference& reference = block->references()[i];
        if (reference.type->kind != ReferenceKind::block) continue;
        if (!push(static_cast<const Block*>(reference.object))) return Status::no_memory;
      }
    }
    return Status::ok;
  }
  std::uint64_t bytes() const noexcept { return bytes_; }

 private:
  bool push(const Block* block) noexcept {
    bool* const known = known_.insert({block, 0});
    if (known == nullptr) return false;
    if (*known) return true;
    *known = true;
    return blocks_.push(block);
  }

  std::uint64_t bytes_ = 0;
  ContentMap<bool> known_;
  Worklist<const Block*> blocks_;
};

}  // namespace

Status MapEntry::make(const Cell& key, std::uint64_t hash, const Cell& value, std::int64_t expires,
                      MapEntry*& out) noexcept {
  BlockSizes sizes;
  Status status = sizes.add(key);
  if (status == Status::ok) status = sizes.add(value);
  Block* block;
  if (status == Status::ok) status = Arena::allocate(sizeof(MapEntry), 0, block);
  if (status != Status::ok) return status;
  const std::uint64_t bytes = sizeof(Block) + sizeof(MapEntry) + sizes.bytes();
  out = new (block->body()) MapEntry(key, hash, value, expires, bytes);
  return status;
}

}  // namespace xichan::internal

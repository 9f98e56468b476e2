#include "value/index_body.h"

#include <cstring>

#include "base/checked.h"
#include "value/index.h"

namespace xichan::internal {

bool index_body(Block* block, std::uint64_t tables, VerifyError& error) noexcept {
  const BlockReader reader(block);
  auto* const begin = reinterpret_cast<Cell*>(block->body());
  const Cell* end = begin + 1;
  for (Cell* cell = begin; cell != end; ++cell) {
    if (!cell->has_elements()) continue;
    end += cell->length();
    if (cell->tag() == Tag::record) cell->mark_untrusted();
    if (!cell->is_hashed()) continue;
    bool repeated = false;
    if (cell->is_indexed()) {
      std::byte* const table = block->body() + tables;
      const std::uint64_t bytes = align_up(index_bytes(cell->entries()), sizeof(std::uint64_t));
      std::memset(table, 0, bytes);
      if (fill_index(reader, *cell, table, &repeated)) {
        Cell& index = reinterpret_cast<Cell*>(block->body() + cell->word)[cell->length() - 1];
        index = Cell::of(Tag::index, index_slots(cell->entries()), tables);
      }
      tables += bytes;
    } else {
      repeated = has_equal_keys(reader, *cell);
    }
    if (repeated) {
      error = {"two keys of a dict or elements of a set are equal",
               static_cast<std::uint64_t>(cell - begin) * sizeof(Cell)};
      return false;
    }
  }
  return true;
}

}  // namespace xichan::internal

// Pickled values: records whose type is None, which Python makes and reads (python_bindings/src/values/pickling.h).
#pragma once

#include "value/block_reader.h"

namespace xichan::internal {

/// Returns true for the record of a pickled value. It cannot leave its process, because loading a pickle runs code.
inline bool is_pickled(BlockReader reader, const Cell& cell) noexcept {
  return cell.tag() == Tag::record && cell.length() != 0 && reader.elements(cell)[0].tag() == Tag::none;
}

}  // namespace xichan::internal

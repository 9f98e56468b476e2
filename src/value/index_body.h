// Fills the indexes of a loaded body.
#pragma once

#include "arena/block.h"
#include "value/verify_result.h"

namespace xichan::internal {

/// Fills the tables of the large dicts and sets of a verified body, from offset `tables` on, where the block must have
/// `BodySizes::index_bytes`. Returns false and sets `error` if two keys of a dict or set are equal. Keys that do not
/// compare by their content (index.h) are not compared.
///
/// Thread safety: the block is not yet published. Progress: time proportional to the size of the body.
bool index_body(Block* block, std::uint64_t tables, VerifyError& error) noexcept;

}  // namespace xichan::internal

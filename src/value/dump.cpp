#include "value/dump.h"

#include <cstring>

#include "arena/arena.h"
#include "base/checked.h"
#include "base/large_copy.h"
#include "value/index_body.h"

namespace xichan::internal {
namespace {

// The first byte is not ASCII, so that text is never mistaken for a dump.
constexpr std::uint32_t magic = 0x48435889;

// Checks the header against the size of the input.
Status check_header(std::span<const std::byte> data, VerifyError& error) noexcept {
  const auto fail = [&](const char* what, std::uint64_t offset) noexcept {
    error = {what, offset};
    return Status::invalid;
  };
  DumpHeader header{};
  if (data.size() < sizeof header.magic) return fail("input ends within the header", data.size());
  std::memcpy(&header, data.data(), data.size() < sizeof header ? data.size() : sizeof header);
  if (header.magic != magic) return fail("not a dump of xichan", 0);
  if (data.size() < sizeof header) return fail("input ends within the header", data.size());
  if (header.version != dump_version) {
    return fail("unsupported format version", offsetof(DumpHeader, version));
  }
  if (header.flags != 0) return fail("reserved bytes are not zero", offsetof(DumpHeader, flags));
  const std::uint64_t rest = data.size() - sizeof header;
  if (header.body_bytes > rest) return fail("input ends within the body", data.size());
  if (header.body_bytes < rest) return fail("bytes after the end of the body", sizeof header + header.body_bytes);
  return Status::ok;
}

Status verify_in_place(std::span<const std::byte> body, std::uint64_t max_bytes, VerifyError& error,
                       BodySizes& sizes) noexcept {
  const Status status = verify(body, error, sizes);
  if (status == Status::invalid) error.offset += sizeof(DumpHeader);
  if (status == Status::ok && sizes.object_bytes > max_bytes) {
    error = {"value may take more than max_bytes", sizes.object_bytes};
    return Status::too_large;
  }
  return status;
}

// Replaces a block by one with room for the tables of its indexes after the body.
Status add_tables(Block*& block, std::uint64_t body_bytes, std::uint64_t index_bytes) noexcept {
  Block* larger;
  const std::uint64_t all = align_up(body_bytes + index_bytes, Block::alignment);
  const Status status = Arena::allocate(all, 0, larger);
  if (status != Status::ok) return status;
  std::memcpy(larger->body(), block->body(), body_bytes);
  std::memset(larger->body() + body_bytes, 0, larger->body_bytes() - body_bytes);
  Arena::discard(block);
  block = larger;
  return Status::ok;
}

}  // namespace

DumpHeader dump_header(std::uint64_t body_bytes) noexcept { return {magic, dump_version, 0, body_bytes}; }

std::span<const std::byte> dump_body(const Cell& flat) noexcept {
  if (!flat.owns_block()) return std::as_bytes(std::span(&flat, 1));
  return {flat.as_block()->body(), flat.as_block()->body_bytes()};
}

Status load(std::span<const std::byte> data, Cell& cell, VerifyError& error, std::uint64_t max_bytes) noexcept {
  Status status = check_header(data, error);
  if (status != Status::ok) return status;
  const std::span<const std::byte> body = data.subspan(sizeof(DumpHeader));
  BodySizes sizes;
  if (body.size() == sizeof(Cell)) {
    Cell copy;
    std::memcpy(&copy, body.data(), sizeof copy);
    status = verify_in_place(std::as_bytes(std::span(&copy, 1)), max_bytes, error, sizes);
    if (status != Status::ok || copy.is_complete()) {
      if (status == Status::ok) cell = copy;
      return status;
    }
  }
  Block* block;
  status = Arena::allocate(body.size(), 0, block);
  if (status != Status::ok) return status;
  const std::span<std::byte> copy(block->body(), body.size());  // the arena may have rounded up the body
  copy_payload(copy.data(), body.data(), body.size());
  status = verify_in_place(copy, max_bytes, error, sizes);
  if (status == Status::ok && sizes.index_bytes != 0) status = add_tables(block, body.size(), sizes.index_bytes);
  if (status == Status::ok && !index_body(block, body.size(), error)) {
    error.offset += sizeof(DumpHeader);
    status = Status::invalid;
  }
  if (status == Status::ok) {
    cell = Cell::of_block(block);
  } else {
    Arena::discard(block);
  }
  return status;
}

}  // namespace xichan::internal

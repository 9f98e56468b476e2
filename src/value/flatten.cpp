#include "value/flatten.h"

#include "base/pointer_map.h"
#include "value/block_builder.h"
#include "value/block_reader.h"
#include "value/message.h"
#include "value/size_guard.h"
#include "value/text.h"

namespace xichan::internal {
namespace {

/// A tuple that has been met, and where.
struct Visit {
  BlockReader reader;
  const Cell* cells;
  std::uint64_t length;
  std::uint64_t parent;  // index of the visit whose element it is
  std::uint64_t index;   // which one
};

/// A payload that has been met.
struct Payload {
  std::uint64_t head;  // of the cell that describes it, with no mark; 0 for none
  bool again;          // it occurs more than once
  Cell* first;         // where it was written
};

/// What a cell holds, in its one representation.
class Content {
 public:
  explicit Content(const CellRef& place) noexcept : cell_(*place.cell) {
    if (!cell_.has_payload()) return;
    data_ = place.reader.payload(cell_);
    if (is_text()) {
      from_ = text_kind(cell_.tag());
      kind_ = narrowest_kind(highest_code_point(from_, data_, length()));
    }
    if (!fits_short(length(), is_text() ? text_width(kind_) : 1) || cell_.tag() == Tag::big_int) return;
    short_ = true;
  }

  bool has_payload() const noexcept { return data_ != nullptr && !short_; }
  bool is_text() const noexcept { return cell_.tag() <= Tag::ucs4; }
  Tag tag() const noexcept { return cell_.tag(); }
  std::uint64_t length() const noexcept { return cell_.length(); }
  const void* data() const noexcept { return data_; }
  /// Tells apart what lies at one address.
  std::uint64_t head() const noexcept { return cell_.head & ~Cell::repeated_mark; }

  void count(BlockBuilder& builder) const noexcept {
    if (is_text()) {
      builder.count_text(kind_, length());
    } else {
      builder.count_bytes(length());
    }
  }

  void write_payload(BlockBuilder& builder, Cell& cell) const noexcept {
    if (is_text()) {
      convert_text(from_, data_, length(), kind_, builder.write_text(cell, kind_, nullptr, length()));
    } else if (cell_.tag() == Tag::bytes) {
      builder.write_bytes(cell, data_, length());
    } else {
      std::memcpy(builder.write_big_int(cell, length()), data_, length());
    }
  }

  /// Of a value that has no payload, or needs none.
  Cell short_cell() const noexcept {
    if (!short_) return cell_;
    if (!is_text()) return Cell::of_short(Tag::short_bytes, data_, length());
    char text[short_payload];
    convert_text(from_, data_, length(), kind_, text);
    return Cell::of_short(short_text_tag(kind_), text, length(), text_width(kind_));
  }

 private:
  const Cell& cell_;
  const void* data_ = nullptr;
  TextKind from_ = TextKind::ascii;
  TextKind kind_ = TextKind::ascii;
  bool short_ = false;
};

class Flattener {
 public:
  explicit Flattener(UnportableValue& stay) noexcept : stay_(stay) {}

  Status measure(BlockReader root) noexcept {
    Status status = measure(root, root.root(), 0, 0);
    for (std::uint64_t i = 0; i < tuples_.size() && status == Status::ok; ++i) {
      const Visit tuple = tuples_[i];
      for (std::uint64_t j = 0; j < tuple.length && status == Status::ok; ++j) {
        status = measure(tuple.reader, tuple.cells[j], i, j);
        if (status == Status::invalid && !note_place(i, j)) return Status::no_memory;
      }
      if (status == Status::ok) status = ceiling_.check(builder_.counted());
    }
    return status;
  }

  Status write(BlockReader root, Cell& flat) noexcept {
    if (is_short_) {
      flat = Content(resolve_through(root, root.root())).short_cell();
      return Status::ok;
    }
    const Status status = builder_.allocate();
    if (status != Status::ok) return status;
    write(root, root.root(), builder_.root());
    Cell* cells = &builder_.root() + 1;
    for (std::uint64_t i = 0; i < tuples_.size(); ++i) {
      const Visit tuple = tuples_[i];
      for (std::uint64_t j = 0; j < tuple.length; ++j) write(tuple.reader, tuple.cells[j], cells[j]);
      cells += tuple.length;
    }
    flat = builder_.finish();
    return Status::ok;
  }

 private:
  Status measure(BlockReader from, const Cell& cell, std::uint64_t parent, std::uint64_t index) noexcept {
    const CellRef place = resolve_through(from, cell);
    const Tag tag = place.cell->tag();
    if (tag == Tag::queue || tag == Tag::reference) {
      stay_.tag = tag;
      if (tag == Tag::reference) stay_.end = place.reader.reference(*place.cell).type->kind;
      return Status::invalid;
    }
    if (tag == Tag::tuple) {
      const std::uint64_t length = place.cell->length();
      if (length == 0) return Status::ok;
      is_short_ = false;
      builder_.count_tuple(length);
      const Visit visit{place.reader, place.reader.elements(*place.cell).data(), length, parent, index};
      return tuples_.push(visit) ? Status::ok : Status::no_memory;
    }
    const Content content(place);
    if (!content.has_payload()) return Status::ok;
    is_short_ = false;
    Payload* payload = payloads_.insert(content.data());
    if (payload == nullptr) return Status::no_memory;
    if (payload->head == content.head()) {
      payload->again = true;
      return Status::ok;
    }
    // Another part of a payload that begins at the same place is written by itself.
    if (payload->head == 0) payload->head = content.head();
    content.count(builder_);
    return Status::ok;
  }

  void write(BlockReader from, const Cell& item, Cell& cell) noexcept {
    const CellRef place = resolve_through(from, item);
    if (place.cell->tag() == Tag::tuple) {
      builder_.write_tuple(cell, place.cell->length());
      return;
    }
    const Content content(place);
    if (!content.has_payload()) {
      cell = content.short_cell();
      return;
    }
    Payload* payload = payloads_.find(content.data());
    if (payload->head != content.head() || !payload->again) return content.write_payload(builder_, cell);
    if (payload->first != nullptr) return builder_.write_repeat(cell, *payload->first);
    content.write_payload(builder_, cell);
    payload->first = &cell;
  }

  bool note_place(std::uint64_t tuple, std::uint64_t index) noexcept {
    if (!stay_.steps.push(index)) return false;
    for (; tuple != 0; tuple = tuples_[tuple].parent) {
      if (!stay_.steps.push(tuples_[tuple].index)) return false;
    }
    return true;
  }

  UnportableValue& stay_;
  BlockBuilder builder_;
  SizeGuard ceiling_;
  Worklist<Visit> tuples_;
  PointerMap<Payload> payloads_;
  bool is_short_ = true;
};

// Whether a block is flat already: no references, and no Queue among its cells, which lie one after the other.
bool is_flat(const Block* block) noexcept {
  if (block->reference_count() != 0) return false;
  const Cell* cell = &BlockReader(block).root();
  for (const Cell* end = cell + 1; cell != end; ++cell) {
    if (cell->tag() == Tag::queue) return false;
    if (cell->tag() == Tag::tuple) end += cell->length();
  }
  return true;
}

}  // namespace

Status flatten(const Cell& cell, Cell& flat, UnportableValue& stay) noexcept {
  if (!cell.owns_block() || is_flat(cell.as_block())) {
    flat = cell.owns_block() ? Cell::of_block(cell.as_block()) : cell;
    retain(flat);
    return Status::ok;
  }
  Flattener flattener(stay);
  const BlockReader root(cell.as_block());
  const Status status = flattener.measure(root);
  return status == Status::ok ? flattener.write(root, flat) : status;
}

}  // namespace xichan::internal

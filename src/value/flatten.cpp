#include "value/flatten.h"

#include <functional>

#include "base/pointer_map.h"
#include "value/block_builder.h"
#include "value/block_reader.h"
#include "value/message.h"
#include "value/pickled.h"
#include "value/records.h"
#include "value/text.h"

namespace xichan::internal {
namespace {

/// A container to walk, and its position in the value.
struct Visit {
  BlockReader reader;
  const Cell* cells;
  std::uint64_t length;
  std::uint64_t parent;  // index of the visit of the enclosing container
  std::uint64_t index;   // position in that container
  Tag tag = Tag::empty;  // `empty` for the root, as the parent of itself
};

/// A container that was counted.
struct Container {
  bool counted;
  Cell* first;  // where it was written
};

/// Returns true if a cell of a container belongs to it alone: the content of a bytearray or array, or what the
/// constructor of a standard type copies. Elsewhere the same content is another value (V5 in verify_containers.h).
bool is_own(const Visit& parent, std::uint64_t index, const Cell& cell) noexcept {
  if (parent.tag == Tag::bytearray) return true;
  if (parent.tag == Tag::array) return index == parent.length - 1;
  if (parent.tag != Tag::record || parent.cells[0].tag() != Tag::integer) return false;
  if (cell.has_payload()) return parent.cells[0].as_integer() == static_cast<std::int64_t>(StandardType::decimal);
  return cell.tag() == Tag::list || cell.tag() == Tag::dict;
}

/// A payload that was counted.
struct Payload {
  std::uint64_t head;  // of the cell that describes it, without the mark; 0 if there is none
  TextKind kind;       // the narrowest, if it is text
  bool again;          // it occurs more than once
  Cell* first;         // where it was written
};

/// Returns true if a cell lies outside the body that it is valid in. Only such a cell may show a part of a text, and so
/// a text in a form that is not its narrowest.
bool is_window(const CellRef& ref) noexcept {
  const Block* block = ref.reader.block();
  const auto* at = reinterpret_cast<const std::byte*>(ref.cell);
  return std::less<>()(at, block->body()) || !std::less<>()(at, block->body() + block->body_bytes());
}

/// The content of a cell in its canonical representation (C3).
class CanonicalContent {
 public:
  CanonicalContent(const CellRef& ref, PointerMap<Payload>& payloads) noexcept : cell_(*ref.cell) {
    if (!cell_.has_payload()) return;
    data_ = ref.reader.payload(cell_);
    if (is_text()) {
      from_ = kind_ = text_kind(cell_.tag());
      // Each payload is scanned once, however many cells show it.
      const Payload* const seen = is_window(ref) ? payloads.find(data_) : nullptr;
      if (seen != nullptr && seen->head == head()) {
        kind_ = seen->kind;
      } else if (is_window(ref)) {
        kind_ = narrowest_kind(highest_code_point(from_, data_, length()));
      }
    }
    if (!fits_short(length(), is_text() ? text_width(kind_) : 1) || cell_.tag() == Tag::big_int) return;
    short_ = true;
  }

  bool has_payload() const noexcept { return data_ != nullptr && !short_; }
  bool is_text() const noexcept { return cell_.tag() <= Tag::ucs4; }
  Tag tag() const noexcept { return cell_.tag(); }
  TextKind kind() const noexcept { return kind_; }
  std::uint64_t length() const noexcept { return cell_.length(); }
  const void* data() const noexcept { return data_; }
  /// Distinguishes payloads at the same address.
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
      builder.write_large_bytes(cell, data_, length());
    } else {
      std::memcpy(builder.write_big_int(cell, length()), data_, length());
    }
  }

  /// Returns the cell of a value that needs no payload.
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
  explicit Flattener(UnportableValue& unportable) noexcept : unportable_(unportable) {}

  Status measure(BlockReader root) noexcept {
    Status status = measure(root, root.root(), Visit{}, 0, 0);
    for (std::uint64_t i = 0; i < containers_.size() && status == Status::ok; ++i) {
      const Visit visit = containers_[i];
      for (std::uint64_t j = 0; j < visit.length && status == Status::ok; ++j) {
        status = measure(visit.reader, visit.cells[j], visit, i, j);
        if (status == Status::invalid && !record_path(i, j)) return Status::no_memory;
      }
    }
    return status;
  }

  Status write(BlockReader root, Cell& flat) noexcept {
    if (is_short_) {
      flat = CanonicalContent(resolve_through(root, root.root()), payloads_).short_cell();
      return Status::ok;
    }
    const Status status = builder_.allocate();
    if (status != Status::ok) return status;
    write(root, root.root(), Visit{}, 0, builder_.root());
    Cell* cells = &builder_.root() + 1;
    for (std::uint64_t i = 0; i < containers_.size(); ++i) {
      const Visit visit = containers_[i];
      for (std::uint64_t j = 0; j < visit.length; ++j) write(visit.reader, visit.cells[j], visit, j, cells[j]);
      cells += visit.length;
    }
    flat = builder_.finish();
    return Status::ok;
  }

 private:
  Status measure(BlockReader from, const Cell& cell, const Visit& in, std::uint64_t parent,
                 std::uint64_t index) noexcept {
    const CellRef ref = resolve_through(from, cell);
    const Tag tag = ref.cell->tag();
    if (tag == Tag::queue || tag == Tag::reference || is_pickled(ref.reader, *ref.cell)) {
      unportable_.tag = tag;
      if (tag == Tag::reference) unportable_.end = ref.reader.reference(*ref.cell).type->kind;
      return Status::invalid;
    }
    if (tag == Tag::index) return Status::ok;
    const bool own = is_own(in, index, *ref.cell);
    if (ref.cell->has_elements()) return measure_container(ref, own, parent, index);
    const CanonicalContent content(ref, payloads_);
    if (!content.has_payload()) return Status::ok;
    is_short_ = false;
    if (!own) {
      Payload* payload = payloads_.insert(content.data());
      if (payload == nullptr) return Status::no_memory;
      if (payload->head == content.head()) {
        payload->again = true;
        return Status::ok;
      }
      // A different slice that begins at the same address is written separately.
      if (payload->head == 0) {
        payload->head = content.head();
        payload->kind = content.kind();
      }
    }
    content.count(builder_);
    return Status::ok;
  }

  Status measure_container(const CellRef& ref, bool own, std::uint64_t parent, std::uint64_t index) noexcept {
    const std::uint64_t length = ref.cell->length();
    if (length == 0 && ref.cell->tag() == Tag::tuple) return Status::ok;
    is_short_ = false;
    if (!own) {
      Container* const container = known_.insert(content_of(ref.reader, *ref.cell));
      if (container == nullptr) return Status::no_memory;
      if (container->counted) return Status::ok;
      container->counted = true;
    }
    builder_.count_tuple(length);
    const Visit visit{ref.reader, ref.reader.elements(*ref.cell).data(), length, parent, index, ref.cell->tag()};
    return containers_.push(visit) ? Status::ok : Status::no_memory;
  }

  void write(BlockReader from, const Cell& item, const Visit& in, std::uint64_t index, Cell& cell) noexcept {
    const CellRef ref = resolve_through(from, item);
    const Tag tag = ref.cell->tag();
    if (tag == Tag::index) {
      cell = Cell::of(Tag::index);
      return;
    }
    const bool own = is_own(in, index, *ref.cell);
    if (ref.cell->has_elements()) {
      const bool is_named = !own && (ref.cell->length() != 0 || tag != Tag::tuple);
      Container* const container = is_named ? known_.find(content_of(ref.reader, *ref.cell)) : nullptr;
      if (container != nullptr && container->first != nullptr) return builder_.write_repeat(cell, *container->first);
      builder_.write_tuple(cell, ref.cell->length(), tag);
      if (container != nullptr) container->first = &cell;
      return;
    }
    const CanonicalContent content(ref, payloads_);
    if (!content.has_payload()) {
      cell = content.short_cell();
      return;
    }
    Payload* payload = own ? nullptr : payloads_.find(content.data());
    if (payload == nullptr || payload->head != content.head() || !payload->again) {
      return content.write_payload(builder_, cell);
    }
    if (payload->first != nullptr) return builder_.write_repeat(cell, *payload->first);
    content.write_payload(builder_, cell);
    payload->first = &cell;
  }

  bool record_path(std::uint64_t container, std::uint64_t index) noexcept {
    if (!unportable_.steps.push(index)) return false;
    for (; container != 0; container = containers_[container].parent) {
      if (!unportable_.steps.push(containers_[container].index)) return false;
    }
    return true;
  }

  UnportableValue& unportable_;
  BlockBuilder builder_{false};
  Worklist<Visit> containers_;
  ContentMap<Container> known_;
  PointerMap<Payload> payloads_;
  bool is_short_ = true;
};

// Returns true if a block is flat: it has no references, and no Queue, pickle, loaded record or table of an index among
// its cells, which are contiguous.
bool is_flat(const Block* block) noexcept {
  if (block->reference_count() != 0) return false;
  const Cell* cell = &BlockReader(block).root();
  for (const Cell* end = cell + 1; cell != end; ++cell) {
    if (cell->tag() == Tag::record && (cell->is_untrusted() || is_pickled(BlockReader(block), *cell))) return false;
    if (cell->tag() == Tag::queue || (cell->tag() == Tag::index && cell->length() != 0)) return false;
    if (cell->has_elements()) end += cell->length();
  }
  return true;
}

}  // namespace

Status flatten(const Cell& cell, Cell& flat, UnportableValue& unportable) noexcept {
  if (!cell.owns_block() || is_flat(cell.as_block())) {
    flat = cell.owns_block() ? Cell::of_block(cell.as_block()) : cell;
    retain(flat);
    return Status::ok;
  }
  Flattener flattener(unportable);
  const BlockReader root(cell.as_block());
  const Status status = flattener.measure(root);
  return status == Status::ok ? flattener.write(root, flat) : status;
}

}  // namespace xichan::internal

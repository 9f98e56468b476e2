#include "value/verify_containers.h"

#include "base/checked.h"
#include "base/worklist.h"
#include "value/block_reader.h"
#include "value/index.h"
#include "value/object_sizes.h"
#include "value/value_access.h"

namespace xichan::internal {
namespace {

bool is_text(Tag tag) noexcept { return is_short_text(tag) || is_long_text(tag); }
bool is_bytes(Tag tag) noexcept { return tag == Tag::bytes || tag == Tag::short_bytes; }
bool is_int(Tag tag) noexcept { return tag == Tag::integer || tag == Tag::big_int; }
/// True for a container that cannot be changed once it is made: its elements exist before it does.
bool is_frozen(Tag tag) noexcept {
  return tag == Tag::tuple || tag == Tag::frozendict || tag == Tag::frozenset || tag == Tag::slice;
}
/// True for a container that has a hash if all its values do. The elements of a frozenset have one anyway.
bool hashes_elements(Tag tag) noexcept { return tag == Tag::tuple || tag == Tag::frozendict || tag == Tag::slice; }

class ContainerVerifier {
 public:
  ContainerVerifier(const BodyCells& cells, std::uint64_t end, VerifyError& error, BodySizes& sizes) noexcept
      : cells_(cells), end_(end), error_(error), sizes_(sizes) {}

  Status run() noexcept {
    return check_root() && check_all() && check_keys() && check_cycles() ? Status::ok
           : in_memory_                                                  ? Status::invalid
                                                                         : Status::no_memory;
  }

 private:
  bool check_root() noexcept {
    return cells_.at(0).tag() != Tag::index || fail("index outside a large dict or set", 0);
  }

  bool check_all() noexcept {
    sizes_ = {};
    for (std::uint64_t at = 0; at < end_; at += sizeof(Cell)) {
      const Cell cell = cells_.at(at);
      sizes_.object_bytes += object_bytes(cell);
      if (cell.tag() == Tag::repeat) frozen_repeat_ |= is_frozen(cells_.at(cell.word).tag());
      if (cell.has_elements() && !check_container(cell, at)) return false;
    }
    return true;
  }

  bool check_container(const Cell& cell, std::uint64_t at) noexcept {
    const std::uint64_t indexes = cell.is_hashed() && cell.is_indexed();
    for (std::uint64_t i = 0; i + indexes < cell.length(); ++i) {
      if (cells_.at(element(cell, i)).tag() == Tag::index) {
        return fail("index outside a large dict or set", element(cell, i));
      }
    }
    switch (cell.tag()) {
      case Tag::dict:
      case Tag::frozendict:
      case Tag::set:
      case Tag::frozenset: return check_hashed(cell, at);
      case Tag::range: return check_range(cell, at);
      case Tag::slice: return cell.length() == 3 || fail("slice does not have three elements", at);
      case Tag::complex: {
        const bool valid = cell.length() == 2 && cells_.at(cell.word).tag() == Tag::real &&
                           cells_.at(element(cell, 1)).tag() == Tag::real;
        return valid || fail("complex does not have two floats", at);
      }
      case Tag::bytearray: return check_content(cell, 1, at);
      case Tag::array: return check_array(cell, at);
      case Tag::record: return check_record(cell, at);
      default: return true;
    }
  }

  bool check_hashed(const Cell& cell, std::uint64_t at) noexcept {
    const std::uint64_t entries = cell.entries();
    const bool indexed = cell.is_indexed();
    if (entries * cell.entry_cells() + indexed != cell.length() || indexed != (entries > largest_unindexed)) {
      return fail("dict or set has a wrong number of cells", at);
    }
    if (indexed) {
      if (cells_.at(element(cell, cell.length() - 1)).tag() != Tag::index) {
        return fail("large dict or set does not end in an index", at);
      }
      sizes_.index_bytes += align_up(index_bytes(entries), sizeof(std::uint64_t));
    }
    has_keys_ |= entries != 0;
    return true;
  }

  bool check_range(const Cell& cell, std::uint64_t at) noexcept {
    bool valid = cell.length() == 3;
    for (std::uint64_t i = 0; valid && i < 3; ++i) valid = is_int(cells_.resolved(element(cell, i)).tag());
    if (!valid) return fail("range does not have three ints", at);
    const Cell step = cells_.resolved(element(cell, 2));
    return step.tag() == Tag::big_int || step.as_integer() != 0 || fail("step of a range is 0", at);
  }

  // The last of `length` cells is bytes that belong to this object only.
  bool check_content(const Cell& cell, std::uint64_t length, std::uint64_t at) noexcept {
    if (cell.length() != length) return fail("bytearray or array has a wrong number of cells", at);
    const Cell content = cells_.at(element(cell, length - 1));
    const bool marked = content.tag() == Tag::bytes && content.is_repeated();
    return (is_bytes(content.tag()) && !marked) || fail("content of a bytearray or array is not bytes of its own", at);
  }

  bool check_array(const Cell& cell, std::uint64_t at) noexcept {
    if (!check_content(cell, 4, at)) return false;
    const Cell kind = cells_.at(cell.word), shape = cells_.resolved(element(cell, 2));
    const Cell content = cells_.at(element(cell, 3));
    const std::uint64_t bytes = content.tag() == Tag::bytes ? content.length() : content.short_length();
    std::uint64_t format_bytes = 0;
    const bool valid = kind.tag() == Tag::integer && kind.word <= static_cast<std::uint64_t>(ArrayKind::scalar) &&
                       shape.tag() == Tag::tuple &&
                       verify_array(cells_, static_cast<ArrayKind>(kind.word), cells_.resolve(element(cell, 1)), shape,
                                    bytes, structures_, format_bytes);
    sizes_.object_bytes += format_bytes;
    return valid || fail("array has an invalid kind, format or shape", at);
  }

  bool check_record(const Cell& cell, std::uint64_t at) noexcept {
    if (cell.length() == 0) return fail("record has no type", at);
    const Cell type = cells_.resolved(cell.word);
    const std::uint64_t fields = cell.length() - 1;
    if (type.tag() == Tag::integer) {
      const std::uint64_t first = cell.word + sizeof(Cell);
      if (!verify_standard(cells_, type.as_integer(), first, fields)) {
        return fail("record is not of a standard type with its fields", at);
      }
      sizes_.object_bytes += standard_bytes(cells_, type.as_integer(), first);
      return true;
    }
    if (type.tag() != Tag::tuple || type.length() != 4)
      return fail("type of a record is not a standard type or tuple", at);
    for (std::uint64_t i = 0; i < 3; ++i) {
      if (!is_text(cells_.resolved(element(type, i)).tag())) return fail("type of a record has no name", at);
    }
    const Cell names = cells_.resolved(element(type, 3));
    if (names.tag() != Tag::tuple || names.length() != fields) return fail("record has a wrong number of fields", at);
    for (std::uint64_t i = 0; i < fields; ++i) {
      if (!is_text(cells_.resolved(element(names, i)).tag())) return fail("name of a field is not a str", at);
    }
    return true;
  }

  // V2. Descends from each key into the containers whose hash is that of their elements, each once.
  bool check_keys() noexcept {
    if (!has_keys_) return true;
    CellBits seen(end_);
    Worklist<std::uint64_t> open;
    for (std::uint64_t at = 0; at < end_; at += sizeof(Cell)) {
      const Cell cell = cells_.at(at);
      if (!cell.is_hashed()) continue;
      for (std::uint64_t i = 0; i < cell.entries(); ++i) {
        if (!check_key(element(cell, i * cell.entry_cells()), seen, open)) return false;
        while (!open.empty()) {
          const Cell key = cells_.at(open.pop());
          const std::uint64_t values = key.length() - (key.is_hashed() && key.is_indexed());
          for (std::uint64_t j = 0; j < values; ++j) {
            if (!check_key(element(key, j), seen, open)) return false;
          }
        }
      }
    }
    return true;
  }

  bool check_key(std::uint64_t at, CellBits& seen, Worklist<std::uint64_t>& open) noexcept {
    const std::uint64_t key = cells_.resolve(at);
    const Cell cell = cells_.at(key);
    const auto kind = [&]() noexcept { return static_cast<ArrayKind>(cells_.at(cell.word).word); };
    switch (cell.tag()) {
      case Tag::list:
      case Tag::dict:
      case Tag::set:
      case Tag::bytearray: return fail("key of a dict or element of a set has no hash", at);
      case Tag::array:
        return kind() == ArrayKind::memoryview || kind() == ArrayKind::scalar ||
               fail("key of a dict or element of a set has no hash", at);
      default: break;
    }
    if (!hashes_elements(cell.tag()) || cell.length() == 0 || seen.test(key)) return true;
    in_memory_ = seen.set(key) && open.push(key);
    return in_memory_;
  }

  // V3. A depth-first search through frozen containers; it is needed only if a repeat points to one.
  bool check_cycles() noexcept {
    if (!frozen_repeat_) return true;
    struct Frame {
      std::uint64_t at;
      std::uint64_t next;
    };
    CellBits done(end_), entered(end_);
    Worklist<Frame> frames;
    for (std::uint64_t at = 0; at < end_; at += sizeof(Cell)) {
      if (!is_frozen(cells_.at(at).tag()) || entered.test(at)) continue;
      in_memory_ = entered.set(at) && frames.push({at, 0});
      while (in_memory_ && !frames.empty()) {
        Frame& frame = *(frames.end() - 1);
        const Cell cell = cells_.at(frame.at);
        if (frame.next == cell.length()) {
          in_memory_ = done.set(frame.at);
          frames.pop();
          continue;
        }
        const std::uint64_t child = cells_.resolve(element(cell, frame.next++));
        if (!is_frozen(cells_.at(child).tag()) || done.test(child)) continue;
        if (entered.test(child)) return fail("tuple or frozen container contains itself", child);
        in_memory_ = entered.set(child) && frames.push({child, 0});
      }
      if (!in_memory_) return false;
    }
    return true;
  }

  static std::uint64_t element(const Cell& cell, std::uint64_t i) noexcept { return cell.word + i * sizeof(Cell); }

  bool fail(const char* what, std::uint64_t offset) noexcept {
    error_ = {what, offset};
    return false;
  }

  const BodyCells& cells_;
  const std::uint64_t end_;
  VerifyError& error_;
  BodySizes& sizes_;
  KnownStructures structures_;
  bool has_keys_ = false;
  bool frozen_repeat_ = false;
  bool in_memory_ = true;
};

}  // namespace

Status verify_containers(const BodyCells& cells, std::uint64_t cells_end, VerifyError& error,
                         BodySizes& sizes) noexcept {
  return ContainerVerifier(cells, cells_end, error, sizes).run();
}

}  // namespace xichan::internal

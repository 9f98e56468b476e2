#include "page/wait_report.h"

#include <algorithm>
#include <cstring>

#include "base/deadline.h"
#include "page/page.h"

namespace xichan::internal {
namespace {

constexpr std::uint64_t pack(const WaitTarget& target) noexcept {
  return static_cast<std::uint64_t>(target.what) | std::uint64_t{target.receives} << 8 |
         std::uint64_t{target.kind} << 16 | std::uint64_t{target.until_closed} << 24;
}

WaitTarget unpack(std::uint64_t word) noexcept {
  WaitTarget target;
  target.what = static_cast<WaitTarget::What>(std::min<std::uint64_t>(word & 0xff, 2));
  target.receives = word >> 8 & 1;
  target.kind = static_cast<std::uint8_t>(word >> 16);
  target.until_closed = word >> 24 & 1;
  return target;
}

bool is_continuation(char byte) noexcept { return (byte & 0xc0) == 0x80; }

std::string_view first_bytes(std::string_view text, std::size_t most) noexcept {
  if (text.size() <= most) return text;
  while (most > 0 && is_continuation(text[most])) --most;
  return text.substr(0, most);
}

std::string_view last_bytes(std::string_view text, std::size_t most) noexcept {
  if (text.size() <= most) return text;
  text.remove_prefix(text.size() - most);
  while (!text.empty() && is_continuation(text[0])) text.remove_prefix(1);
  return text;
}

void set_text(WaitSlot& slot, std::size_t index, std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size(); at += 8, ++index) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, std::min<std::size_t>(text.size() - at, 8));
    slot.content.set(index, word);
  }
}

// Stands for a slot in a report that found none free.
WaitSlot* unshown() noexcept {
  alignas(WaitSlot) static std::byte place[1];
  return reinterpret_cast<WaitSlot*>(place);
}

// A free slot of the kind, or null. The one that the thread had last is in its cache.
WaitSlot* claim(Page& page, bool is_coroutine) noexcept {
  thread_local std::uint16_t last[] = {0, 0};
  const std::size_t found = page.header.taken[is_coroutine].take(last[is_coroutine]);
  if (found == thread_wait_slots) return nullptr;
  last[is_coroutine] = static_cast<std::uint16_t>(found);
  const std::size_t index = is_coroutine * thread_wait_slots + found;
  if (!allocate_in_page(page.waits[index])) return page.header.taken[is_coroutine].release(found), nullptr;
  atomic<std::uint64_t>& used = page.header.tables[0].used;
  for (std::uint64_t seen = used.load(memory_order_relaxed);
       seen <= index && !used.compare_exchange_weak(seen, index + 1, memory_order_relaxed, memory_order_relaxed);) {
  }
  return &page.waits[index];
}

}  // namespace

void WaitReport::show(std::span<const WaitTarget> targets, std::size_t total) noexcept {
  if (is_shown()) return;
  Page* const shown_in = page();
  if (shown_in == nullptr) return;
  if (number_ == 0) {
    number_ = shown_in->header.waits_begun.fetch_add(1, memory_order_relaxed) + 1;
    started_ = Deadline::now();
  }
  forks_ = page_forks();
  WaitSlot* const slot = claim(*shown_in, flags_ & is_coroutine);
  if (slot == nullptr) {
    slot_.store(unshown(), memory_order_relaxed);
    shown_in->header.waits_unshown.fetch_add(1, memory_order_relaxed);
    return;
  }
  write(*slot, targets, total);
  slot_.store(slot, memory_order_relaxed);
}

void WaitReport::write(WaitSlot& slot, std::span<const WaitTarget> targets, std::size_t total) noexcept {
  auto& content = slot.content;
  const std::size_t listed = std::min(targets.size(), most_wait_cases);
  const std::uint64_t more = std::min<std::uint64_t>(total - listed, 0xff'ffff);
  content.begin_write();
  content.set(WaitWord::number, number_);
  content.set(WaitWord::started, static_cast<std::uint64_t>(started_));
  content.set(WaitWord::interpreter, static_cast<std::uint64_t>(caller_.interpreter));
  for (std::size_t i = 0; i < listed; ++i) {
    content.set(WaitWord::cases + i * 3, pack(targets[i]));
    content.set(WaitWord::cases + i * 3 + 1, targets[i].low);
    content.set(WaitWord::cases + i * 3 + 2, targets[i].high);
  }
  struct Writing {
    WaitSlot& slot;
    std::uint64_t packed;
    std::uint32_t flags;
  } writing{slot, more << 40 | listed << 32, flags_};
  const auto take = [](void* context, const WaitText& text) noexcept {
    auto& [to, packed, flags] = *static_cast<Writing*>(context);
    const std::string_view call = first_bytes(text.call(), most_call_bytes);
    const std::string_view function = first_bytes(text.function(), most_function_bytes);
    const std::string_view file = last_bytes(text.file(), most_file_bytes);
    set_text(to, WaitWord::call, call);
    set_text(to, WaitWord::function, function);
    set_text(to, WaitWord::file, file);
    if (file.size() != text.file().size()) flags |= is_file_cut;
    to.content.set(WaitWord::line, packed | text.line());
    to.content.set(WaitWord::lengths, file.size() << 32 | function.size() << 16 | call.size());
  };
  if (caller_.describe != nullptr) {
    caller_.describe(caller_, call_, take, &writing);
  } else {
    WaitText text;
    text.set_call(call_);
    take(&writing, text);
  }
  content.set(WaitWord::thread, std::uint64_t{writing.flags} << 32 | native_thread());
  content.end_write();
}

void WaitReport::clear(WaitSlot* slot) noexcept {
  if (forks_ != page_forks()) return;  // S3
  if (slot == unshown()) {
    existing_page()->header.waits_unshown.fetch_sub(1, memory_order_relaxed);
    return;
  }
  slot->content.begin_write();
  slot->content.set(WaitWord::number, 0);
  slot->content.end_write();
  const auto index = static_cast<std::size_t>(slot - existing_page()->waits);
  existing_page()->header.taken[index / thread_wait_slots].release(index % thread_wait_slots);
}

bool read_wait(const Page& page, std::size_t index, ShownWait& out) noexcept {
  std::uint64_t words[WaitSlot::words];
  constexpr int attempts = 100;
  for (int i = 0; !page.waits[index].content.read(words); ++i) {
    if (i == attempts) return false;
    cpu_relax();
  }
  out.number = words[WaitWord::number];
  if (out.number == 0) return false;
  out.started = static_cast<std::int64_t>(words[WaitWord::started]);
  out.interpreter = static_cast<std::int64_t>(words[WaitWord::interpreter]);
  out.thread = static_cast<std::uint32_t>(words[WaitWord::thread]);
  out.flags = static_cast<std::uint32_t>(words[WaitWord::thread] >> 32);
  out.line = static_cast<std::uint32_t>(words[WaitWord::line]);
  out.targets = std::min<std::uint32_t>(words[WaitWord::line] >> 32 & 0xff, most_wait_cases);
  out.more = static_cast<std::uint32_t>(words[WaitWord::line] >> 40);
  for (std::size_t i = 0; i < out.targets; ++i) {
    out.target[i] = unpack(words[WaitWord::cases + i * 3]);
    out.target[i].low = words[WaitWord::cases + i * 3 + 1];
    out.target[i].high = words[WaitWord::cases + i * 3 + 2];
  }
  const std::uint64_t lengths = words[WaitWord::lengths];
  const auto copy = [&](std::uint16_t& length, unsigned shift, char* to, std::size_t most, std::size_t from) noexcept {
    length = static_cast<std::uint16_t>(std::min<std::uint64_t>(lengths >> shift & 0xffff, most));
    std::memcpy(to, words + from, length);
  };
  copy(out.call_length, 0, out.call, most_call_bytes, WaitWord::call);
  copy(out.function_length, 16, out.function, most_function_bytes, WaitWord::function);
  copy(out.file_length, 32, out.file, most_file_bytes, WaitWord::file);
  return true;
}

std::size_t used_wait_slots(const Page& page) noexcept {
  return std::min<std::uint64_t>(page.header.tables[0].used.load(memory_order_relaxed), wait_slots);
}

}  // namespace xichan::internal

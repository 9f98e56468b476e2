#include "page/places.h"

#include <cstring>
#include <functional>
#include <new>

namespace xichan::internal {
namespace {

constexpr std::size_t buckets = 1024;
constexpr std::uint32_t most_places = 1 << 16;

constinit atomic<const Place*> first[buckets] = {};
constinit atomic<std::uint32_t> count{0};

}  // namespace

Place* Place::make(std::string_view file, std::uint32_t line) noexcept {
  if (count.fetch_add(1, memory_order_relaxed) >= most_places) {
    count.fetch_sub(1, memory_order_relaxed);
    return nullptr;
  }
  void* const memory = ::operator new(sizeof(Place) + file.size(), std::nothrow);
  if (memory == nullptr) {
    count.fetch_sub(1, memory_order_relaxed);
    return nullptr;
  }
  auto* const place = new (memory) Place(nullptr, line, static_cast<std::uint32_t>(file.size()));
  std::memcpy(reinterpret_cast<char*>(place + 1), file.data(), file.size());
  return place;
}

const Place* Place::intern(std::string_view file, std::uint32_t line) noexcept {
  atomic<const Place*>& bucket = first[(std::hash<std::string_view>()(file) + line) % buckets];
  const Place* seen = bucket.load(memory_order_acquire);  // (59), with (60): a place is written before it is read
  const Place* searched = nullptr;
  for (Place* made = nullptr;;) {
    for (const Place* place = seen; place != searched; place = place->next_) {
      if (place->line() != line || place->file() != file) continue;
      ::operator delete(made);
      if (made != nullptr) count.fetch_sub(1, memory_order_relaxed);
      return place;
    }
    searched = seen;
    if (made == nullptr) made = make(file, line);
    if (made == nullptr) return nullptr;
    made->next_ = seen;
    if (bucket.compare_exchange_weak(seen, made, memory_order_release, memory_order_acquire))
      return made;  // (60), (59)
  }
}

}  // namespace xichan::internal

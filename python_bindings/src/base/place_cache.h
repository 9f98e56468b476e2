// The places of the calls that open endpoints, so that most calls need not look up a line.
#pragma once

#include <Python.h>

#include "base/call_site.h"
#include "page/places.h"

namespace xichan::python {

/// Direct mapped. Zeroed memory is empty. Holds references to code objects, so that no other code has their addresses.
///
/// Thread safety: guarded by the GIL.
class PlaceCache {
 public:
  /// Returns the place of the running function's caller; null if it is not known.
  const internal::Place* find() noexcept {
    const CallSite site = find_call_site();
    if (site.code == nullptr) return nullptr;
    Entry& entry = entries_[hash(site)];
    if (entry.code == site.code && entry.offset == site.offset) [[likely]]
      return entry.place;
    return look_up(site, entry);
  }

  void clear() noexcept {
    for (Entry& entry : entries_) Py_CLEAR(entry.code);
  }

 private:
  static constexpr unsigned size_bits = 6;

  struct Entry {
    PyCodeObject* code;
    int offset;
    const internal::Place* place;
  };

  static std::size_t hash(const CallSite& site) noexcept {
    const auto mixed = reinterpret_cast<std::uintptr_t>(site.code) / 16 + static_cast<unsigned>(site.offset) / 2;
    return (mixed * 0x9e3779b97f4a7c15u) >> (64 - size_bits);
  }
  static const internal::Place* look_up(const CallSite& site, Entry& entry) noexcept;

  Entry entries_[std::size_t{1} << size_bits];
};

}  // namespace xichan::python

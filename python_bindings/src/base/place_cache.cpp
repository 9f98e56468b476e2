#include "base/place_cache.h"

namespace xichan::python {

using namespace internal;

[[gnu::noinline]] const Place* PlaceCache::look_up(const CallSite& site, Entry& entry) noexcept {
  const StrText file(site.code->co_filename);
  const Place* const place = Place::intern(file.view(), static_cast<std::uint32_t>(site.line()));
  PyCodeObject* const replaced = entry.code;
  entry = {reinterpret_cast<PyCodeObject*>(Py_NewRef(reinterpret_cast<PyObject*>(site.code))), site.offset, place};
  Py_XDECREF(replaced);  // may run Python code
  return place;
}

}  // namespace xichan::python

#include "base/lending.h"

#include <string_view>
#include <utility>

// Private to CPython but exported. Returns null if the allocators were replaced.
extern "C" __attribute__((weak)) const char* _PyMem_GetCurrentAllocatorName(void);

namespace xichan::python {
namespace {

// Returns true if the memory of a large object comes from malloc, and nothing else keeps account of it. Not true with
// PYTHONMALLOC=debug, with tracemalloc, or in a program that brings its own allocators.
bool has_default_allocators() noexcept {
  if (_PyMem_GetCurrentAllocatorName == nullptr) return false;
  const char* const name = _PyMem_GetCurrentAllocatorName();
  return name != nullptr && (name == std::string_view("pymalloc") || name == std::string_view("malloc"));
}

void drop(void* object) noexcept { Py_DECREF(static_cast<PyObject*>(object)); }

// The UTF-8 that CPython caches for a str beside its characters, or null. It has at least a byte per character.
void* cached_utf8(PyObject* value) noexcept {
  if (!PyUnicode_CheckExact(value) || PyUnicode_IS_ASCII(value)) return nullptr;
  return reinterpret_cast<PyCompactUnicodeObject*>(value)->utf8;
}

// pymalloc counts the large blocks that it takes from malloc. If one is left when an interpreter ends, CPython keeps
// all memory of that interpreter's small objects. So free another block in place of one that stays.
void leave_accounts() noexcept {
  constexpr std::size_t large = 1024;
  PyObject_Free(PyMem_RawMalloc(large));
}

// The references of an interned str from CPython's table are not counted.
bool has_only(void* object, std::uint64_t references) noexcept {
  auto* const value = static_cast<PyObject*>(object);
  if (PyUnicode_CheckExact(value) && PyUnicode_CHECK_INTERNED(value) != 0) return false;
  if (static_cast<std::uint64_t>(Py_REFCNT(value)) != references || !has_default_allocators()) return false;
  leave_accounts();
  if (cached_utf8(value) != nullptr) leave_accounts();
  return true;
}

// CPython gives objects of more than 512 bytes to malloc, and frees none of them when an interpreter ends.
void free_orphan(void* object) noexcept {
  auto* const value = static_cast<PyObject*>(object);
  PyMem_RawFree(cached_utf8(value));
  PyMem_RawFree(value);
}

}  // namespace

void begin_lending(EndpointOwner& owner) noexcept {
  if (has_default_allocators()) owner.lender = Lender::create({drop, has_only, free_orphan});
}

void end_lending(EndpointOwner& owner) noexcept {
  if (Lender* lender = std::exchange(owner.lender, nullptr)) lender->close();
}

bool is_lendable(PyObject* value) noexcept {
  if (_Py_IsImmortal(value)) return false;
  return PyUnicode_CheckExact(value) ? PyUnicode_IS_COMPACT(value) && !PyUnicode_CHECK_INTERNED(value)
                                     : PyBytes_CheckExact(value);
}

}  // namespace xichan::python

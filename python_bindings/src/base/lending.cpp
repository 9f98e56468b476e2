#include "base/lending.h"

#include <string_view>
#include <utility>

#include "sync/process_words.h"

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

// The references of an interned str from CPython's table are not counted.
bool has_only(void* object, std::uint64_t references) noexcept {
  auto* const value = static_cast<PyObject*>(object);
  if (PyUnicode_CheckExact(value) && PyUnicode_CHECK_INTERNED(value) != 0) return false;
  return static_cast<std::uint64_t>(Py_REFCNT(value)) == references && has_default_allocators();
}

// CPython gives objects of more than 512 bytes to malloc, and frees none of them when an interpreter ends.
void free_orphan(void* object) noexcept {
  auto* const value = static_cast<PyObject*>(object);
  if (PyUnicode_CheckExact(value) && !PyUnicode_IS_ASCII(value)) {
    PyMem_RawFree(reinterpret_cast<PyCompactUnicodeObject*>(value)->utf8);  // which has at least a byte per character
  }
  PyMem_RawFree(value);
}

}  // namespace

void begin_lending(EndpointOwner& owner) noexcept {
  if (has_default_allocators()) owner.lender = Lender::create({drop, has_only, free_orphan});
}

void end_lending(InterpreterEndpoints& endpoints) noexcept {
  // Forking leaves the list of loans of another interpreter in an unknown state.
  const bool was_forked = endpoints.generation != process_generation();
  if (was_forked && endpoints.interpreter != PyInterpreterState_Main()) return;
  if (Lender* lender = std::exchange(endpoints.owner.lender, nullptr)) lender->close();
}

bool is_lendable(PyObject* value) noexcept {
  if (_Py_IsImmortal(value)) return false;
  return PyUnicode_CheckExact(value) ? PyUnicode_IS_COMPACT(value) && !PyUnicode_CHECK_INTERNED(value)
                                     : PyBytes_CheckExact(value);
}

}  // namespace xichan::python

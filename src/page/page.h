// The page of this process: created on first use, replaced in the child of a fork, never unmapped.
//
// It is a memory file named `xichan` that is mapped shared, so that /proc/PID/fd leads other processes of the same user
// to it. It is private memory where there is no such file, and if the process was started with XICHAN_PAGE=0. The
// header can be written; everything else is allocated before it is written for the first time, because writing to
// memory that the system does not have would end the process (page/memory_file.h). The child of a fork gets a page of
// its own at once, and the descriptor of its parent's is closed there.
#pragma once

#include "page/layout.h"
#include "xichan/export.h"

namespace xichan::internal {

/// Returns the page, which the first call creates. Returns null without memory. Any thread.
XICHAN_API Page* page() noexcept;
/// Returns the page if there is one; creates none.
XICHAN_API Page* existing_page() noexcept;

/// Keeps the pages that are made from now on from other processes, as XICHAN_PAGE=0 does. Any thread.
XICHAN_API void make_page_private() noexcept;

/// Makes sure that this part of the page, which exists, can be written. Returns false without memory. Any thread; a
/// system call in the first call for each 64 KiB.
XICHAN_API bool allocate_in_page(const void* begin, std::size_t size) noexcept;
template <class Slot>
bool allocate_in_page(const Slot& slot) noexcept {
  return allocate_in_page(&slot, sizeof slot);
}

/// Returns the errno because of which the page, or a part of it, is missing for other processes; 0 if nothing is, or
/// the errno was returned already. Any thread.
XICHAN_API int take_page_refusal() noexcept;

/// Returns the descriptor of the page, or -1 if it is private.
XICHAN_API int page_descriptor() noexcept;

/// Counts the forks that lead to this process. What was shown before the last one belongs to the page of the parent.
XICHAN_API std::uint32_t page_forks() noexcept;

/// Returns the id that the kernel gives the calling thread. A system call in the first call of each thread.
XICHAN_API std::uint32_t native_thread() noexcept;

}  // namespace xichan::internal

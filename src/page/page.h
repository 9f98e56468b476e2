// The page of this process: created on first use, replaced in the child of a fork, never unmapped.
//
// It is a memory file named `xichan` that is mapped shared, so that /proc/PID/fd leads other processes of the same user
// to it. All of its memory is allocated when it is made (page/memory_file.h). It is private memory where that fails,
// and if the process was started with XICHAN_PAGE=0. The child of a fork gets a page of its own at once, and the
// descriptor of its parent's is closed there.
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

/// Returns the errno because of which the page is private, once for each page; otherwise 0. Any thread.
XICHAN_API int take_page_refusal() noexcept;

/// Returns the descriptor of the page, or -1 if it is private.
XICHAN_API int page_descriptor() noexcept;

/// Counts the forks that lead to this process. What was shown before the last one belongs to the page of the parent.
XICHAN_API std::uint32_t page_forks() noexcept;

/// Returns the id that the kernel gives the calling thread. A system call in the first call of each thread.
XICHAN_API std::uint32_t native_thread() noexcept;

}  // namespace xichan::internal

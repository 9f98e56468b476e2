#include "ends/page_request.h"

#include <cstdint>
#include <cstring>

#include "base/atomic.h"
#include "base/deadline.h"
#include "base/ref.h"
#include "page/workers.h"
#include "sync/futex.h"

namespace xichan::python {
namespace {

using namespace internal;

// Returns the word at an offset, or null with an exception set.
atomic<std::uint32_t>* word_at(const Py_buffer& page, Py_ssize_t offset) noexcept {
  if (offset >= 0 && offset % 4 == 0 && offset <= page.len - 4) {
    return reinterpret_cast<atomic<std::uint32_t>*>(static_cast<char*>(page.buf) + offset);
  }
  PyErr_Format(PyExc_ValueError, "no word of the page is at offset %zd", offset);
  return nullptr;
}

// Returns true once the snapshot that this request asks for, or a later one, has been taken.
bool request_snapshot(atomic<std::uint32_t>& request, atomic<std::uint32_t>& answer, Deadline deadline) noexcept {
  const std::uint32_t number = request.fetch_add(1, memory_order_seq_cst) + 1;
  shared_futex_wake_all(request);
  for (;;) {
    const std::uint32_t seen = answer.load(memory_order_seq_cst);
    if (static_cast<std::int32_t>(seen - number) >= 0) return true;
    if (deadline.passed()) return false;
    (void)shared_futex_wait(answer, seen, deadline);
  }
}

PyObject* request_snapshot_of(PyObject*, PyObject* args) noexcept {
  Py_buffer page;
  Py_ssize_t request_offset;
  Py_ssize_t answer_offset;
  double timeout;
  if (!PyArg_ParseTuple(args, "w*nnd:_request_snapshot", &page, &request_offset, &answer_offset, &timeout)) {
    return nullptr;
  }
  atomic<std::uint32_t>* const request = word_at(page, request_offset);
  atomic<std::uint32_t>* const answer = request == nullptr ? nullptr : word_at(page, answer_offset);
  bool answered = false;
  if (answer != nullptr) {
    const Deadline deadline = Deadline::in_seconds(timeout > 0 ? timeout : 0);
    Py_BEGIN_ALLOW_THREADS;
    answered = request_snapshot(*request, *answer, deadline);
    Py_END_ALLOW_THREADS;
  }
  PyBuffer_Release(&page);
  return answer == nullptr ? nullptr : PyBool_FromLong(answered);
}

PyObject* text_of(const char* text, std::size_t most) noexcept {
  return PyUnicode_DecodeUTF8(text, static_cast<Py_ssize_t>(strnlen(text, most)), "ignore");  // it may have been cut
}

// _inspect_workers() -> [(name, supervised, interpreter, thread, state, task, began, tasks, failed, error)], see
// page/rows.h.
PyObject* inspect_workers(PyObject*, PyObject*) noexcept {
  Ref list(PyList_New(0));
  for (std::size_t i = 0; list && i < worker_slots; ++i) {
    WorkerView view;
    if (!read_worker(i, view)) continue;
    const WorkerRow& row = view.row;
    const Ref entry(Py_BuildValue("(NiLLiNLKKN)", text_of(row.name, sizeof row.name), row.kind == WorkerRow::workers,
                                  static_cast<long long>(row.interpreter), static_cast<long long>(row.thread),
                                  static_cast<int>(row.state), text_of(row.task, sizeof row.task),
                                  static_cast<long long>(view.began), static_cast<unsigned long long>(view.tasks),
                                  static_cast<unsigned long long>(view.failed), text_of(row.error, sizeof row.error)));
    if (!entry || PyList_Append(list.get(), entry.get()) < 0) return nullptr;
  }
  return list.release();
}

// clang-format off
PyDoc_STRVAR(request_snapshot_doc,
"_request_snapshot($module, page, request, answer, timeout, /)\n"
"--\n\n"
"Ask the process that keeps this page for a snapshot, and block until it is taken.\n\n"
"page: the mapped page, writable. request, answer: offsets of its two words. timeout: float, in seconds.\n"
"Returns False if the timeout expires before.");
// clang-format on

}  // namespace

PyMethodDef page_request_functions[] = {
    {"_request_snapshot", request_snapshot_of, METH_VARARGS, request_snapshot_doc},
    {"_inspect_workers", inspect_workers, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace xichan::python

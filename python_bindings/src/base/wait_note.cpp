#include "base/wait_note.h"

#include "base/call_site.h"
#include "base/ref.h"

namespace xichan::python {

void note_interrupted_wait(Endpoint& endpoint) noexcept {
  if (endpoint.is_closed() || !PyErr_ExceptionMatches(PyExc_KeyboardInterrupt) || is_called_by_nats()) return;
  const bool sends = endpoint.side() == Side::sender;
  const ChannelStats stats = endpoint.channel()->stats();
  PyObject* error = PyErr_GetRaisedException();
  {
    const Ref module(PyImport_ImportModule("xichan._hints"));
    const Ref done(!module
                       ? nullptr
                       : PyObject_CallMethod(
                             module.get(), "note_interrupted_wait", "OsKKI", error, sends ? "send" : "recv",
                             static_cast<unsigned long long>(endpoint.capacity()),
                             static_cast<unsigned long long>(stats.depth), sends ? stats.receivers : stats.senders));
    if (!done) PyErr_Clear();
  }
  PyErr_SetRaisedException(error);
}

}  // namespace xichan::python

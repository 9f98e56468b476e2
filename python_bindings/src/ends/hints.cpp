#include "ends/hints.h"

#include <algorithm>
#include <iterator>

#include "base/handle.h"
#include "base/ref.h"

namespace xichan::python {
namespace {

constexpr const char* other_receives = "receive from the Receiver, the second endpoint that channel() returns";
constexpr const char* other_sends = "send with the Sender, the first endpoint that channel() returns";
constexpr const char* of_queue = "xichan.Queue counts tasks; a channel does not";

struct Hint {
  const char* name;    // in queue, asyncio, multiprocessing, trio, compat.channels or Go
  const char* sender;  // what to use instead; null: no hint
  const char* receiver;
};

constexpr Hint hints[] = {
    {"put", "use send()", other_sends},
    {"put_nowait", "use send_nowait()", other_sends},
    {"send", nullptr, other_sends},
    {"send_nowait", nullptr, other_sends},
    {"send_many", nullptr, other_sends},
    {"asend", nullptr, other_sends},
    {"try_send", "use send_nowait()", other_sends},
    {"send_bytes", "use send(), which takes bytes", other_sends},
    {"get", other_receives, "use recv()"},
    {"get_nowait", other_receives, "use recv_nowait()"},
    {"recv", other_receives, nullptr},
    {"recv_nowait", other_receives, nullptr},
    {"recv_many", other_receives, nullptr},
    {"arecv", other_receives, nullptr},
    {"drain", other_receives, nullptr},
    {"receive", other_receives, "use recv(), or arecv() in a coroutine"},
    {"receive_nowait", other_receives, "use recv_nowait()"},
    {"try_recv", other_receives, "use recv_nowait()"},
    {"recv_bytes", other_receives, "use recv()"},
    {"poll", other_receives, "use len(), or recv(timeout), which raises ChannelTimeout"},
    {"qsize", "use len()", "use len()"},
    {"empty", "use len(), the number of values queued", "use len(), the number of values queued"},
    {"full", "compare len() with capacity", "compare len() with capacity"},
    {"maxsize", "use capacity", "use capacity"},
    {"is_closed", "use closed", "use closed"},
    {"aclose", "use close(), which does not block", "use close(), which does not block"},
    {"statistics", "use stats()", "use stats()"},
    {"join", of_queue, of_queue},
    {"task_done", of_queue, of_queue},
};

const char* hint_for(PyObject* name, Side side) noexcept {
  const auto found = std::ranges::find_if(
      hints, [name](const Hint& hint) noexcept { return PyUnicode_EqualToUTF8(name, hint.name) != 0; });
  if (found == std::end(hints)) return nullptr;
  return side == Side::sender ? found->sender : found->receiver;
}

}  // namespace

PyObject* endpoint_getattr(PyObject* self, PyObject* name) noexcept {
  if (!PyUnicode_Check(name)) {
    return PyErr_Format(PyExc_TypeError, "attribute name must be a str, got %T", name);
  }
  const char* hint = hint_for(name, as_handle(self)->endpoint->side());
  const Ref message(hint == nullptr ? PyUnicode_FromFormat("'%T' object has no attribute '%U'", self, name)
                                    : PyUnicode_FromFormat("'%T' object has no attribute '%U'; %s", self, name, hint));
  if (!message) return nullptr;
  const Ref error(PyObject_CallOneArg(PyExc_AttributeError, message.get()));
  // With the name and the object, CPython suggests similar names.
  if (!error || PyObject_SetAttrString(error.get(), "name", name) < 0 ||
      PyObject_SetAttrString(error.get(), "obj", self) < 0) {
    return nullptr;
  }
  PyErr_SetObject(PyExc_AttributeError, error.get());
  return nullptr;
}

// CPython calls `__getattr__` only for types that it was assigned to, not for those made from a spec. It specializes
// method calls on such types as on any other, which it would not do if this file had its own tp_getattro.
int finish_endpoint_type(PyTypeObject* type) noexcept {
  auto* object = reinterpret_cast<PyObject*>(type);
  const Ref method(PyObject_GetAttrString(object, "__getattr__"));
  if (!method || PyObject_SetAttrString(object, "__getattr__", method.get()) < 0) return -1;
  type->tp_flags |= Py_TPFLAGS_IMMUTABLETYPE;
  PyType_Modified(type);
  return 0;
}

}  // namespace xichan::python

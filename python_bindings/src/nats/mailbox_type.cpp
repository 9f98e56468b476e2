// xichan._nats.Mailbox: a local channel whose Sender belongs to C++.
#include "nats/mailbox_type.h"

#include "xichan/python.h"

namespace xichan::nats::internal {
namespace {

PyObject* raise(Status status) noexcept {
  if (status == Status::no_memory || status == Status::arena_full) return PyErr_NoMemory();
  PyErr_Format(PyExc_RuntimeError, "cannot make a mailbox: %s", to_string(status).data());
  return nullptr;
}

PyObject* mailbox_new(PyTypeObject* type, PyObject* args, PyObject* keywords) noexcept {
  static const char* names[] = {"capacity", nullptr};
  unsigned long long capacity = 0;
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "|K:Mailbox", const_cast<char**>(names), &capacity)) return nullptr;
  OwnedMailbox made;
  Value receiver;
  const Status status = Mailbox::create(capacity == 0 ? unbounded : capacity, made.mailbox, receiver);
  if (status != Status::ok) return raise(status);
  made.receiver = to_python(receiver);
  return made.receiver == nullptr ? nullptr : make_object(type, std::move(made));
}

PyObject* get_receiver(PyObject* self, void*) noexcept { return Py_NewRef(held<OwnedMailbox>(self).receiver); }

PyGetSetDef attributes[] = {
    {"receiver", get_receiver, nullptr, "The Receiver that the native code sends to.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyDoc_STRVAR(doc, "Mailbox(capacity=0)\n--\n\nA local channel that native code sends to. 0: unbounded.");

PyType_Slot slots[] = {
    {Py_tp_new, reinterpret_cast<void*>(mailbox_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(deallocate<OwnedMailbox>)},
    {Py_tp_getset, attributes},
    {Py_tp_doc, const_cast<char*>(doc)},
    {0, nullptr},
};

}  // namespace

PyType_Spec mailbox_spec = {
    .name = "xichan._nats.Mailbox",
    .basicsize = sizeof(Object<OwnedMailbox>),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

}  // namespace xichan::nats::internal

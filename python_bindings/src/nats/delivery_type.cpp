// xichan._nats.Delivery: a message as it was delivered, with its content as a read-only buffer.
#include "nats/consumer.h"
#include "nats/object.h"

namespace xichan::nats::internal {
namespace {

using Accepted = Consumer::Accepted;

int get_buffer(PyObject* self, Py_buffer* view, int flags) noexcept {
  const std::string_view data = data_of(held<Accepted>(self).message);
  return PyBuffer_FillInfo(view, self, const_cast<char*>(data.data()), static_cast<Py_ssize_t>(data.size()), 1, flags);
}

PyObject* get_count(PyObject* self, void*) noexcept {
  return PyLong_FromUnsignedLongLong(held<Accepted>(self).delivery.count);
}

PyObject* get_sequence(PyObject* self, void*) noexcept {
  return PyLong_FromUnsignedLongLong(held<Accepted>(self).delivery.sequence);
}

PyObject* get_reply(PyObject* self, void*) noexcept {
  const std::string_view reply = reply_of(held<Accepted>(self).message);
  return PyUnicode_FromStringAndSize(reply.data(), static_cast<Py_ssize_t>(reply.size()));
}

PyGetSetDef attributes[] = {
    {"count", get_count, nullptr, "How often the message has been delivered, this time included.", nullptr},
    {"sequence", get_sequence, nullptr, "The number of the message in the stream.", nullptr},
    {"reply", get_reply, nullptr, "The subject that takes the acknowledgment.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyDoc_STRVAR(doc, "A delivered message; a read-only buffer of its content.");

PyType_Slot slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(deallocate<Accepted>)},
    {Py_tp_getset, attributes},
    {Py_tp_doc, const_cast<char*>(doc)},
    {Py_bf_getbuffer, reinterpret_cast<void*>(get_buffer)},
    {0, nullptr},
};

}  // namespace

PyType_Spec delivery_spec = {
    .name = "xichan._nats.Delivery",
    .basicsize = sizeof(Object<Accepted>),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

}  // namespace xichan::nats::internal

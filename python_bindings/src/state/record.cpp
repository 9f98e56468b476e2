#include "state/record.h"

#include <new>
#include <utility>

#include "base/state_handle.h"
#include "state/waiting.h"

namespace xichan::python {
namespace {

// Ends the call when the interpreter ends, whatever happens to the coroutine.
class OwnedRecord final : public OwnedWait {
 public:
  OwnedRecord(RecordingTurnstile& object, EndpointOwner& owner) noexcept : object_(&object), owner_(&owner) {
    object.retain();
    owner.add(*this);
  }
  // Null once the interpreter has ended.
  RecordingTurnstile* object() const noexcept { return object_; }
  void abandon() noexcept override {
    if (object_ == nullptr) return;
    owner_->remove(*this);
    RecordingTurnstile* const object = std::exchange(object_, nullptr);
    if (!object->is_inherited()) object->leave(record, false);
    object->release();
  }

  WaitRecord record;

 private:
  RecordingTurnstile* object_;
  EndpointOwner* owner_;
};

struct RecordObject {
  PyObject_HEAD
  OwnedRecord* owned;
};

OwnedRecord* owned_of(PyObject* self) noexcept { return reinterpret_cast<RecordObject*>(self)->owned; }

void record_dealloc(PyObject* self) noexcept {
  PyTypeObject* type = Py_TYPE(self);
  if (OwnedRecord* owned = owned_of(self)) {
    owned->abandon();
    delete owned;
  }
  type->tp_free(self);
  Py_DECREF(type);
}

// leave(returns) -> whether the call passed.
PyObject* record_leave(PyObject* self, PyObject* returns) noexcept {
  OwnedRecord& owned = *owned_of(self);
  if (owned.object() == nullptr || owned.object()->is_inherited()) Py_RETURN_FALSE;
  const WaitRecord::Outcome outcome = owned.object()->leave(owned.record, returns == Py_True);
  return PyBool_FromLong(outcome == WaitRecord::Outcome::passed);
}

// index() -> the place in the round. Valid once the call has passed.
PyObject* record_index(PyObject* self, PyObject*) noexcept {
  return PyLong_FromUnsignedLongLong(owned_of(self)->record.index);
}

PyMethodDef methods[] = {
    {"leave", record_leave, METH_O, nullptr},
    {"index", record_index, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_dealloc, reinterpret_cast<void*>(record_dealloc)},
    {Py_tp_methods, methods},
    {0, nullptr},
};

}  // namespace

PyType_Spec state_record_spec = {"xichan._core._StateRecord", sizeof(RecordObject), 0,
                                 Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                                 slots};

PyObject* new_record(ModuleState& state, RecordingTurnstile& object) noexcept {
  auto* const self = PyObject_New(RecordObject, state.state_record_type);
  if (self == nullptr) return nullptr;
  self->owned = new (std::nothrow) OwnedRecord(object, state.endpoints->owner);
  if (self->owned != nullptr) return reinterpret_cast<PyObject*>(self);
  Py_DECREF(self);
  return PyErr_NoMemory();
}

WaitRecord* record_of(PyObject* object) noexcept {
  if (Py_TYPE(object)->tp_dealloc == record_dealloc) return &owned_of(object)->record;
  PyErr_Format(PyExc_TypeError, "expected a _StateRecord, got %T", object);
  return nullptr;
}

PyObject* join_by_record(PyObject* self, PyObject* args) noexcept {
  PyObject *notifier, *record_object;
  unsigned long long key, ticket;
  if (!PyArg_ParseTuple(args, "OKKO:_join", &notifier, &key, &ticket, &record_object)) return nullptr;
  WaitRecord* const record = record_of(record_object);
  auto* object = record == nullptr ? nullptr : usable<RecordingTurnstile>(self);
  if (object == nullptr) return nullptr;
  Request request = RecordingTurnstile::request_of(*record);
  request.ticket = ticket;
  return join_queue(*as_state_handle(self)->state, *object, request, notifier, key, record_object);
}

}  // namespace xichan::python

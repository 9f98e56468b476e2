#include "state/atomic_int.h"

#include "base/arguments.h"
#include "state/state_type.h"

namespace xichan::python {
namespace {

// Reads an int of 64 bits. False with TypeError or OverflowError set.
bool parse_int64(const char* what, PyObject* value, std::int64_t& number) noexcept {
  if (!PyLong_Check(value)) {
    PyErr_Format(PyExc_TypeError, "%s must be an int, got %T", what, value);
    return false;
  }
  if (PyUnstable_Long_IsCompact(reinterpret_cast<PyLongObject*>(value))) [[likely]] {
    number = PyUnstable_Long_CompactValue(reinterpret_cast<PyLongObject*>(value));
    return true;
  }
  int overflow;
  number = PyLong_AsLongLongAndOverflow(value, &overflow);
  if (overflow == 0) return true;
  PyErr_Format(PyExc_OverflowError, "%s must be from -2**63 to 2**63 - 1", what);
  return false;
}

PyObject* atomic_int_new(PyTypeObject* type, PyObject* args, PyObject* keywords) noexcept {
  static const char* names[] = {"value", "name", nullptr};
  PyObject *initial = nullptr, *named = nullptr;
  std::int64_t value = 0;
  std::string_view name;
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "|O$O:AtomicInt", const_cast<char**>(names), &initial, &named) ||
      (initial != nullptr && !parse_int64("value", initial, value)) || !parse_channel_name(named, name)) {
    return nullptr;
  }
  return new_object(state_of_type(type), new (std::nothrow) AtomicInteger(value), name, named);
}

PyObject* get_value(PyObject* self, void*) noexcept {
  const AtomicInteger* object = usable<AtomicInteger>(self);
  return object == nullptr ? nullptr : PyLong_FromLongLong(object->load());
}

int set_value(PyObject* self, PyObject* value, void*) noexcept {
  std::int64_t number;
  if (value == nullptr) {
    PyErr_SetString(PyExc_AttributeError, "cannot delete value");
    return -1;
  }
  if (!parse_int64("value", value, number)) return -1;
  AtomicInteger* object = usable<AtomicInteger>(self);
  if (object == nullptr) return -1;
  object->store(number);
  return 0;
}

PyObject* add(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"n"};
  static constexpr Signature signature{"add", names, 0, 1};
  const bool is_common = keywords == nullptr && count <= 1;
  PyObject* amount = is_common && count == 1 ? args[0] : nullptr;
  std::int64_t number = 1, sum;
  if ((!is_common && !parse_arguments(signature, args, count, keywords, &amount)) ||
      (amount != nullptr && !parse_int64("n", amount, number))) {
    return nullptr;
  }
  AtomicInteger* object = usable<AtomicInteger>(self);
  if (object == nullptr) return nullptr;
  if (object->add(number, sum)) return PyLong_FromLongLong(sum);
  PyErr_SetString(PyExc_OverflowError, "the sum must be from -2**63 to 2**63 - 1; the value is unchanged");
  return nullptr;
}

PyObject* exchange(PyObject* self, PyObject* value) noexcept {
  std::int64_t number;
  if (!parse_int64("value", value, number)) return nullptr;
  AtomicInteger* object = usable<AtomicInteger>(self);
  return object == nullptr ? nullptr : PyLong_FromLongLong(object->exchange(number));
}

PyObject* compare_exchange(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* keywords) noexcept {
  static constexpr const char* names[] = {"expected", "new"};
  static constexpr Signature signature{"compare_exchange", names, 2, 2};
  PyObject* values[2];
  std::int64_t expected, fresh;
  if (!parse_arguments(signature, args, count, keywords, values) || !parse_int64("expected", values[0], expected) ||
      !parse_int64("new", values[1], fresh)) {
    return nullptr;
  }
  AtomicInteger* object = usable<AtomicInteger>(self);
  return object == nullptr ? nullptr : PyBool_FromLong(object->compare_exchange(expected, fresh));
}

PyObject* as_int(PyObject* self) noexcept { return get_value(self, nullptr); }

PyObject* atomic_int_repr(PyObject* self) noexcept {
  const StateObject* object = as_state_handle(self)->reference->object();
  const auto* number = static_cast<const AtomicInteger*>(object);
  return repr_of(self, " value %lld", object == nullptr ? 0LL : static_cast<long long>(number->load()));
}

PyDoc_STRVAR(atomic_int_doc,
"AtomicInt(value=0, *, name=None)\n--\n\n"
"An int of 64 bits that all interpreters change together; no change is lost.\n\n"
"value: int from -2**63 to 2**63 - 1, the initial value.\n"
"name: str, under which AtomicInt.lookup() finds it in every interpreter; None for no name.\n\n"
"Raises OverflowError if the value is outside that range, and Error if the name is in use. No operation blocks; all\n"
"are thread-safe and sequentially consistent.");

PyDoc_STRVAR(add_doc,
"add($self, /, n=1)\n--\n\n"
"Add n and return the new value.\n\n"
"Raises OverflowError, and changes nothing, if the sum is outside -2**63 to 2**63 - 1. MemoryError may be raised after\n"
"the change, for want of memory for the result.");

PyDoc_STRVAR(exchange_doc,
"exchange($self, value, /)\n--\n\n"
"Store a value and return the previous one.");

PyDoc_STRVAR(compare_exchange_doc,
"compare_exchange($self, /, expected, new)\n--\n\n"
"Store `new` if the value is `expected`. Return True if it was.");

PyMethodDef methods[] = {
    {"add", as_method(add), METH_FASTCALL | METH_KEYWORDS, add_doc},
    {"exchange", exchange, METH_O, exchange_doc},
    {"compare_exchange", as_method(compare_exchange), METH_FASTCALL | METH_KEYWORDS, compare_exchange_doc},
    {nullptr, nullptr, 0, nullptr},
};

PyGetSetDef properties[] = {
    {"value", get_value, set_value, "int: the value now. Assigning stores another one.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr},
};

PyType_Slot slots[] = {
    {Py_tp_doc, const_cast<char*>(atomic_int_doc)},
    {Py_tp_new, reinterpret_cast<void*>(atomic_int_new)},
    {Py_tp_dealloc, reinterpret_cast<void*>(state_handle_dealloc)},
    {Py_tp_repr, reinterpret_cast<void*>(atomic_int_repr)},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {Py_nb_int, reinterpret_cast<void*>(as_int)},
    {0, nullptr},
};

}  // namespace

PyType_Spec atomic_int_spec = {"xichan.AtomicInt", sizeof(StateHandle), 0,
                               Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE, slots};

}  // namespace xichan::python

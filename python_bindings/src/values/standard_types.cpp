#include "values/standard_types.h"

#include <datetime.h>

#include <cstring>

namespace xichan::python {
namespace {

using Library = StandardLibrary;

const PyDateTime_CAPI& dates(const ModuleState& state) noexcept {
  return *static_cast<const PyDateTime_CAPI*>(state.library.datetime);
}

// Returns a new reference to an attribute of an imported module; null, without an exception, if there is none. Runs no
// Python code: PyImport_GetModule() waits for another thread that imports the module.
Ref imported(const char* module_name, const char* name) noexcept {
  PyObject *modules = PyImport_GetModuleDict(), *loaded = nullptr;
  if (PyDict_CheckExact(modules)) PyDict_GetItemStringRef(modules, module_name, &loaded);
  const Ref module(loaded);
  // A module is asked by its dict: it may define __getattr__().
  PyObject* dict = module && PyModule_CheckExact(module.get()) ? PyModule_GetDict(module.get()) : nullptr;
  PyObject* found = nullptr;
  if (dict != nullptr) PyDict_GetItemStringRef(dict, name, &found);
  PyErr_Clear();
  return Ref(found);
}

bool find_datetime(Library& library) noexcept {
  if (library.datetime != nullptr) return true;
  Ref capsule = imported("datetime", "datetime_CAPI");
  if (!capsule || !PyCapsule_IsValid(capsule.get(), PyDateTime_CAPSULE_NAME)) return false;
  library.datetime = PyCapsule_GetPointer(capsule.get(), PyDateTime_CAPSULE_NAME);
  library.of(Library::capsule) = capsule.release();
  return true;
}

bool find_decimal(Library& library) noexcept {
  if (library.of(Library::decimal) != nullptr) return true;
  Ref type = imported("decimal", "Decimal");
  // In Python, without the module in C, the name of the type is "Decimal".
  if (!type || !PyType_Check(type.get())) return false;
  if (std::strcmp(reinterpret_cast<PyTypeObject*>(type.get())->tp_name, "decimal.Decimal") != 0) return false;
  library.of(Library::decimal) = type.release();
  return true;
}

// Returns the offset of a slot of a class, or -1.
Py_ssize_t offset_of(PyTypeObject* type, const char* name) noexcept {
  const Ref key(PyUnicode_FromString(name));
  PyObject* slot = key ? _PyType_Lookup(type, key.get()) : nullptr;
  PyErr_Clear();
  if (slot == nullptr || !Py_IS_TYPE(slot, &PyMemberDescr_Type)) return -1;
  const PyMemberDef* member = reinterpret_cast<PyMemberDescrObject*>(slot)->d_member;
  return member->type == Py_T_OBJECT_EX && (member->flags & Py_RELATIVE_OFFSET) == 0 ? member->offset : -1;
}

// Finds a member of the enum uuid.SafeUUID, whose values are 0, -1 and None.
bool find_safety(Library& library, PyObject* enumeration, Library::Object which, const char* name) noexcept {
  PyObject *members = nullptr, *member = nullptr;
  PyDict_GetItemStringRef(reinterpret_cast<PyTypeObject*>(enumeration)->tp_dict, "_member_map_", &members);
  const Ref owned(members);
  if (owned && PyDict_CheckExact(members)) PyDict_GetItemStringRef(members, name, &member);
  PyErr_Clear();
  Py_XSETREF(library.of(which), member);
  return member != nullptr && Py_IS_TYPE(member, reinterpret_cast<PyTypeObject*>(enumeration));
}

bool find_uuid(Library& library) noexcept {
  if (library.of(Library::uuid) != nullptr) return true;
  Ref type = imported("uuid", "UUID");
  const Ref safety = imported("uuid", "SafeUUID");
  if (!type || !PyType_Check(type.get()) || !safety || !PyType_Check(safety.get())) return false;
  auto* uuid = reinterpret_cast<PyTypeObject*>(type.get());
  library.uuid_number = offset_of(uuid, "int");
  library.uuid_safety = offset_of(uuid, "is_safe");
  const bool plain = library.uuid_number > 0 && library.uuid_safety > 0 && uuid->tp_new == PyBaseObject_Type.tp_new &&
                     find_safety(library, safety.get(), Library::safe, "safe") &&
                     find_safety(library, safety.get(), Library::unsafe, "unsafe") &&
                     find_safety(library, safety.get(), Library::unknown, "unknown");
  if (plain) library.of(Library::uuid) = type.release();
  return plain;
}

bool is_named(PyTypeObject* type, const char* name) noexcept { return std::strcmp(type->tp_name, name) == 0; }

Ref record(StandardType type, Ref first, PyObject* second = nullptr) noexcept {
  const Ref number(PyLong_FromLongLong(static_cast<long long>(type)));
  if (!number || !first) return Ref();
  return Ref(second == nullptr ? PyTuple_Pack(2, number.get(), first.get())
                               : PyTuple_Pack(3, number.get(), first.get(), second));
}

// Returns the bytes of a date, time or datetime, as the object itself holds them, and the fold.
Ref packed(const unsigned char* data, std::size_t length, const unsigned char* fold) noexcept {
  char bytes[_PyDateTime_DATETIME_DATASIZE + 1];
  std::memcpy(bytes, data, length);
  if (fold != nullptr) bytes[length++] = static_cast<char>(*fold);
  return Ref(PyBytes_FromStringAndSize(bytes, static_cast<Py_ssize_t>(length)));
}

Ref reduce_datetime(PyObject* value) noexcept {
  const auto* moment = reinterpret_cast<PyDateTime_DateTime*>(value);
  return record(StandardType::datetime, packed(moment->data, sizeof moment->data, &moment->fold),
                PyDateTime_DATE_GET_TZINFO(value));
}

Ref reduce_time(PyObject* value) noexcept {
  const auto* time = reinterpret_cast<PyDateTime_Time*>(value);
  return record(StandardType::time, packed(time->data, sizeof time->data, &time->fold),
                PyDateTime_TIME_GET_TZINFO(value));
}

Ref reduce_date(PyObject* value) noexcept {
  const auto* date = reinterpret_cast<PyDateTime_Date*>(value);
  return record(StandardType::date, packed(date->data, sizeof date->data, nullptr));
}

Ref reduce_timedelta(PyObject* value) noexcept {
  return Ref(Py_BuildValue("(iiii)", static_cast<int>(StandardType::timedelta), PyDateTime_DELTA_GET_DAYS(value),
                           PyDateTime_DELTA_GET_SECONDS(value), PyDateTime_DELTA_GET_MICROSECONDS(value)));
}

Ref reduce_timezone(PyObject* value) noexcept {
  const Ref arguments = call_method(value, "__getinitargs__");  // in C: (offset,) or (offset, name)
  if (!arguments || !PyTuple_Check(arguments.get()) || PyTuple_GET_SIZE(arguments.get()) == 0) return Ref();
  const bool named = PyTuple_GET_SIZE(arguments.get()) > 1;
  return record(StandardType::timezone, Ref(Py_NewRef(PyTuple_GET_ITEM(arguments.get(), 0))),
                named ? PyTuple_GET_ITEM(arguments.get(), 1) : Py_None);
}

bool reduce_date_or_time(const ModuleState& state, PyObject* value, Ref& reduced) noexcept {
  PyTypeObject* type = Py_TYPE(value);
  if (state.library.datetime == nullptr &&
      (std::strncmp(type->tp_name, "datetime.", 9) != 0 || !find_datetime(state.library))) {
    return false;
  }
  const PyDateTime_CAPI& api = dates(state);
  if (type == api.DateTimeType) {
    reduced = reduce_datetime(value);
  } else if (type == api.DateType) {
    reduced = reduce_date(value);
  } else if (type == api.TimeType) {
    reduced = reduce_time(value);
  } else if (type == api.DeltaType) {
    reduced = reduce_timedelta(value);
  } else if (type == Py_TYPE(api.TimeZone_UTC)) {
    reduced = reduce_timezone(value);
  } else {
    return false;
  }
  return true;
}

// Returns the value of a member of SafeUUID; null, without an exception, for anything else.
Ref value_of_safety(const Library& library, PyObject* safety) noexcept {
  if (safety == library.of(Library::unknown)) return Ref(Py_NewRef(Py_None));
  if (safety == library.of(Library::safe)) return Ref(PyLong_FromLong(0));
  if (safety == library.of(Library::unsafe)) return Ref(PyLong_FromLong(-1));
  return Ref();
}

PyObject*& slot_at(PyObject* object, Py_ssize_t offset) noexcept {
  return *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(object) + offset);
}

bool reduce_uuid(const Library& library, PyObject* value, Ref& reduced) noexcept {
  PyObject* number = slot_at(value, library.uuid_number);
  unsigned char bytes[16];
  constexpr int flags = Py_ASNATIVEBYTES_BIG_ENDIAN | Py_ASNATIVEBYTES_UNSIGNED_BUFFER;
  if (number == nullptr || !PyLong_CheckExact(number)) return false;
  const Py_ssize_t needed = PyLong_AsNativeBytes(number, bytes, sizeof bytes, flags);
  if (needed < 0 || needed > static_cast<Py_ssize_t>(sizeof bytes)) return PyErr_Clear(), false;
  const Ref safety = value_of_safety(library, slot_at(value, library.uuid_safety));
  if (!safety) return false;
  reduced = record(StandardType::uuid, Ref(PyBytes_FromStringAndSize(reinterpret_cast<char*>(bytes), sizeof bytes)),
                   safety.get());
  return true;
}

}  // namespace

bool reduce_standard(const ModuleState& state, PyObject* value, Ref& reduced) noexcept {
  Library& library = state.library;
  PyTypeObject* type = Py_TYPE(value);
  if (reduce_date_or_time(state, value, reduced)) return true;
  const auto is = [&](Library::Object which, const char* name, bool (*find)(Library&)) noexcept {
    if (library.of(which) == nullptr && (!is_named(type, name) || !find(library))) return false;
    return reinterpret_cast<PyObject*>(type) == library.of(which);
  };
  if (is(Library::decimal, "decimal.Decimal", find_decimal)) {
    reduced = record(StandardType::decimal, Ref(PyObject_Str(value)));
    return true;
  }
  return is(Library::uuid, "UUID", find_uuid) && reduce_uuid(library, value, reduced);
}

const char* standard_name(std::int64_t number) noexcept {
  static constexpr const char* names[] = {
      "datetime.date",           "datetime.time",           "datetime.datetime",
      "datetime.timedelta",      "datetime.timezone",       "zoneinfo.ZoneInfo",
      "decimal.Decimal",         "fractions.Fraction",      "uuid.UUID",
      "pathlib.PurePosixPath",   "pathlib.PureWindowsPath", "pathlib.PosixPath",
      "pathlib.WindowsPath",     "ipaddress.IPv4Address",   "ipaddress.IPv6Address",
      "ipaddress.IPv4Network",   "ipaddress.IPv6Network",   "ipaddress.IPv4Interface",
      "ipaddress.IPv6Interface", "types.SimpleNamespace",   "collections.deque",
      "collections.Counter",     "collections.OrderedDict", "collections.defaultdict",
      "logging.LogRecord",
  };
  const auto last = static_cast<std::int64_t>(std::size(names));
  return number >= 1 && number <= last ? names[number - 1] : "standard type of a later version";
}

bool find_standard(const ModuleState& state, StandardType type) noexcept {
  if (type == StandardType::decimal) return find_decimal(state.library);
  return type == StandardType::uuid ? find_uuid(state.library) : find_datetime(state.library);
}

bool import_standard(const ModuleState& state, StandardType type) noexcept {
  const char* name = type == StandardType::decimal ? "decimal" : type == StandardType::uuid ? "uuid" : "datetime";
  return Ref(PyImport_ImportModule(name)) && find_standard(state, type);
}

}  // namespace xichan::python

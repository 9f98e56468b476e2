// Decoding of the standard types.
#include "values/standard_types.h"

#include <datetime.h>

#include <algorithm>

#include "values/decode_leaf.h"

namespace xichan::python {
namespace {

using Library = StandardLibrary;

const PyDateTime_CAPI& dates(const ModuleState& state) noexcept {
  return *static_cast<const PyDateTime_CAPI*>(state.library.datetime);
}

PyObject* raise_fields() noexcept {
  PyErr_SetString(PyExc_ValueError, "its fields do not match its type");
  return nullptr;
}

int year_of(const unsigned char* data) noexcept { return data[0] << 8 | data[1]; }
int microsecond_of(const unsigned char* data) noexcept { return data[0] << 16 | data[1] << 8 | data[2]; }

constexpr std::size_t date_bytes = 4;
constexpr std::size_t time_bytes = 7;  // with the fold

// Returns a date, time or datetime; each checks the ranges of its parts.
PyObject* build_moment(const ModuleState& state, StandardType type, const unsigned char* data, std::size_t length,
                       PyObject* zone) noexcept {
  const PyDateTime_CAPI& api = dates(state);
  const bool has_date = type != StandardType::time, has_time = type != StandardType::date;
  if (length != has_date * date_bytes + has_time * time_bytes) return raise_fields();
  if (zone != Py_None && PyObject_TypeCheck(zone, api.TZInfoType) == 0) return raise_fields();
  if (!has_time) return api.Date_FromDate(year_of(data), data[2], data[3], api.DateType);
  const unsigned char* time = data + has_date * date_bytes;
  if (!has_date) {
    return api.Time_FromTimeAndFold(time[0], time[1], time[2], microsecond_of(time + 3), zone, time[6], api.TimeType);
  }
  return api.DateTime_FromDateAndTimeAndFold(year_of(data), data[2], data[3], time[0], time[1], time[2],
                                             microsecond_of(time + 3), zone, time[6], api.DateTimeType);
}

PyObject* build_timedelta(const ModuleState& state, std::int64_t days, std::int64_t seconds,
                          std::int64_t microseconds) noexcept {
  // Ranges of a normalized timedelta; the constructor checks that of the days.
  if (days != static_cast<int>(days) || seconds < 0 || seconds >= 86400 || microseconds < 0 ||
      microseconds >= 1000000) {
    return raise_fields();
  }
  return dates(state).Delta_FromDelta(static_cast<int>(days), static_cast<int>(seconds), static_cast<int>(microseconds),
                                      0, dates(state).DeltaType);
}

PyObject* build_timezone(const ModuleState& state, PyObject* offset, PyObject* name) noexcept {
  const PyDateTime_CAPI& api = dates(state);
  if (!Py_IS_TYPE(offset, api.DeltaType) || (name != Py_None && !PyUnicode_CheckExact(name))) return raise_fields();
  return api.TimeZone_FromTimeZone(offset, name == Py_None ? nullptr : name);
}

PyObject* build_decimal(const ModuleState& state, PyObject* text) noexcept {
  if (!PyUnicode_CheckExact(text)) return raise_fields();
  return PyObject_CallOneArg(state.library.of(Library::decimal), text);
}

PyObject*& slot_at(PyObject* object, Py_ssize_t offset) noexcept {
  return *reinterpret_cast<PyObject**>(reinterpret_cast<char*>(object) + offset);
}

PyObject* build_uuid(const ModuleState& state, PyObject* bytes, PyObject* safety) noexcept {
  const Library& library = state.library;
  const bool is_number =
      PyLong_CheckExact(safety) && PyUnstable_Long_IsCompact(reinterpret_cast<PyLongObject*>(safety));
  const Py_ssize_t value = is_number ? PyUnstable_Long_CompactValue(reinterpret_cast<PyLongObject*>(safety)) : 1;
  PyObject* member = safety == Py_None ? library.of(Library::unknown)
                     : value == 0      ? library.of(Library::safe)
                     : value == -1     ? library.of(Library::unsafe)
                                       : nullptr;
  if (member == nullptr || !PyBytes_CheckExact(bytes) || PyBytes_GET_SIZE(bytes) != 16) return raise_fields();
  Ref number(PyLong_FromUnsignedNativeBytes(PyBytes_AS_STRING(bytes), 16, Py_ASNATIVEBYTES_BIG_ENDIAN));
  auto* type = reinterpret_cast<PyTypeObject*>(library.of(Library::uuid));
  PyObject* uuid = number ? type->tp_alloc(type, 0) : nullptr;
  if (uuid == nullptr) return nullptr;
  slot_at(uuid, library.uuid_number) = number.release();
  slot_at(uuid, library.uuid_safety) = Py_NewRef(member);
  return uuid;
}

// The number of the fields.
constexpr Py_ssize_t field_count(StandardType type) noexcept {
  switch (type) {
    case StandardType::date:
    case StandardType::decimal: return 1;
    case StandardType::timedelta: return 3;
    default: return 2;
  }
}

bool as_int64(PyObject* number, std::int64_t& value) noexcept {
  int overflow = 1;
  if (PyLong_CheckExact(number)) value = PyLong_AsLongLongAndOverflow(number, &overflow);
  return overflow == 0;
}

}  // namespace

PyObject* build_standard(const ModuleState& state, StandardType type, PyObject* const* fields,
                         Py_ssize_t count) noexcept {
  if (count != field_count(type)) return raise_fields();
  switch (type) {
    case StandardType::date:
    case StandardType::time:
    case StandardType::datetime:
      if (!PyBytes_CheckExact(fields[0])) return raise_fields();
      return build_moment(state, type, reinterpret_cast<const unsigned char*>(PyBytes_AS_STRING(fields[0])),
                          static_cast<std::size_t>(PyBytes_GET_SIZE(fields[0])), count == 1 ? Py_None : fields[1]);
    case StandardType::timedelta: {
      std::int64_t parts[3];
      for (int i = 0; i < 3; ++i) {
        if (!as_int64(fields[i], parts[i])) return raise_fields();
      }
      return build_timedelta(state, parts[0], parts[1], parts[2]);
    }
    case StandardType::timezone: return build_timezone(state, fields[0], fields[1]);
    case StandardType::decimal: return build_decimal(state, fields[0]);
    default: return build_uuid(state, fields[0], fields[1]);
  }
}

PyObject* build_standard(const ModuleState& state, StandardType type, BlockReader reader,
                         std::span<const Cell> fields) noexcept {
  if (static_cast<Py_ssize_t>(fields.size()) != field_count(type)) return nullptr;
  if (type == StandardType::timedelta) {
    for (const Cell& field : fields) {
      if (field.tag() != Tag::integer) return nullptr;
    }
    return build_timedelta(state, fields[0].as_integer(), fields[1].as_integer(), fields[2].as_integer());
  }
  if ((type == StandardType::decimal || type == StandardType::uuid) && std::ranges::all_of(fields, is_single_leaf)) {
    Ref parts[2];
    PyObject* borrowed[2];
    for (std::size_t i = 0; i < fields.size(); ++i) {
      parts[i] = Ref(make_leaf(state, reader, fields[i]));
      if ((borrowed[i] = parts[i].get()) == nullptr) return nullptr;
    }
    return build_standard(state, type, borrowed, static_cast<Py_ssize_t>(fields.size()));
  }
  if (type != StandardType::date && type != StandardType::time && type != StandardType::datetime) return nullptr;
  if (fields[0].tag() != Tag::short_bytes || (fields.size() > 1 && fields[1].tag() != Tag::none)) return nullptr;
  return build_moment(state, type, reinterpret_cast<const unsigned char*>(fields[0].payload()),
                      fields[0].short_length(), Py_None);
}

}  // namespace xichan::python

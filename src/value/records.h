// The types of records. The first cell of a record names its type: an int for a standard type, which every reader may
// build, else a tuple (module: str, qualified name: str, form: str, names of the fields: tuple of str), or None for a
// pickled value (pickled.h), which no dump contains. The other cells are the fields. A type outside the table is looked
// up by its module and name, and only if the reader trusts the sender. docs/reference/block-format.md lists the forms.
#pragma once

#include <cstdint>

namespace xichan::internal {

/// The standard types with a number. Numbers are part of the format of dumps: they never change.
enum class StandardType : std::int64_t {
  date = 1,              // short bytes: year (2, big endian), month, day
  time = 2,              // short bytes: hour, minute, second, microsecond (3, big endian), fold; tzinfo or None
  datetime = 3,          // short bytes: those of date, then those of time; tzinfo or None
  timedelta = 4,         // days, seconds, microseconds
  timezone = 5,          // timedelta, name or None
  zone_info = 6,         // key
  decimal = 7,           // str
  fraction = 8,          // numerator, denominator
  uuid = 9,              // bytes of 16, is_safe: int or None
  pure_posix_path = 10,  // str; and the following likewise
  pure_windows_path = 11,
  posix_path = 12,
  windows_path = 13,
  ipv4_address = 14,  // int
  ipv6_address = 15,  // int, scope id or None
  ipv4_network = 16,  // address, prefix length
  ipv6_network = 17,  // address, prefix length, scope id or None
  ipv4_interface = 18,
  ipv6_interface = 19,    // like ipv6_network
  simple_namespace = 20,  // dict of the attributes
  deque = 21,             // list of the items, maxlen or None
  counter = 22,           // dict
  ordered_dict = 23,      // dict
  default_dict = 24,      // default_factory as a record type or None, dict
  log_record = 25,        // dict of the attributes
};

}  // namespace xichan::internal

#include "nats/names.h"

#include <algorithm>
#include <cstdio>
#include <random>

#include "nats/failure.h"

namespace xichan::nats::internal {
namespace {

constexpr std::size_t longest_name = 200;

constexpr bool is_permitted(char character) noexcept {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
         (character >= '0' && character <= '9') || character == '-' || character == '_';
}

}  // namespace

Names::Names(std::string_view name, bool dead)
    : channel(name),
      is_dead(dead),
      stream((dead ? "XICHANDEAD_" : "XICHAN_") + channel),
      values("xichan." + channel + (dead ? ".dead" : ".values")),
      room(values + ".room") {}

Status check_name(std::string_view name) {
  if (!name.empty() && name.size() <= longest_name && std::all_of(name.begin(), name.end(), is_permitted)) {
    return Status::ok;
  }
  return fail(Status::invalid, "a channel's name consists of 1 to 200 letters, digits, '-' and '_', got '" +
                                   std::string(name.substr(0, longest_name)) + "'");
}

std::string random_identity() {
  std::random_device random;
  char text[17];
  std::snprintf(text, sizeof text, "%08x%08x", static_cast<unsigned>(random()), static_cast<unsigned>(random()));
  return text;
}

}  // namespace xichan::nats::internal

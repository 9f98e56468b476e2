#include "nats/urls.h"

#include <algorithm>

namespace xichan::nats::internal {
namespace {

constexpr std::string_view spaces = " \t\n\v\f\r";

std::string_view trimmed(std::string_view text) noexcept {
  const std::size_t begin = std::min(text.find_first_not_of(spaces), text.size());
  return text.substr(begin, text.find_last_not_of(spaces) + 1 - begin);
}

constexpr bool is_letter(char character) noexcept {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
}

// Returns what is before "://", in lower case; empty if the URL has none.
std::string scheme_of(std::string_view url) {
  const std::size_t end = url.find("://");
  std::string scheme(url.substr(0, end == url.npos ? 0 : end));
  for (char& letter : scheme) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return scheme;
}

}  // namespace

Status parse_urls(std::string_view servers, std::vector<std::string>& urls) {
  for (bool is_last = false; !is_last;) {
    const std::size_t comma = servers.find(',');
    is_last = comma == servers.npos;
    const std::string_view url = trimmed(servers.substr(0, comma));
    if (url.empty()) return fail(Status::invalid, "servers contains an empty URL");
    const std::string scheme = scheme_of(url);
    if (url.find("://") != url.npos && scheme != "nats" && scheme != "tls") {
      return fail(Status::invalid,
                  "the URL of a server begins with nats:// or tls://, got '" + without_secrets(url) + "'");
    }
    urls.emplace_back(url);
    if (!is_last) servers.remove_prefix(comma + 1);
  }
  return Status::ok;
}

bool has_tls(std::string_view url) { return scheme_of(url) == "tls"; }

std::string without_secrets(std::string_view url) {
  const std::size_t at = url.rfind('@'), mark = url.find("://");
  if (at == url.npos) return std::string(url);
  const std::string_view scheme = url.substr(0, mark == url.npos ? 0 : mark);
  const bool is_scheme = !scheme.empty() && std::all_of(scheme.begin(), scheme.end(), is_letter);
  // Otherwise the mark is part of a password.
  return (is_scheme ? std::string(scheme) + "://" : "//") + std::string(url.substr(at + 1));
}

}  // namespace xichan::nats::internal

// The URLs of servers, as a program gives them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nats/failure.h"

namespace xichan::nats::internal {

/// Divides a text at its commas. Fails with `invalid` for what xichan.nats.connect() in Python refuses: an empty URL,
/// and one of another scheme than nats:// or tls://. The description contains no password.
Status parse_urls(std::string_view servers, std::vector<std::string>& urls);

/// Returns true if a URL asks for TLS.
bool has_tls(std::string_view url);

/// Returns the URL of a server without its user and password.
std::string without_secrets(std::string_view url);

}  // namespace xichan::nats::internal

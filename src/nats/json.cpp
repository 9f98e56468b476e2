#include "nats/json.h"

#include <charconv>
#include <cmath>

namespace xichan::nats::internal {
namespace {

constexpr int most_levels = 100;

void append_utf8(std::uint32_t code, std::string& out) {
  if (code < 0x80) {
    out += static_cast<char>(code);
    return;
  }
  const int tail = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  constexpr std::uint32_t lead[] = {0, 0xC0, 0xE0, 0xF0};
  out += static_cast<char>(lead[tail] | code >> (6 * tail));
  for (int i = tail - 1; i >= 0; --i) out += static_cast<char>(0x80 | (code >> (6 * i) & 0x3F));
}

}  // namespace

struct Json::Parser {
  std::string_view rest;

  void skip_spaces() noexcept {
    const std::size_t begin = rest.find_first_not_of(" \t\r\n");
    rest.remove_prefix(begin == rest.npos ? rest.size() : begin);
  }

  bool take(std::string_view token) noexcept {
    skip_spaces();
    if (!rest.starts_with(token)) return false;
    rest.remove_prefix(token.size());
    return true;
  }

  bool hex(std::uint32_t& code) noexcept {
    if (rest.size() < 4) return false;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + 4, code, 16);
    const bool whole = error == std::errc() && end == rest.data() + 4;
    rest.remove_prefix(4);
    return whole;
  }

  bool escaped(std::string& out) {
    if (rest.empty()) return false;
    const char kind = rest.front();
    rest.remove_prefix(1);
    constexpr std::string_view kinds = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
    if (const std::size_t at = kinds.find(kind); at != kinds.npos) {
      out += meanings[at];
      return true;
    }
    std::uint32_t code, low;
    if (kind != 'u' || !hex(code)) return false;
    if (code >= 0xD800 && code < 0xDC00 && rest.starts_with("\\u")) {
      rest.remove_prefix(2);
      if (!hex(low) || low < 0xDC00 || low >= 0xE000) return false;
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    append_utf8(code, out);
    return true;
  }

  bool string(std::string& out) {
    if (!take("\"")) return false;
    for (;;) {
      const std::size_t end = rest.find_first_of("\"\\");
      if (end == rest.npos) return false;
      out += rest.substr(0, end);
      const bool ends = rest[end] == '"';
      rest.remove_prefix(end + 1);
      if (ends) return true;
      if (!escaped(out)) return false;
    }
  }

  bool number(Json& out) noexcept {
    const char* const first = rest.data();
    const char* const last = first + rest.size();
    const auto [end, error] = std::from_chars(first, last, out.number_);
    if (error != std::errc() || !(*first == '-' || (*first >= '0' && *first <= '9'))) return false;
    const auto whole = std::from_chars(first, last, out.integer_);
    if (whole.ec != std::errc() || whole.ptr != end) {
      out.integer_ = std::abs(out.number_) < 9e18 ? static_cast<std::int64_t>(out.number_) : 0;
    }
    out.kind_ = Kind::number;
    rest.remove_prefix(static_cast<std::size_t>(end - first));
    return true;
  }

  bool list(Json& out, int level) {
    out.kind_ = Kind::list;
    if (take("]")) return true;
    do {
      if (!value(out.items_.emplace_back(), level)) return false;
    } while (take(","));
    return take("]");
  }

  bool object(Json& out, int level) {
    out.kind_ = Kind::object;
    if (take("}")) return true;
    do {
      auto& [name, item] = out.entries_.emplace_back();
      if (!string(name) || !take(":") || !value(item, level)) return false;
    } while (take(","));
    return take("}");
  }

  bool value(Json& out, int level) {
    if (level == most_levels) return false;
    if (take("null")) return true;
    if (take("{")) return object(out, level + 1);
    if (take("[")) return list(out, level + 1);
    if (rest.starts_with('"')) {
      out.kind_ = Kind::text;
      return string(out.text_);
    }
    out.truth_ = take("true");
    if (out.truth_ || take("false")) {
      out.kind_ = Kind::boolean;
      return true;
    }
    return number(out);
  }
};

bool Json::parse(std::string_view text, Json& out) {
  out = Json();
  Parser parser{text};
  if (!parser.value(out, 0)) return false;
  parser.skip_spaces();
  return parser.rest.empty();
}

const Json& Json::operator[](std::string_view name) const noexcept {
  static const Json null;
  for (const auto& [key, item] : entries_) {
    if (key == name) return item;
  }
  return null;
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char character : text) {
    if (character == '"' || character == '\\') out += '\\';
    out += character;
  }
  return out + '"';
}

bool decode_base64(std::string_view text, std::string& out) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  out.clear();
  out.reserve(text.size() / 4 * 3);
  while (text.ends_with('=')) text.remove_suffix(1);
  if (text.size() % 4 == 1) return false;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char character : text) {
    const std::size_t digit = digits.find(character);
    if (digit == digits.npos) return false;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xFF);
  }
  return true;
}

}  // namespace xichan::nats::internal

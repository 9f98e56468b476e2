// JSON, as far as JetStream's API needs it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace xichan::nats::internal {

/// A value of JSON. Thread safety: that of a plain value.
class Json {
 public:
  enum class Kind : std::uint8_t { null, boolean, number, text, list, object };

  /// Reads a text. Returns false if it is not JSON, or nested deeper than 100 levels; `out` is unspecified then. Throws
  /// std::bad_alloc.
  static bool parse(std::string_view text, Json& out);

  Kind kind() const noexcept { return kind_; }
  explicit operator bool() const noexcept { return kind_ != Kind::null; }

  /// Returns the entry of an object; null if there is none.
  const Json& operator[](std::string_view name) const noexcept;
  const std::vector<Json>& items() const noexcept { return items_; }
  const std::vector<std::pair<std::string, Json>>& entries() const noexcept { return entries_; }

  // Zero, false or empty for a value of another kind.
  bool truth() const noexcept { return truth_; }
  double number() const noexcept { return number_; }
  std::int64_t integer() const noexcept { return integer_; }
  const std::string& text() const noexcept { return text_; }

 private:
  struct Parser;

  Kind kind_ = Kind::null;
  bool truth_ = false;
  std::int64_t integer_ = 0;
  double number_ = 0;
  std::string text_;
  std::vector<Json> items_;
  std::vector<std::pair<std::string, Json>> entries_;
};

/// Returns a text without control characters as a string of JSON. Throws std::bad_alloc.
std::string quote(std::string_view text);

/// Decodes base64. Returns false if the text is not base64. Throws std::bad_alloc.
bool decode_base64(std::string_view text, std::string& out);

}  // namespace xichan::nats::internal

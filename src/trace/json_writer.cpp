#include "trace/json_writer.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "value/utf8.h"

namespace xichan::internal {

void JsonWriter::flush() noexcept {
  for (std::size_t done = 0; done < used_ && error_ == 0;) {
    const ssize_t written = write(descriptor_, buffer_.get() + done, used_ - done);
    if (written >= 0) {
      done += static_cast<std::size_t>(written);
    } else if (errno != EINTR) {
      error_ = errno;
    }
  }
  used_ = 0;
}

void JsonWriter::text(std::string_view text) noexcept {
  if (buffer_ == nullptr) return;
  while (!text.empty()) {
    if (used_ == room) flush();
    const std::size_t part = std::min(text.size(), room - used_);
    std::memcpy(buffer_.get() + used_, text.data(), part);
    used_ += part;
    text.remove_prefix(part);
  }
}

void JsonWriter::number(std::uint64_t value) noexcept {
  char digits[20];
  text({digits, std::to_chars(digits, digits + sizeof digits, value).ptr});
}

void JsonWriter::time(std::int64_t nanoseconds) noexcept {
  nanoseconds = std::max<std::int64_t>(nanoseconds, 0);
  number(static_cast<std::uint64_t>(nanoseconds / 1000));
  const auto rest = static_cast<int>(nanoseconds % 1000);
  const char digits[] = {'.', static_cast<char>('0' + rest / 100), static_cast<char>('0' + rest / 10 % 10),
                         static_cast<char>('0' + rest % 10)};
  text({digits, sizeof digits});
}

void JsonWriter::quoted(std::string_view value) noexcept {
  text("\"");
  const bool valid = scan_utf8(value).valid;
  for (const char& byte : value) {
    const auto code = static_cast<unsigned char>(byte);
    if (code == '"' || code == '\\') {
      text("\\");
      text({&byte, 1});
    } else if (code < 0x20) {
      char escape[8];
      text({escape, static_cast<std::size_t>(std::snprintf(escape, sizeof escape, "\\u%04x", code))});
    } else {
      text(code < 0x80 || valid ? std::string_view(&byte, 1) : "?");
    }
  }
  text("\"");
}

int JsonWriter::finish() noexcept {
  if (buffer_ == nullptr) return ENOMEM;
  flush();
  return error_;
}

}  // namespace xichan::internal

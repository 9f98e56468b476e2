// Small values without a block: they pass through the lines of the bounded ring (value/line.h).
//
// A value that cannot be enqueued at once gets a block. So does one whose receiver keeps its cell; the memory is
// reserved first, so that without memory the value stays in the channel.
#include "channel/channel.h"

namespace xichan::internal {

Status Channel::try_send_line(const Cell& cell, const Line& line, Lane& lane) noexcept {
  if (!admit(Side::sender, lane)) return Status::invalid;
  const Status status = ring_.mpmc().try_push(cell, line);
  if (status == Status::ok) after_send();
  return status;
}

// Receives by `receive(line)`, and moves the value to a block if it has a line.
template <class Receive>
[[gnu::noinline]] Status Channel::recv_block(Cell& cell, Receive receive) noexcept {
  Status status;
  LineReserve reserve(status);
  if (status != Status::ok) return status;
  Line line;
  status = receive(&line);
  if (status == Status::ok && has_line(cell)) reserve.move_to_block(cell);
  return status;
}

// The next item had a line a moment ago; the one that is received need not have one.
Status Channel::try_recv_line(Cell& cell, Line* line) noexcept {
  if (line == nullptr) {
    return recv_block(cell, [&](Line* own) noexcept { return try_recv_line(cell, own); });
  }
  const Status status = ring_.mpmc().try_pop(cell, *line);
  if (status == Status::ok) {
    attach(cell, *line);
    after_recv();
  }
  return status;
}

// Receives any item of the bounded ring, for a trace.
Status Channel::recv_recorded(Cell& cell, Line* line, std::uint64_t& at) noexcept {
  if (line == nullptr) {
    return recv_block(cell, [&](Line* own) noexcept { return recv_recorded(cell, own, at); });
  }
  const Status status = ring_.mpmc().pop_at(cell, *line, at);
  if (status == Status::ok) {
    attach(cell, *line);
    after_recv();
  }
  return status;
}

Status Channel::try_recv_lines(Cell* cells, std::uint64_t count, std::uint64_t& done, Line* lines,
                               std::uint64_t& at) noexcept {
  if (lines == nullptr) {
    const Status status = recv_recorded(cells[0], nullptr, at);
    done = status == Status::ok;
    return status;
  }
  const Status status = ring_.mpmc().try_pop_many(cells, lines, std::min<std::uint64_t>(count, batch_size), done, &at);
  if (status == Status::ok) {
    for (std::uint64_t i = 0; i < done; ++i) attach(cells[i], lines[i]);
    after_recv();
  }
  return status;
}

}  // namespace xichan::internal

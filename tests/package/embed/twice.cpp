// Initializes and finalizes Python twice. A wait after the second time is not cut short by the end of the first.
#include <xichan/xichan.h>

#include "embed.h"

int main() {
  using namespace xichan;
  for (int i = 0; i < 2; ++i) {
    const Python python;
    const InterpreterGuard guard(python.main());
    const int result = PyRun_SimpleString(R"(
import threading, xichan
tx, rx = xichan.channel(1)
try:
    rx.recv(timeout=1.2)  # longer than a wait may last at exit
except xichan.ChannelTimeout:
    pass
assert xichan._core._exit_patience() is None
threading.Thread(target=rx.recv, daemon=True).start()
)");
    if (result != 0) return 1;
  }
  Sender sender;
  Receiver receiver;
  if (channel({}, sender, receiver) != Status::ok || sender.send(Value(1)) != Status::ok) return 1;
  Value value;
  return receiver.recv(value) == Status::ok ? 0 : 1;
}

// Initializes and finalizes Python twice. A wait after the second time is not cut short by the end of the first.
#include <xichan/xichan.h>

#include "embed.h"

int main() {
  for (int i = 0; i < 2; ++i) {
    const Python python;
    const xichan::InterpreterGuard guard(python.main());
    const int result = PyRun_SimpleString(R"(
import threading, xichan
tx, rx = xichan.channel(1)
try:
    rx.recv(timeout=1.2)  # longer than a wait may last at exit
except xichan.ChannelTimeout:
    pass
threading.Thread(target=rx.recv, daemon=True).start()
)");
    if (result != 0) return 1;
  }
  std::puts("done");
}

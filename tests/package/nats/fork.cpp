// The child of a fork: endpoints of the parent behave as if they were closed, and the parent keeps its own. The
// argument is the URL of the server.
#include <sys/wait.h>
#include <unistd.h>
#include <xichan/nats.h>

#include "check.h"

using xichan::Status;
using xichan::Value;
namespace nats = xichan::nats;

namespace {

void use_in_child(nats::Hub hub, nats::Sender tx, nats::Receiver rx, nats::Lease lease) {
  Value value;
  CHECK(hub.closed() && !hub.connected() && tx.closed() && rx.closed());
  CHECK(tx.send(Value::of(1)) == Status::end_closed && rx.recv(value) == Status::end_closed);
  CHECK(lease.ack() == Status::end_closed && lease.value().as_integer() == 1);
  CHECK(hub.sender("fork", tx) == Status::end_closed);
}  // destroys them

}  // namespace

int main(int, char** arguments) {
  nats::Hub hub = nats::connect(arguments[1]);
  CHECK(hub);
  nats::Sender tx;
  nats::Receiver rx;
  nats::Lease lease;
  CHECK(hub.channel("fork", {}, tx, rx) == Status::ok);
  CHECK(tx.send(Value::of(1)) == Status::ok && rx.lease(lease) == Status::ok);
  const pid_t child = fork();
  if (child == 0) {
    use_in_child(std::move(hub), std::move(tx), std::move(rx), std::move(lease));
    _exit(0);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  Value value;
  CHECK(lease.ack() == Status::ok);
  CHECK(tx.send(Value::of(2)) == Status::ok);
  CHECK(rx.recv(value) == Status::ok);
  CHECK(value.view().as_integer() == 2);
  CHECK(hub.remove("fork") == Status::ok);
  std::puts("done");
  return 0;
}

// Counts the primes below each number that programs in Python send, and sends back (number, count). Any number of
// workers may run, on any machine. If one is killed, another gets its job. The argument is the URL of the server.
#include <xichan/nats.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

using xichan::Status;
using xichan::Value;
using xichan::ValueView;
namespace nats = xichan::nats;

namespace {

std::int64_t primes_below(std::int64_t limit) {
  std::vector<bool> crossed(static_cast<std::size_t>(limit > 0 ? limit : 0));
  std::int64_t count = 0;
  for (std::int64_t n = 2; n < limit; ++n) {
    if (crossed[static_cast<std::size_t>(n)]) continue;
    ++count;
    for (std::int64_t m = n * n; m < limit; m += n) crossed[static_cast<std::size_t>(m)] = true;
  }
  return count;
}

int fail(Status status) {
  const std::string text(to_string(status));
  std::fprintf(stderr, "%s: %s\n", text.c_str(), nats::last_error().message.c_str());
  return 1;
}

}  // namespace

int main(int count, char** arguments) {
  nats::Hub hub;
  Status status = nats::connect(count > 1 ? arguments[1] : "nats://127.0.0.1:4222", {.name = "worker"}, hub);
  nats::Receiver jobs;
  nats::Sender results;
  if (status == Status::ok) status = hub.receiver("jobs", jobs);
  if (status == Status::ok) status = hub.sender("results", results);
  while (status == Status::ok) {
    nats::Lease job;  // returns the job to the channel, unless it is acknowledged
    status = jobs.lease(job);
    if (status != Status::ok) break;
    const std::int64_t limit = job.value().as_integer();
    Value result;
    status = Value::pack(result, limit, primes_below(limit));
    if (status == Status::ok) status = results.send(std::move(result));
    if (status == Status::ok) status = job.ack();
  }
  return status == Status::closed ? 0 : fail(status);  // the last Sender of jobs is closed
}

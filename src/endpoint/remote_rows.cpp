// Writes the endpoints of channels on servers into the snapshot of the page.
#include "directory/page_publisher.h"
#include "endpoint/remote_end.h"
#include "page/page.h"

namespace xichan::internal {
namespace {

void write_rows(Page& page, SnapshotRow& head) noexcept {
  RemoteEnd::try_for_each([&](const RemoteEnd& end) noexcept {
    if (++head.remotes > remote_slots) return;
    RemoteRow row{};
    row.snapshot = head.snapshot;
    row.interpreter = end.interpreter();
    row.thread = end.origin().thread;
    row.receives = end.side() == Side::receiver;
    copy_text(row.name, end.name());
    copy_text(row.server, end.server());
    page.remotes[head.remote_rows++].write(row);
  });
}

[[gnu::constructor]] void set_writer() noexcept { PagePublisher::write_remotes = write_rows; }

}  // namespace
}  // namespace xichan::internal

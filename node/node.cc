#include "node/node.h"

#include <atomic>

#include "node/node_parts.h"

namespace kura::node {
namespace {

constexpr int64_t kStopPollNs = 10'000'000;
constexpr int kScrubPolls = 100;

}  // namespace

Node::Node(NodePorts ports, NodeOptions options)
    : parts_(std::make_unique<Parts>(std::move(ports), std::move(options))) {}
Node::~Node() = default;

Task<Result<void>> Node::start() { return parts_->start(); }

void Node::serve(size_t i, std::unique_ptr<Acceptor> acceptor) {
  parts_->servers[i]->start(std::move(acceptor));
}

namespace {

Task<void> drain(s3::HttpServer* server, int64_t drain_ns, std::atomic<size_t>* left) {
  co_await server->drain(drain_ns);
  --*left;
}

}  // namespace

Task<void> Node::stop(int64_t drain_ns) {
  Parts& p = *parts_;
  p.is_ready = false;
  // What fails from now on is for the next start; this process does not start over.
  p.ended = true;
  // All at once: together they have `drain_ns`.
  std::atomic<size_t> draining = p.servers.size();
  for (size_t i = 0; i < p.servers.size(); ++i)
    spawn(*p.ports.io[i], drain(p.servers[i].get(), drain_ns, &draining));
  while (draining > 0) co_await sleep_for(kStopPollNs);
  p.housekeeping->stop();
  p.drive_watch->stop();
  p.view_watch->stop();
  p.scrubber->stop();
  while (p.housekeeping->running() || p.drive_watch->running() || p.view_watch->running())
    co_await sleep_for(kStopPollNs);
  Result<void> stopped = co_await p.disks->stop();
  if (!stopped) p.ports.log("drives: " + stopped.error().detail);
  if (p.read_only.empty())
    if (auto flushed = p.view.kv->flush(); !flushed) p.ports.log("view: " + flushed.error().detail);
  co_await p.journal->close();  // Ends a scrub of it too.
  // One of a large view or segment takes long, and may end with the process: it only reads.
  for (int i = 0; i < kScrubPolls && p.scrubber->running(); ++i) co_await sleep_for(kStopPollNs);
}

Store& Node::store() { return *parts_->store; }
journal::EmbeddedJournal& Node::journal() { return *parts_->journal; }
disk::DiskPool& Node::disks() { return *parts_->disks; }
Kv& Node::view_kv() { return *parts_->view.kv; }
ViewPosition Node::view_position() const { return parts_->view.fold->position(); }
ViewRecovery Node::view_recovery() const {
  const RecoveredView& view = parts_->view;
  return {parts_->places[view.drive].drive->label(), view.replayed, view.from_snapshot,
          view.built_anew};
}
const std::vector<std::unique_ptr<s3::HttpServer>>& Node::servers() const {
  return parts_->servers;
}
Committer& Node::committer() { return *parts_->committer; }
Tenants& Node::tenants() { return *parts_->control; }
uint64_t Node::identities_mended() const { return parts_->identities_mended; }
const NodeOptions& Node::options() const { return parts_->options; }
bool Node::ready() const { return parts_->is_ready; }
std::string Node::why_read_only() const { return parts_->why_read_only(); }
const std::string& Node::started_read_only() const { return parts_->read_only; }
std::string Node::journal_degraded_reason() const { return parts_->journal_degraded_reason(); }
uint32_t Node::mirrors_wanted() const { return parts_->mirrors_wanted(); }
void Node::set_side_handler(SideHandler* side) { parts_->handler->set_side_handler(side); }
const s3::KeyLookup& Node::keys() const { return *parts_->keys; }
s3::Authenticator& Node::authenticator() { return *parts_->authenticator; }
std::string Node::seal_secret(const std::string& access_key, const std::string& secret) {
  return parts_->keys->box().seal(secret, access_key, parts_->ports.random);
}
Task<Result<DriveId>> Node::add_drive(std::shared_ptr<Drive> drive) {
  return parts_->add_drive(std::move(drive));
}
Task<Result<DriveId>> Node::check_drive(std::shared_ptr<Drive> drive) {
  return parts_->check_drive(std::move(drive));
}
bool Node::uses(const std::string& label) const { return parts_->uses(label); }
Result<void> Node::check_removal(DriveId drive) const { return parts_->check_removal(drive); }
Task<Result<void>> Node::remove_drive(DriveId drive) { return parts_->remove_drive(drive); }
Scrubber& Node::scrubber() { return *parts_->scrubber; }
Task<Result<void>> Node::housekeep_now() { return parts_->housekeeping->pass(); }

}  // namespace kura::node

// What a node is made of: node_start.cc puts it together, node_drives.cc lets drives come and go,
// node_read_only.cc is what is different when the journal cannot be appended to, and node.cc is its
// outside.

#pragma once

#include <atomic>
#include <set>

#include "actors/bucket/bucket_actors.h"
#include "actors/disk/view_live_bodies.h"
#include "actors/loop_scheduler.h"
#include "actors/tenant/control_actor.h"
#include "base/turn.h"
#include "node/drive_places.h"
#include "node/drive_watch.h"
#include "node/housekeeping.h"
#include "node/membership.h"
#include "node/node.h"
#include "node/recovery.h"
#include "node/s3_handler.h"
#include "node/scrubber.h"
#include "node/view_watch.h"

namespace kura::node {

struct Node::Parts {
  Parts(NodePorts p, NodeOptions o)
      : ports(std::move(p)), options(std::move(o)), places(ports.drives) {}

  Task<Result<void>> start();
  Task<Result<void>> identify();
  Task<Result<void>> identify_fresh();
  void leave(size_t i, DrivePlace::Left left, std::string why);
  void use(std::shared_ptr<Drive> drive, DriveId id);
  void tell_of_use(const DrivePlace& place) const;
  Task<Result<void>> open_journal();
  Task<Result<void>> open_or_create_journal();
  void leave_other_history();
  Task<void> mend_identities();
  std::string not_here() const;
  Task<Result<void>> judge_journal();
  std::string why_read_only() const;
  void tell_of_missing_drives();
  Task<void> await_drives();
  Task<bool> more_drives();
  Task<bool> is_back(size_t i);
  std::vector<size_t> used_places() const;
  Task<Result<void>> open_view();
  Task<Result<void>> start_actors();
  Task<Result<void>> record_drives();
  Task<void> forget_half_added();
  std::vector<size_t> unrecorded_drives() const;
  Task<Result<void>> start_disks();
  void make_servers();
  bool view_may_move() const;
  void make_drive_watch();
  Task<Result<DriveId>> add_drive(std::shared_ptr<Drive> drive);
  bool serves(DriveId id) const;
  bool uses(const std::string& label) const;
  Result<void> check_removal(DriveId gone) const;
  // The port, within the time of a drive. Null also while an earlier question about the same place
  // is under way: of those one that hangs would collect many.
  Task<Result<std::shared_ptr<Drive>>> mounted_anew(std::shared_ptr<Drive> away);
  Task<Result<void>> remove_drive(DriveId gone);
  Task<Result<void>> forget_drive(DriveId gone);
  Task<Result<void>> forget_predecessors(std::string label);
  Task<Result<DriveId>> check_drive(std::shared_ptr<Drive> drive);
  Task<Result<DriveId>> admit(std::shared_ptr<Drive> drive);
  Task<void> end_journal_use(std::string label, DriveId id);
  Task<Result<DriveId>> join(std::shared_ptr<Drive> drive);
  Task<bool> may_rejoin(std::shared_ptr<Drive> drive, DriveId away);
  Task<Result<DriveId>> rejoin(std::shared_ptr<Drive> drive);
  Task<void> take_back();
  Task<void> tell_journal();
  uint32_t parity() const;
  uint64_t smallest_drive_bytes() const;
  uint64_t segment_bytes() const;
  size_t segments_max() const;
  Task<void> fit_journal();
  std::string journal_degraded_reason() const;
  std::string drive_without_journal() const;
  uint32_t mirrors_wanted() const;
  disk::DiskPoolOptions pool_options() const;
  s3::SessionOptions session_options() const;
  uint64_t uploads_bytes() const;
  void fatal(Error error) {
    if (!ended.exchange(true)) ports.on_fatal(std::move(error));
  }

  NodePorts ports;
  NodeOptions options;
  WriterId writer;
  Membership membership;
  std::optional<Error> not_joined;  // Why an empty drive took no identity.
  TurnQueue drive_turns;            // One at a time adds drives, takes them back or forgets them.
  DrivePlaces places;
  std::set<DriveId> journal_lacks;  // Went offline since; to be given back to the journal.
  std::shared_ptr<std::set<std::string>> asked_anew =
      std::make_shared<std::set<std::string>>();  // Labels of mounted_anew() under way.
  std::set<DriveId> strangers;     // Seen in a place and left out, told to the operator.
  size_t journal_losses = 0;       // Of drives of the journal, told to the operator.
  uint64_t identities_mended = 0;  // At this start.
  // Why the last fit_journal() was none, as the operator was told; and not before when another one.
  std::string journal_misfit;
  int64_t fit_again_ns = 0;
  // Why the node was started to read only: the journal cannot be appended to. Empty: it can. Set
  // before anything is served.
  std::string read_only;
  bool drive_admitted = false;  // Of such a node: the next start uses it.
  std::atomic<bool> ended{false};
  std::atomic<bool> is_ready{false};  // Health asks on every loop.

  // In the order of construction; destroyed the other way round.
  std::unique_ptr<journal::EmbeddedJournal> journal;
  RecoveredView view;
  std::unique_ptr<MetadataView> metadata;
  std::unique_ptr<ActorHost> host;
  std::unique_ptr<Committer> committer;
  std::unique_ptr<ControlActors> control;
  std::unique_ptr<disk::DiskPool> disks;
  std::unique_ptr<journal::InlineBodies> inline_bodies;
  std::unique_ptr<BucketActors> buckets;
  std::unique_ptr<ViewLiveBodies> live;
  std::unique_ptr<Store> store;
  std::unique_ptr<NodeKeys> keys;
  std::unique_ptr<s3::Authenticator> authenticator;
  std::unique_ptr<S3Handler> handler;
  std::unique_ptr<Housekeeping> housekeeping;
  std::unique_ptr<Scrubber> scrubber;
  std::unique_ptr<DriveWatch> drive_watch;
  std::unique_ptr<ViewWatch> view_watch;
  std::vector<std::unique_ptr<s3::HttpServer>> servers;
};

}  // namespace kura::node

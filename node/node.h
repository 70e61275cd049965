// Node: the composition root. It puts a node together from ports, in the order in which a start has
// to happen, and takes it apart again. The same class runs in production (node/server/server.cc)
// and in the simulator (sim/sim_kura_node.h): it knows no thread, socket or path.

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/bucket/committer.h"
#include "actors/disk/disk_pool.h"
#include "actors/store.h"
#include "base/loop.h"
#include "base/stream.h"
#include "journal/embedded/embedded_journal.h"
#include "node/known_drives.h"
#include "node/view_places.h"
#include "projections/metadata/snapshot.h"
#include "s3/auth/authenticator.h"
#include "s3/http/server.h"
#include "s3/op/operation.h"

namespace kura::node {

struct NodePorts {
  std::vector<Loop*> io;    // Sessions and bucket actors.
  Loop* journal = nullptr;  // Journal, committer, control, housekeeping.
  Loop* disk = nullptr;     // The pool of drives.
  Clock& clock;
  Random& random;
  std::vector<std::shared_ptr<Drive>> drives;  // At the start, in the order of the command line.
  ViewPlaces* views = nullptr;                 // Outlives the node.
  // The drive that is mounted by now in the place of one that is away; null: it is still away.
  // Empty: drives do not come back while the node runs.
  using MountedAnew =
      std::function<Task<Result<std::shared_ptr<Drive>>>(std::shared_ptr<Drive> away)>;
  MountedAnew mounted_anew;
  // Keeps others off a drive that was mounted anew, and no longer off one that is given up. Empty:
  // there are no others. Errors: exists (one has it), io_error.
  std::function<Result<void>(const Drive& drive)> claim;
  std::function<void(const Drive& drive)> release;
  // A drive of the cluster is used where its label says, for NodeOptions::before. May be empty.
  std::function<void(ClusterId cluster, const std::string& label, DriveId drive)> used;
  std::function<void(const std::string&)> log;  // One line for the operator.
  // The node cannot go on; the owner ends it and starts another one. From any thread.
  std::function<void(Error)> on_fatal;
  // A node that only reads could write after another start: a drive is back or was added, or one
  // has room again. Its owner ends it and starts another one. From any thread.
  std::function<void()> on_may_write;
};

struct NodeOptions {
  std::string root_access_key, root_secret_key;
  s3::Settings s3;
  std::optional<uint32_t> parity_standard, parity_reduced;
  uint64_t journal_segment_bytes = 0;  // 0: by the size of the drives.
  size_t journal_segments_max = 0;     // 0: by the size of the drives.
  uint64_t member_bytes = 0;           // 0: by the size of the drives.
  size_t connections_max = 16384;
  uint32_t requests_max = s3::AdmissionLimits{}.requests_max;
  // Of the bytes that requests under way hold; the process has the view's cache and 12 KiB for each
  // idle connection beside them.
  uint64_t request_memory_bytes = kGiB;
  uint64_t part_bytes_min = kPartBytesMin;
  int64_t housekeeping_ns = 1'000'000'000;
  uint64_t snapshot_chunk_bytes = kSnapshotChunkBytes;
  int64_t maintenance_ns = 1'000'000'000;
  int64_t set_idle_ns = disk::DiskPoolOptions{}.idle_ns;
  disk::ArchiveLimits archive;
  int64_t drive_check_ns = 2'000'000'000;
  int64_t drive_timeout_ns = 10'000'000'000;  // A drive that does not answer so long is offline.
  bool starts_over = false;  // The cluster is there: empty drives alone are not to become another.
  KnownDrives before;        // What the process before one that starts over had.
  int64_t scrub_interval_ns = 30LL * 86'400 * 1'000'000'000;  // From end to start; 0: never.
  bool ack_before_sync = false;  // A planted fault, for the simulator to find.
  // Of a request that ended on io loop `io`, on that loop. May be empty.
  std::function<void(size_t io, const s3::RequestLogEntry&)> request_log;
};

// How the metadata view came to be at this start.
struct ViewRecovery {
  std::string drive;           // Label of the one it is on.
  uint64_t replayed = 0;       // Records folded.
  bool from_snapshot = false;  // Of what lay before them.
  bool built_anew = false;     // There was none, or it was damaged, lost or of another log.
};

class Scrubber;

// Answers what is not S3: health, metrics, admin. None: it is S3's.
class SideHandler {
 public:
  virtual ~SideHandler() = default;
  virtual bool takes(const s3::RequestHead& head) const = 0;
  virtual Task<s3::Reply> handle(const s3::RequestHead& head, s3::BodySource& body,
                                 const s3::ConnectionInfo& connection) = 0;
};

class Node {
 public:
  Node(NodePorts ports, NodeOptions options);
  // REQUIRES: the loops do not run any more, also after a start that failed: actors, timers and
  // appends may be under way by then.
  ~Node();

  // Starts everything but the listeners: finds the cluster on the drives or creates it, recovers
  // the journal, folds the tail, claims the partitions. Where too few drives are here, or
  // too few have room, to append to the journal, the node only reads: it claims nothing and changes
  // nothing. Once, on the journal loop. Errors: one line that says what to do; unavailable (too few
  // drives to be sure what is to be read), exists (drives of two journals), corrupt, unsupported,
  // no_space, io_error, invalid_argument.
  Task<Result<void>> start();

  // Serves connections of `acceptor` on io loop `i`. On that loop.
  void serve(size_t i, std::unique_ptr<Acceptor> acceptor);
  // Ends sessions, then background work, then flushes. On the journal loop.
  Task<void> stop(int64_t drain_ns);

  // For admin/, the command line and tests. On the journal loop unless their types say otherwise.
  Store& store();
  journal::EmbeddedJournal& journal();
  disk::DiskPool& disks();
  Kv& view_kv();
  ViewPosition view_position() const;
  ViewRecovery view_recovery() const;
  // Each on its io loop.
  const std::vector<std::unique_ptr<s3::HttpServer>>& servers() const;
  Committer& committer();
  Tenants& tenants();
  Scrubber& scrubber();
  uint64_t identities_mended() const;  // Files of them, at the start.
  const NodeOptions& options() const;
  bool ready() const;  // From any thread.
  // Why nothing can be written now, for clients and operators: "read-only: ..."; empty: it can.
  std::string why_read_only() const;
  // As why_read_only(), for a node that started so: it stays so. From any thread.
  const std::string& started_read_only() const;
  // Why status calls the journal degraded, whether it takes writes or not: one line; empty: it is
  // not.
  std::string journal_degraded_reason() const;
  // Parity + 1 of the cluster's drives, or what the mirror set asks for, if that is more.
  uint32_t mirrors_wanted() const;
  void set_side_handler(SideHandler* handler);  // Before serve().
  const s3::KeyLookup& keys() const;
  s3::Authenticator& authenticator();
  std::string seal_secret(const std::string& access_key, const std::string& secret);
  // One that is empty, or of this cluster and not in use: gets an identity if it has none, and
  // joins journal and pool, in place of one that was there before. Errors: unavailable (that one
  // still serves), invalid_argument, exists. A node that only reads gives it an identity and starts
  // over. On the journal loop.
  Task<Result<DriveId>> add_drive(std::shared_ptr<Drive> drive);
  // Forgets one that is away for good. Errors: exists (it is online), not_found, unavailable (the
  // journal has no other drive for its mirror). On the journal loop.
  Task<Result<void>> remove_drive(DriveId drive);
  // The same before it changes anything.
  Result<void> check_removal(DriveId drive) const;
  // Whether the drive of that label serves.
  bool uses(const std::string& label) const;
  // As add_drive() before it changes anything: the identity that the drive has; nil: none yet.
  Task<Result<DriveId>> check_drive(std::shared_ptr<Drive> drive);
  // One round of destaging, snapshot and truncation, whether it is due or not.
  Task<Result<void>> housekeep_now();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace kura::node

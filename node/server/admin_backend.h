// The admin API's view of the running node.

#pragma once

#include "actors/tenant/control_command.h"
#include "admin/admin_handler.h"
#include "admin/backend.h"
#include "admin/request_metrics.h"
#include "base/turn.h"
#include "net/tls.h"
#include "node/node.h"
#include "node/server/config.h"
#include "node/server/drive_folders.h"
#include "node/server/process_log.h"

namespace kura::node {

inline constexpr const char kVersion[] = "0.1.0";

class NodeBackend final : public admin::Backend {
 public:
  // All references outlive it. `loop`: the node's journal loop. `scan_loop`: one that serves nobody
  // else, for passes over many rows of the view.
  NodeBackend(Node& node, const Config& config, DriveFolders& folders, Loop& loop, Loop& scan_loop,
              const admin::RequestMetrics& metrics, const ProcessLog& log);

  void set_certificate(std::shared_ptr<const TlsServerContext> tls) { tls_ = std::move(tls); }

  bool ready() const override { return node_.ready(); }
  Task<bool> takes_writes() override;
  Task<Result<admin::StatusReport>> status() override;
  Task<Result<admin::StatusReport>> counted_status() override;
  Task<Result<admin::BucketPage>> buckets(std::string after, uint32_t buckets_max) override;
  Task<Result<std::string>> add_drive(std::string path) override;
  Task<Result<std::string>> check_drive(std::string path) override;
  Task<Result<admin::DriveReport>> find_lost_drive(std::string id_or_path) override;
  Task<Result<void>> remove_drive(std::string id) override;
  Task<Result<admin::RemovalReport>> plan_removal(std::string id) override;
  Task<Result<std::vector<admin::PlaceReport>>> where(std::string bucket, std::string key) override;
  Task<Result<std::vector<admin::RecordReport>>> tail(std::optional<uint64_t> from,
                                                      uint32_t records_max) override;
  Task<Result<void>> create_key(AccessKey key, std::string secret) override;
  Task<Result<void>> disable_key(std::string access_key) override;
  Result<void> check_create_key(AccessKey key) const override;
  Result<void> check_disable_key(std::string access_key) const override;
  std::vector<AccessKey> keys() const override;
  std::vector<admin::SettingReport> settings() const override;
  Task<Result<void>> start_scrub() override;
  Task<void> wait_for_scrub() override;
  Task<Result<void>> housekeep() override;
  Task<Result<std::string>> view_digest() override;
  std::string random_text(size_t characters) override;
  std::string request_metrics() const override;

 private:
  Result<void> check_writable() const;
  Result<void> check(const ControlCommand& command) const;
  Task<bool> takes_writes_here();
  Task<Result<admin::StatusReport>> status_here();
  Task<Result<BucketCounters>> total_here();
  Task<Result<std::map<uint64_t, uint64_t>>> bytes_by_parity_here();
  Task<void> scan_totals();
  Task<Result<admin::BucketPage>> buckets_here(std::string after, uint32_t buckets_max);
  Task<Result<std::string>> view_digest_here();
  Task<Result<std::vector<admin::RecordReport>>> tail_here(std::optional<uint64_t> from,
                                                           uint32_t records_max);
  Task<Result<std::string>> add_drive_here(std::string path);
  Task<Result<std::string>> check_drive_here(std::string path);
  Task<Result<void>> check_removal_here(DriveId drive);
  Task<Result<void>> remove_drive_here(DriveId drive);
  Task<Result<void>> start_scrub_here();
  Task<bool> scrub_busy_here();

  Task<Result<Offset>> log_start_here();
  TurnQueue adding_;  // On loop_.
  Node& node_;
  std::shared_ptr<const TlsServerContext> tls_;  // Null: it serves without.
  const Config& config_;
  DriveFolders& folders_;
  Loop& loop_;
  Loop& scan_loop_;
  std::vector<Resolver<Result<BucketCounters>>> totals_wanted_;  // On scan_loop_, as scanning_.
  bool scanning_ = false;
  const admin::RequestMetrics& metrics_;
  const ProcessLog& log_;
  const int64_t started_ns_;
};

// Mounts the admin handler beside S3.
class AdminSide final : public SideHandler {
 public:
  explicit AdminSide(admin::AdminHandler& handler) : handler_(handler) {}
  bool takes(const s3::RequestHead& head) const override { return handler_.takes(head); }
  Task<s3::Reply> handle(const s3::RequestHead& head, s3::BodySource& body,
                         const s3::ConnectionInfo& connection) override {
    return handler_.handle(head, body, connection);
  }

 private:
  admin::AdminHandler& handler_;
};

}  // namespace kura::node

// Reports as JSON and as metrics. Field names are a versioned contract (apiVersion "kura/v1").

#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "admin/backend.h"

namespace kura::admin {

using Json = nlohmann::ordered_json;

// The answer with these fields: every document begins with its apiVersion.
Json document(const Json& fields);

Json scrub_json(const StatusReport& status);  // What scrubs, reads and starts found and mended.
Json to_json(const StatusReport& status);
Json to_json(const DriveReport& drive);
Json to_json(const RemovalReport& plan);
Json to_json(const BucketReport& bucket);
Json to_json(const PlaceReport& place);
Json to_json(const RecordReport& record);
Json to_json(const SettingReport& setting);
Json to_json(const AccessKey& key);  // Without its secret.

std::string metrics_text(const StatusReport& status);

}  // namespace kura::admin

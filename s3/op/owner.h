// The one account that owns every bucket and object of a cluster, until there are tenants.

#pragma once

#include <string>
#include <string_view>

#include "s3/codec/xml_writer.h"
#include "s3/op/operation.h"

namespace kura::s3 {

inline constexpr std::string_view kOwnerName = "kura";

// Like a canonical user id of AWS: 64 hex digits, of the cluster's id.
std::string owner_id(const Store& store);

// <name><ID/><DisplayName/></name>
void write_owner(XmlWriter* xml, std::string_view name, const std::string& id);

}  // namespace kura::s3

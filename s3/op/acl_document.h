// The access control list that every bucket and object has until ACLs can be set.

#pragma once

#include "s3/codec/xml_writer.h"
#include "s3/op/operation.h"

namespace kura::s3 {

// The owner has FULL_CONTROL, nobody else anything.
XmlWriter owner_acl(const Store& store);

}  // namespace kura::s3

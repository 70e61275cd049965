#include "journal/embedded/journal_status.h"

namespace kura::journal {

void JournalCounters::count_append(size_t append_records, uint64_t bytes, uint64_t took_ns) {
  ++appends;
  records += append_records;
  append_bytes += bytes;
  append_ns_sum += took_ns;
  size_t bucket = 0;
  for (uint64_t us = took_ns / 1000; us > 0 && bucket + 1 < append_us.size(); us >>= 1) ++bucket;
  ++append_us[bucket];
}

}  // namespace kura::journal

#include "projections/metadata/rows.h"
#include "projections/metadata/view_scan.h"
#include "rows.pb.h"

namespace kura {

CounterScan::CounterScan(Kv& kv) : it_(kv.iterate()) { it_->seek(std::string(1, row::kCounters)); }

Result<bool> CounterScan::step(size_t rows_max) {
  for (size_t rows = 0; rows < rows_max; ++rows, it_->next()) {
    if (!it_->valid()) {
      if (Result<void> outcome = it_->outcome(); !outcome) return fail(outcome.error());
      return true;
    }
    if (!it_->key().starts_with(row::kCounters)) return true;
    v1::CounterRow row;
    if (!row.ParseFromArray(it_->value().data(), static_cast<int>(it_->value().size())))
      return fail(Errc::corrupt, "counter row does not parse");
    total_.objects += row.objects();
    total_.versions += row.versions();
    total_.bytes += row.bytes();
    total_.uploads += row.uploads();
  }
  return false;
}

}  // namespace kura

#include "bench/report/results/row_order.h"

#include <algorithm>

namespace rpycbench {

void RowOrder::Finalize() {
  std::ranges::stable_sort(held_, {}, [this](const std::vector<Run>& runs) {
    return runs.empty() ? rows_.end() : std::ranges::find(rows_, runs.front().run_name.str());
  });
  for (const std::vector<Run>& runs : held_) inner_->ReportRuns(runs);
  inner_->Finalize();
}

}  // namespace rpycbench

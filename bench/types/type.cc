#include "bench/types/type.h"

#include <algorithm>

namespace rpycbench {

const TypeDescription& TypeTable::Find(std::string_view name) const {
  static const TypeDescription kAnyOther{};
  const auto found = std::ranges::find(types_, name, &TypeDescription::name);
  return found == types_.end() ? kAnyOther : **found;
}

}  // namespace rpycbench

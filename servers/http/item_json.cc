#include "servers/http/item_json.h"

#include <cstdint>

#include "servers/http/text.h"

namespace rpycbench::http {

void AppendItem(net::Buffer& out, const service::Item& item) {
  out.append(R"({"number":)");
  AppendNumber(out, item.number);
  out.append(R"(,"name":")");
  out.append(item.name);
  out.append(R"(","weight":)");
  AppendNumber(out, item.weight);
  out.push_back('}');
}

void AppendItems(net::Buffer& out, std::size_t count) {
  out.clear();
  out.append(R"({"items":[)");
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out.push_back(',');
    AppendItem(out, service::Item(static_cast<std::int64_t>(i)));
  }
  out.append("]}");
}

}  // namespace rpycbench::http

// The documents that carry items over HTTP: {"number":0,"name":"item 0","weight":0.5}, and
// {"items":[…]} with several of them.
#pragma once

#include <cstddef>
#include <string_view>

#include "servers/net/buffer.h"
#include "servers/service/service.h"

namespace rpycbench::http {

void AppendItem(net::Buffer& out, const service::Item& item);
// Replaces the contents of `out` by the items of the places 0 to `count` - 1.
void AppendItems(net::Buffer& out, std::size_t count);

}  // namespace rpycbench::http

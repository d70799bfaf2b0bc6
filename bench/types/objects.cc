// Objects: a list of objects with a few attributes. A Python program gets the list by reference,
// iterates over it and reads an attribute of each object, which takes three round trips for each.
// It can also fetch the references in bulk, obtain copies of all objects in one pickle, or get
// their attributes by value. HTTP's client gets each object by itself, or all in one document.
#include <string>
#include <type_traits>

#include "bench/types/call_row.h"
#include "bench/types/presets.h"
#include "bench/types/type.h"

namespace rpycbench {
namespace {

template <class Client>
void RegisterObjectRows(const Suite& suite, const ServerMode& mode) {
  for (const std::uint64_t count : ObjectCounts(suite.options, mode)) {
    const auto add = [&](const std::string& variant, auto call) {
      RegisterCallRow<Client>(
          suite, "Objects/" + std::string(mode.name) + '/' + variant + '/' + std::to_string(count),
          mode, {.warmup_calls = suite.options.warmup_requests + 1}, suite.options.requests, call,
          [count](std::uint64_t right) { return right == count; });
    };
    if constexpr (std::is_same_v<Client, RpycClient>) {
      add("attribute_each", [count](Client& client) { return client.ItemsOneByOne(count); });
      add("buffiter", [count](Client& client) { return client.ItemsBuffered(count); });
      add("obtain", [count](Client& client) { return client.ItemsObtained(count); });
      add("by_value", [count](Client& client) { return client.ItemsByValue(count); });
    } else {
      add("one_by_one", [count](Client& client) { return client.ItemsOneByOne(count); });
      add("batch", [count](Client& client) { return client.ItemsAtOnce(count); });
    }
  }
}

void RegisterObjects(const Suite& suite) {
  ForEachMode(suite.modes, [&]<class Client>(const ServerMode& mode) {
    RegisterObjectRows<Client>(suite, mode);
  });
}

}  // namespace

extern const BenchmarkType kObjectsType{
    {.name = "Objects",
     .timed = "a list of objects, until an attribute of each is read",
     .variants = "RPyC `attribute_each/<n>`, `buffiter/<n>`, `obtain/<n>`, `by_value/<n>`; HTTP "
                 "and the floor `one_by_one/<n>`, `batch/<n>`"},
    RegisterObjects};

}  // namespace rpycbench

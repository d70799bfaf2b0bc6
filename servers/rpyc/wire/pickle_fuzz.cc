// Fuzzes the reader of pickles. What can be read stays within the limits. Objects of one class that
// have the same attributes can be written, in each protocol, and are the same when read back.
#include <algorithm>
#include <optional>
#include <span>
#include <string>

#include "servers/fuzz/property.h"
#include "servers/rpyc/testing/fuzz_values.h"
#include "servers/rpyc/wire/errors.h"
#include "servers/rpyc/wire/pickle_reader.h"
#include "servers/rpyc/wire/pickle_writer.h"

namespace rpycbench::rpyc {
namespace {

using fuzz::Check;
using pickle::Attribute;
using Objects = std::span<const pickle::Object>;

constexpr pickle::ReadLimits kLimits{
    .max_objects = 50, .max_memo = 300, .max_values = 1000, .max_depth = 4};

std::optional<Objects> TryRead(pickle::ListReader& reader, std::string_view bytes) {
  try {
    return reader.Read(bytes, kLimits);
  } catch (const ProtocolError&) {
    return std::nullopt;
  }
}

bool SameAttribute(const Attribute& a, const Attribute& b) {
  return a.name == b.name && SameValue(a.value, b.value);
}

bool SameObject(const pickle::Object& a, const pickle::Object& b) {
  return a.module == b.module && a.name == b.name &&
         std::ranges::equal(a.arguments, b.arguments, SameValue) &&
         std::ranges::equal(a.attributes, b.attributes, SameAttribute);
}

// Returns whether a writer can write these objects.
bool AreWritable(Objects objects) {
  if (objects.empty()) return false;
  const pickle::Object& first = objects[0];
  // In protocols 2 and 3 names end at the end of a line.
  for (const std::string_view name : {first.module, first.name}) {
    if (name.find('\n') != name.npos) return false;
  }
  return std::ranges::all_of(objects, [&](const pickle::Object& object) {
    return object.module == first.module && object.name == first.name && object.arguments.empty() &&
           object.attributes.size() >= 2 &&
           std::ranges::equal(object.attributes, first.attributes, {}, &Attribute::name,
                              &Attribute::name);
  });
}

void CheckWritten(Objects objects, std::int64_t protocol) {
  pickle::ListWriter writer(protocol, objects[0].module, objects[0].name, objects.size());
  for (const pickle::Object& object : objects) writer.Add(object.attributes);
  const std::string written = writer.Finish();
  pickle::ListReader reader;
  // Objects that shared values may exceed the limits once each has its own.
  const Objects again = reader.Read(written);
  Check(std::ranges::equal(objects, again, SameObject), "what is written reads back as the same");
}

void Fuzz(std::string_view input) {
  pickle::ListReader reader;
  const std::optional<Objects> objects = TryRead(reader, input);
  if (!objects) return;
  Check(objects->size() <= kLimits.max_objects, "the number of objects is bounded");
  std::size_t values = 0;
  for (const pickle::Object& object : *objects) {
    values += object.arguments.size() + object.attributes.size();
  }
  Check(values <= kLimits.max_values, "the number of values is bounded");
  if (AreWritable(*objects)) {
    for (std::int64_t protocol = pickle::kOldestProtocol; protocol <= pickle::kNewestProtocol;
         ++protocol) {
      CheckWritten(*objects, protocol);
    }
  }
  pickle::ListReader other;
  Check(!TryRead(other, input.substr(0, fuzz::Hash(input) % input.size())),
        "a pickle cut short is refused");
  Check(!TryRead(other, std::string(input) + '.'), "bytes after a pickle are refused");
}

}  // namespace
}  // namespace rpycbench::rpyc

void rpycbench::fuzz::Run(std::string_view input) { rpyc::Fuzz(input); }

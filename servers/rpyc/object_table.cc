#include "servers/rpyc/object_table.h"

#include <algorithm>
#include <string>

#include "servers/rpyc/wire/vinegar.h"

namespace rpycbench::rpyc {
namespace {

// Native classes have no identity of their own on the wire, so one number serves all of them.
constexpr std::int64_t kClassId = 1;

PythonError UnknownReference(const IdPack& id) {
  constexpr std::size_t kLongestShown = 200;
  const std::string_view name = id.name.size() <= kLongestShown ? id.name : "an object";
  return {"KeyError", "no reference to " + std::string(name) + " " +
                          std::to_string(id.instance_id) + " is held"};
}

}  // namespace

ObjectTable::Entries::iterator ObjectTable::Place(std::int64_t id) {
  return std::ranges::lower_bound(entries_, id, {}, &Entry::id);
}

IdPack ObjectTable::Export(Object& object) {
  if (object.id_ == 0) object.id_ = next_id_++;
  auto entry = Place(object.id_);
  if (entry == entries_.end() || entry->id != object.id_ || !entry->object) {
    if (live_ >= max_objects_) {
      throw PythonError("RuntimeError",
                        "too many references are held: " + std::to_string(max_objects_));
    }
    if (entry == entries_.end() || entry->id != object.id_) {
      entry = entries_.insert(entry, Entry{.id = object.id_, .object = {}});
    }
    entry->object = object.shared_from_this();
    ++live_;
  }
  ++entry->count;
  ++exported_;
  return IdOf(object);
}

IdPack ObjectTable::IdOf(const Object& object) const {
  return {object.class_name(), kClassId, object.id_};
}

ObjectTable::Entry& ObjectTable::FindEntry(const IdPack& id) {
  const auto entry = Place(id.instance_id);
  if (entry == entries_.end() || entry->id != id.instance_id || !entry->object ||
      id.class_id != kClassId || id.name != entry->object->class_name()) {
    throw UnknownReference(id);
  }
  return *entry;
}

void ObjectTable::Release(const IdPack& id, std::int64_t count) {
  Entry& entry = FindEntry(id);
  if (count < 1) {
    throw PythonError("KeyError", "cannot release " + std::to_string(count) + " references");
  }
  count = std::min(count, entry.count);
  entry.count -= count;
  released_ += static_cast<std::uint64_t>(count);
  if (entry.count > 0) return;
  entry.object.reset();
  --live_;
  // Empty places are removed when most are empty, so each release pays for a constant share of the
  // work.
  constexpr std::size_t kFewPlaces = 16;
  if (entries_.size() > 2 * live_ + kFewPlaces) {
    std::erase_if(entries_, [](const Entry& place) { return !place.object; });
  }
}

}  // namespace rpycbench::rpyc

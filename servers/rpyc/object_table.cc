#include "servers/rpyc/object_table.h"

#include <string>

#include "servers/rpyc/vinegar.h"

namespace rpycbench::rpyc {
namespace {

// Native classes have no identity of their own on the wire; one number serves all of them.
constexpr std::int64_t kClassId = 1;

PythonError UnknownReference(const IdPack& id) {
  return {"KeyError", "no reference to " + std::string(id.name.substr(0, 200)) + " " +
                          std::to_string(id.instance_id) + " is held"};
}

}  // namespace

IdPack ObjectTable::Export(Object& object) {
  if (object.id_ == 0) object.id_ = next_id_++;
  auto found = entries_.find(object.id_);
  if (found == entries_.end()) {
    if (entries_.size() >= max_objects_) {
      throw PythonError("RuntimeError",
                        "too many references are held: " + std::to_string(max_objects_));
    }
    found = entries_.emplace(object.id_, Entry{object.shared_from_this(), 0}).first;
  }
  ++found->second.count;
  return IdOf(object);
}

IdPack ObjectTable::IdOf(const Object& object) const {
  return {object.class_name(), kClassId, object.id_};
}

std::shared_ptr<Object> ObjectTable::Find(const IdPack& id) const {
  const auto found = entries_.find(id.instance_id);
  if (found == entries_.end() || id.class_id != kClassId ||
      id.name != found->second.object->class_name()) {
    throw UnknownReference(id);
  }
  return found->second.object;
}

void ObjectTable::Release(const IdPack& id, std::int64_t count) {
  Find(id);
  const auto entry = entries_.find(id.instance_id);
  if (count < 1 || count > entry->second.count) {
    throw PythonError("ValueError", "cannot release " + std::to_string(count) + " of " +
                                        std::to_string(entry->second.count) + " references");
  }
  entry->second.count -= count;
  if (entry->second.count == 0) entries_.erase(entry);
}

}  // namespace rpycbench::rpyc

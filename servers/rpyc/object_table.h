// The objects of this end that the peer holds references to, with the number of references sent
// and not yet released.
#pragma once

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <unordered_map>

#include "servers/rpyc/object.h"
#include "servers/rpyc/value.h"

namespace rpycbench::rpyc {

class ObjectTable {
 public:
  explicit ObjectTable(std::size_t max_objects) : max_objects_(max_objects) {}

  // Counts one more reference and returns what identifies the object; ids are never reused.
  // Throws PythonError (RuntimeError) when the peer holds too many objects.
  IdPack Export(Object& object);
  // Throws PythonError (KeyError) if the peer holds no such reference.
  std::shared_ptr<Object> Find(const IdPack& id) const;
  // What identifies an object of this table, without counting a reference.
  IdPack IdOf(const Object& object) const;
  // Takes `count` references back; the object is forgotten at the last. Throws PythonError:
  // KeyError for an unknown reference, ValueError for a count that isn't between 1 and those held.
  void Release(const IdPack& id, std::int64_t count);

  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::shared_ptr<Object> object;
    std::int64_t count = 0;
  };

  // Recycles its nodes: exporting a method and releasing it, call by call, allocates nothing.
  std::pmr::unsynchronized_pool_resource nodes_;
  std::pmr::unordered_map<std::int64_t, Entry> entries_{&nodes_};
  std::int64_t next_id_ = 1;
  std::size_t max_objects_;
};

}  // namespace rpycbench::rpyc

// The objects of this end to which the peer holds references. For each object it counts the
// references that were sent and not yet released.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "servers/rpyc/object.h"
#include "servers/rpyc/wire/value.h"

namespace rpycbench::rpyc {

class ObjectTable {
 public:
  explicit ObjectTable(std::size_t max_objects) : max_objects_(max_objects) {}

  // Counts one more reference and returns the identity of the object. Numbers are never reused.
  // Throws PythonError (RuntimeError) if the peer holds too many objects.
  IdPack Export(Object& object);
  // Returns the object with that identity. Throws PythonError (KeyError) if the peer holds no such
  // reference.
  std::shared_ptr<Object> Find(const IdPack& id) { return FindEntry(id).object; }
  // Returns the identity of an object of this table, without counting a reference.
  IdPack IdOf(const Object& object) const;
  // Takes `count` references back, or all if fewer are held, as the Python library does. Forgets
  // the object with the last one. Throws PythonError (KeyError) for an unknown reference and for a
  // count below 1.
  void Release(const IdPack& id, std::int64_t count);

  std::size_t size() const { return live_; }
  // Return the references counted by Export and taken back by Release so far.
  std::uint64_t exported() const { return exported_; }
  std::uint64_t released() const { return released_; }

 private:
  struct Entry {
    std::int64_t id;
    std::int64_t count = 0;
    std::shared_ptr<Object> object;  // none if forgotten; the place is kept for a while
  };
  using Entries = std::vector<Entry>;

  // Returns the place where the id is or belongs.
  Entries::iterator Place(std::int64_t id);
  Entry& FindEntry(const IdPack& id);

  // Sorted by id. Ids grow, so new objects go to the end. The place of a forgotten object is reused
  // by the same object, or removed together with others. A method that is asked for and released,
  // call by call, thus allocates nothing.
  Entries entries_;
  std::size_t live_ = 0;
  std::int64_t next_id_ = 1;
  std::size_t max_objects_;
  std::uint64_t exported_ = 0;
  std::uint64_t released_ = 0;
};

}  // namespace rpycbench::rpyc

// The objects of this end that the peer holds references to, with the number of references sent
// and not yet released.
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

  // Counts one more reference and returns what identifies the object; ids are never reused.
  // Throws PythonError (RuntimeError) when the peer holds too many objects.
  IdPack Export(Object& object);
  // Throws PythonError (KeyError) if the peer holds no such reference.
  std::shared_ptr<Object> Find(const IdPack& id) { return FindEntry(id).object; }
  // What identifies an object of this table, without counting a reference.
  IdPack IdOf(const Object& object) const;
  // Takes `count` references back, or all that are held if that is less, as the Python library
  // does; the object is forgotten at the last. Throws PythonError (KeyError) for an unknown
  // reference and for a count below 1.
  void Release(const IdPack& id, std::int64_t count);

  std::size_t size() const { return live_; }
  // References counted by Export and taken back by Release so far.
  std::uint64_t exported() const { return exported_; }
  std::uint64_t released() const { return released_; }

 private:
  struct Entry {
    std::int64_t id;
    std::int64_t count = 0;
    std::shared_ptr<Object> object;  // none: forgotten, the place is kept for a while
  };
  using Entries = std::vector<Entry>;

  // Where the id is, or belongs.
  Entries::iterator Place(std::int64_t id);
  Entry& FindEntry(const IdPack& id);

  // In the order of ids. Ids grow, so new objects go to the end; places of forgotten ones are taken
  // again by the same object or swept together, so a method that is asked for and released, call
  // by call, allocates nothing.
  Entries entries_;
  std::size_t live_ = 0;
  std::int64_t next_id_ = 1;
  std::size_t max_objects_;
  std::uint64_t exported_ = 0;
  std::uint64_t released_ = 0;
};

}  // namespace rpycbench::rpyc

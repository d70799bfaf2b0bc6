// A Python list that stays on this end. The peer gets a reference and fetches item by item, as
// Python programs do with lists that they pass or return. A list and its slices hold positions
// only, so a peer cannot fill the memory with lists it keeps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "servers/rpyc/object.h"

namespace rpycbench::rpyc {

class List : public Object {
 public:
  // A plain value, or an object and its owner.
  struct Item {
    Value value;
    std::shared_ptr<Object> owner = nullptr;
  };

  std::size_t size() const { return range_.size; }
  // Returns an item. Its bytes live as long as the list, its object as long as the owner. Bytes in
  // several pieces have their list added to `pieces`.
  Item at(std::size_t index, PieceLists& pieces) const { return ItemAt(PlaceOf(index), pieces); }

  std::string_view class_name() const override { return "builtins.list"; }
  Value GetAttr(Scope& scope, std::string_view name) override;
  Value CallAttr(Scope& scope, std::string_view name, const Arguments& arguments) override;
  Value NextItems(Scope& scope, std::size_t count) override;
  std::string Repr() const override;
  // Compares the contents with another list of this end.
  Value Compare(std::string_view operation, const Value& other) const override;
  // Throws PythonError (TypeError), as the hash of every Python list does.
  std::int64_t Hash() const override;
  std::vector<std::string_view> Members() const override;

 protected:
  // The places of the items of a list or slice: every `step`-th one, beginning with `first`.
  struct Range {
    std::int64_t first;
    std::int64_t step;
    std::size_t size;
  };

  // Returns the place of an item.
  std::size_t PlaceOf(std::size_t index) const {
    return static_cast<std::size_t>(range_.first + static_cast<std::int64_t>(index) * range_.step);
  }

  // Makes a list of the places 0, 1 … `size` - 1.
  explicit List(std::size_t size) : List(Range{0, 1, size}) {}
  explicit List(const Range& range) : range_(range) {}

 private:
  // Returns the item at that place.
  virtual Item ItemAt(std::size_t place, PieceLists& pieces) const = 0;
  // Returns a list of the same items at other places.
  virtual std::shared_ptr<List> Slice(const Range& range) const = 0;
  // Returns what the items are: "byte strings".
  virtual std::string_view noun() const = 0;

  Value GetItem(Scope& scope, const Value& index);
  Value GetSlice(Scope& scope, const Value& slice);

  Range range_;
};

}  // namespace rpycbench::rpyc

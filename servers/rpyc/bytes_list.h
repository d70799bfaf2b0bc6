// A Python list of byte strings that stays on this end: the peer gets a reference and fetches item
// by item, as Python programs do with lists they pass or return.
#pragma once

#include <string_view>
#include <vector>

#include "servers/rpyc/object.h"

namespace rpycbench::rpyc {

class BytesList : public Object {
 public:
  // The bytes must outlive the list.
  explicit BytesList(std::vector<std::string_view> items) : items_(std::move(items)) {}

  const std::vector<std::string_view>& items() const { return items_; }

  std::string_view class_name() const override { return "builtins.list"; }
  Value GetAttr(Scope& scope, std::string_view name) override;
  Value CallAttr(Scope& scope, std::string_view name, const Arguments& arguments) override;
  Value NextItems(Scope& scope, std::size_t count) override;
  std::string Repr() const override;
  std::vector<std::string_view> Members() const override;

 private:
  Value GetItem(Scope& scope, const Value& index);
  Value GetSlice(Scope& scope, const Value& slice);

  std::vector<std::string_view> items_;
};

}  // namespace rpycbench::rpyc

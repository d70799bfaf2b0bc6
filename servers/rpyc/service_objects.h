// The objects that the benchmark service hands out by reference, besides lists of bytes. The Python
// original has the same ones (reference/operations.py).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "servers/rpyc/list.h"
#include "servers/rpyc/object.h"
#include "servers/service/service.h"

namespace rpycbench::rpyc {

// An object with a few attributes. It equals every other one of the same place.
class Item : public Object {
 public:
  explicit Item(std::int64_t place) : item_(place) {}

  std::string_view class_name() const override { return "operations.Item"; }
  Value GetAttr(Scope& scope, std::string_view name) override;
  Value Compare(std::string_view operation, const Value& other) const override;
  std::int64_t Hash() const override { return item_.number; }
  std::vector<std::string_view> Attributes() const override { return {"number", "name", "weight"}; }

 private:
  service::Item item_;
};

// A list of such objects, each made when the peer asks for it.
class ItemList : public List {
 public:
  explicit ItemList(std::size_t size) : List(size) {}

  // Returns what Python writes for a list of instances of the class operations.Item.
  std::string Pickle(std::int64_t protocol) const override;

 private:
  explicit ItemList(const Range& range) : List(range) {}

  List::Item ItemAt(std::size_t place, PieceLists& pieces) const override;
  std::shared_ptr<List> Slice(const Range& range) const override {
    return std::shared_ptr<List>(new ItemList(range));
  }
  std::string_view noun() const override { return "items"; }
};

// An iterator over 0, 1 … `end` - 1.
class Numbers : public Object {
 public:
  explicit Numbers(std::int64_t end) : end_(end) {}

  std::string_view class_name() const override { return "builtins.generator"; }
  Value CallAttr(Scope& scope, std::string_view name, const Arguments& arguments) override;
  Value NextItems(Scope& scope, std::size_t count) override;

 private:
  std::int64_t next_ = 0;
  std::int64_t end_;
};

// A context manager for `with`. log() returns a tuple of texts that say what happened to it.
class Block : public Object {
 public:
  std::string_view class_name() const override { return "operations.Block"; }
  Value GetAttr(Scope& scope, std::string_view name) override;
  Value CallAttr(Scope& scope, std::string_view name, const Arguments& arguments) override;
  std::vector<std::string_view> Members() const override { return {"__enter__", "log"}; }

 private:
  std::vector<std::string_view> log_;
};

}  // namespace rpycbench::rpyc

// What one end lets the other hold a reference to: a service, a bound method, a list. The peer
// acts on an object by requests; the connection finds the object and calls it here.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "servers/rpyc/wire/value.h"

namespace rpycbench::rpyc {

class Scope;

// Of one call. Keywords are tuples (name, value), checked to be such.
struct Arguments {
  std::span<const Value> positional;
  std::span<const Value> keywords;
};

// All methods throw PythonError for what the peer may not or cannot do; it becomes the answer.
// Results may point into the scope, which lives until the answer is sent.
class Object : public std::enable_shared_from_this<Object> {
 public:
  Object() = default;
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;
  virtual ~Object() = default;

  // "module.Class"; names that Python knows ("builtins.list") spare it an INSPECT.
  virtual std::string_view class_name() const = 0;

  // By default there is none, and names that start with _ are refused.
  virtual Value GetAttr(Scope& scope, std::string_view name);
  virtual Value Call(Scope& scope, const Arguments& arguments);
  // By default GetAttr and then Call.
  virtual Value CallAttr(Scope& scope, std::string_view name, const Arguments& arguments);
  // Up to `count` next items as a tuple, an empty one at the end; for iterators and lists.
  virtual Value NextItems(Scope& scope, std::size_t count);
  virtual std::string Repr() const;
  // The result of a comparison with its operator ("__eq__", "__lt__" …), NotImplemented where
  // there is none. By default objects are equal to themselves only, and have no order.
  virtual Value Compare(std::string_view operation, const Value& other) const;
  virtual std::int64_t Hash() const { return id_; }
  // The names of its methods.
  virtual std::vector<std::string_view> Members() const { return {}; }

 protected:
  // Returns what a comparison with this operator comes to, where the operands have an order.
  static Value Compared(std::string_view operation, std::strong_ordering order);

 private:
  friend class ObjectTable;
  std::int64_t id_ = 0;  // in the one connection that exports it; 0 before the first time
};

}  // namespace rpycbench::rpyc

// An object to which the other end may hold a reference: a service, a bound method, a list. The
// peer uses an object by requests; the connection finds the object and calls it here.
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

// The arguments of one call. Keywords are tuples (name, value), already checked.
struct Arguments {
  std::span<const Value> positional;
  std::span<const Value> keywords;
};

// All methods throw PythonError for what the peer may not or cannot do, and the error becomes the
// answer. Results may point into the scope, which lives until the answer is sent.
class Object : public std::enable_shared_from_this<Object> {
 public:
  Object() = default;
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;
  virtual ~Object() = default;

  // Returns "module.Class". Python needs no INSPECT for names that it knows ("builtins.list").
  virtual std::string_view class_name() const = 0;

  // Returns an attribute. By default an object has none but __doc__ and __format__, and refuses
  // names that begin with _.
  virtual Value GetAttr(Scope& scope, std::string_view name);
  // Sets an attribute. By default an object has none that can be set.
  virtual void SetAttr(Scope& scope, std::string_view name, const Value& value);
  virtual Value Call(Scope& scope, const Arguments& arguments);
  // Calls a method. By default it calls GetAttr and then Call.
  virtual Value CallAttr(Scope& scope, std::string_view name, const Arguments& arguments);
  // Returns up to `count` next items as a tuple, which is empty at the end; for iterators and
  // lists.
  virtual Value NextItems(Scope& scope, std::size_t count);
  // Returns a pickle of a copy, of the protocol that the peer asks for. By default nothing is
  // pickled: ValueError.
  virtual std::string Pickle(std::int64_t protocol) const;
  virtual std::string Repr() const;
  // Returns the result of a comparison by its operator ("__eq__", "__lt__" …), or NotImplemented if
  // there is none. By default an object equals only itself and has no order.
  virtual Value Compare(std::string_view operation, const Value& other) const;
  virtual std::int64_t Hash() const { return id_; }
  // Return the names of its methods, and of its other attributes.
  virtual std::vector<std::string_view> Members() const { return {}; }
  virtual std::vector<std::string_view> Attributes() const { return {}; }

 protected:
  // Returns the result of a comparison by this operator, for operands with an order.
  static Value Compared(std::string_view operation, std::strong_ordering order);

 private:
  friend class ObjectTable;
  std::int64_t id_ = 0;  // within the connection that exports it; 0 before the first time
};

}  // namespace rpycbench::rpyc

// For tests: objects that a peer uses by reference in every way the protocol has, besides calls and
// attributes. conformance_service.py has the same objects in Python.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "servers/rpyc/object.h"

namespace rpycbench::rpyc {

// An object that compares, hashes and prints like a number.
class Number : public Object {
 public:
  explicit Number(std::int64_t number) : number_(number) {}

  std::string_view class_name() const override { return "conformance.Number"; }
  Value Compare(std::string_view operation, const Value& other) const override;
  std::int64_t Hash() const override { return number_; }
  std::string Repr() const override { return "Number(" + std::to_string(number_) + ")"; }

 private:
  std::int64_t number_;
};

}  // namespace rpycbench::rpyc

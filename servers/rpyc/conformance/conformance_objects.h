// For tests: objects that a peer uses by reference in every way the protocol has, besides calls and
// attributes. conformance_service.py has the same objects in Python.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

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

// An iterator over 0, 1 … `end` - 1.
class Counter : public Object {
 public:
  explicit Counter(std::int64_t end) : end_(end) {}

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
  std::string_view class_name() const override { return "conformance.Block"; }
  Value GetAttr(Scope& scope, std::string_view name) override;
  Value CallAttr(Scope& scope, std::string_view name, const Arguments& arguments) override;
  std::vector<std::string_view> Members() const override { return {"__enter__", "log"}; }

 private:
  std::vector<std::string_view> log_;
};

}  // namespace rpycbench::rpyc

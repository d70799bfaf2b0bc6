// A method bound to its object. GETATTR returns one for a name that can be called.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "servers/rpyc/object.h"

namespace rpycbench::rpyc {

class Method : public Object {
 public:
  // Passes calls to `object` as CallAttr of `name`.
  Method(std::shared_ptr<Object> object, std::string_view name)
      : object_(std::move(object)), name_(name) {}

  std::string_view class_name() const override { return "builtins.method"; }
  Value Call(Scope& scope, const Arguments& arguments) override {
    return object_->CallAttr(scope, name_, arguments);
  }
  std::string Repr() const override {
    return "<bound method " + name_ + " of " + object_->Repr() + ">";
  }

 private:
  std::shared_ptr<Object> object_;
  std::string name_;
};

// Returns a new Method of `object`. It lives until the answer is sent, or as long as the peer holds
// it.
Value BindMethod(Scope& scope, Object& object, std::string_view name);

}  // namespace rpycbench::rpyc

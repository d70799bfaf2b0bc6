#include "servers/rpyc/object.h"

#include "servers/rpyc/vinegar.h"

namespace rpycbench::rpyc {
namespace {

// "Class" of "module.Class".
std::string_view ShortName(std::string_view class_name) {
  return class_name.substr(class_name.rfind('.') + 1);
}

std::string ObjectOf(const Object& object) {
  return "'" + std::string(ShortName(object.class_name())) + "' object";
}

}  // namespace

Value Object::GetAttr(Scope&, std::string_view name) {
  throw PythonError("AttributeError",
                    ObjectOf(*this) + " has no attribute '" + std::string(name) + "'");
}

Value Object::Call(Scope&, const Arguments&) {
  throw PythonError("TypeError", ObjectOf(*this) + " is not callable");
}

Value Object::CallAttr(Scope& scope, std::string_view name, const Arguments& arguments) {
  const Value attribute = GetAttr(scope, name);
  if (!attribute.is(Kind::kObject)) {
    throw PythonError("TypeError", "attribute '" + std::string(name) + "' is not callable");
  }
  return attribute.object().Call(scope, arguments);
}

Value Object::NextItems(Scope&, std::size_t) {
  throw PythonError("TypeError", ObjectOf(*this) + " is not an iterator");
}

std::string Object::Repr() const { return "<" + std::string(class_name()) + " object>"; }

}  // namespace rpycbench::rpyc

#include "servers/rpyc/object.h"

#include "servers/rpyc/connection.h"
#include "servers/rpyc/method.h"
#include "servers/rpyc/wire/vinegar.h"

namespace rpycbench::rpyc {
namespace {

// Returns "Class" for "module.Class".
std::string_view ShortName(std::string_view class_name) {
  return class_name.substr(class_name.rfind('.') + 1);
}

std::string ObjectOf(const Object& object) {
  return "'" + std::string(ShortName(object.class_name())) + "' object";
}

// Returns what format(object) and f"{object}" show. Python's objects also know no other format.
std::string Format(const Object& object, const Arguments& arguments) {
  if (arguments.positional.size() == 1 && arguments.positional[0].is(Kind::kText) &&
      arguments.positional[0].bytes().empty()) {
    return object.Repr();
  }
  throw PythonError("TypeError", ObjectOf(object) + " knows no format but the empty one");
}

}  // namespace

Value Object::GetAttr(Scope& scope, std::string_view name) {
  if (name == "__doc__") return Value::None();
  if (name == "__format__") return BindMethod(scope, *this, name);
  if (name.starts_with('_')) {
    throw PythonError("AttributeError", "cannot access '" + std::string(name) + "'");
  }
  throw PythonError("AttributeError",
                    ObjectOf(*this) + " has no attribute '" + std::string(name) + "'");
}

void Object::SetAttr(Scope&, std::string_view, const Value&) {
  throw PythonError("AttributeError", "access denied");
}

Value Object::Call(Scope&, const Arguments&) {
  throw PythonError("TypeError", ObjectOf(*this) + " is not callable");
}

Value Object::CallAttr(Scope& scope, std::string_view name, const Arguments& arguments) {
  if (name == "__format__") return Value::Text(scope.Keep(Format(*this, arguments)));
  const Value attribute = GetAttr(scope, name);
  if (!attribute.is(Kind::kObject)) {
    throw PythonError("TypeError", "attribute '" + std::string(name) + "' is not callable");
  }
  return attribute.object().Call(scope, arguments);
}

Value Object::NextItems(Scope&, std::size_t) {
  throw PythonError("TypeError", ObjectOf(*this) + " is not an iterator");
}

std::string Object::Pickle(std::int64_t) const {
  throw PythonError("ValueError", "pickling is disabled");
}

Value Object::Compare(std::string_view operation, const Value& other) const {
  const bool same = other.is(Kind::kObject) && &other.object() == this;
  if (operation == "__eq__" && same) return Value::Bool(true);
  if (operation == "__ne__" && same) return Value::Bool(false);
  return Value::NotImplemented();
}

Value Object::Compared(std::string_view operation, std::strong_ordering order) {
  if (operation == "__eq__") return Value::Bool(order == 0);
  if (operation == "__ne__") return Value::Bool(order != 0);
  if (operation == "__lt__") return Value::Bool(order < 0);
  if (operation == "__le__") return Value::Bool(order <= 0);
  if (operation == "__gt__") return Value::Bool(order > 0);
  return Value::Bool(order >= 0);
}

std::string Object::Repr() const { return "<" + std::string(class_name()) + " object>"; }

}  // namespace rpycbench::rpyc

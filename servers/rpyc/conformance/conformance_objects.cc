#include "servers/rpyc/conformance/conformance_objects.h"

namespace rpycbench::rpyc {

Value Number::Compare(std::string_view operation, const Value& other) const {
  const auto* number = other.is(Kind::kObject) ? dynamic_cast<Number*>(&other.object()) : nullptr;
  if (number == nullptr) return Value::NotImplemented();
  return Compared(operation, number_ <=> number->number_);
}

}  // namespace rpycbench::rpyc

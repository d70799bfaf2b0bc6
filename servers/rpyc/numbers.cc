#include "servers/rpyc/numbers.h"

#include <optional>
#include <string>
#include <string_view>

#include "servers/rpyc/connection.h"

namespace rpycbench::rpyc {
namespace {

std::optional<std::int64_t> OwnInteger(const Value& value) {
  if (value.is(Kind::kInt)) return value.integer();
  if (value.is(Kind::kBool)) return value.boolean() ? 1 : 0;
  if (value.is(Kind::kBigInt)) {
    // An integer beyond 64 bits exceeds every limit of the service.
    throw PythonError("ValueError", "out of range: " + std::string(value.bytes().substr(0, 40)));
  }
  return std::nullopt;
}

// Asks the owner of the reference. Returns nothing if it has no such method.
std::optional<Reply> Ask(Scope& scope, const Value& value, std::string_view method) {
  if (!value.is(Kind::kNetref)) return std::nullopt;
  try {
    return scope.connection().CallAttr(value, method);
  } catch (const PythonError& error) {
    if (!error.is("AttributeError")) throw;
    return std::nullopt;
  }
}

}  // namespace

std::int64_t IntegerOf(Scope& scope, const Value& value) {
  if (const auto integer = OwnInteger(value)) return *integer;
  if (const auto answer = Ask(scope, value, "__index__")) {
    if (const auto integer = OwnInteger(answer->value())) return *integer;
    throw PythonError("TypeError", "__index__ returned no int");
  }
  throw PythonError("TypeError", "an integer is required");
}

double NumberOf(Scope& scope, const Value& value) {
  if (value.is(Kind::kFloat)) return value.real();
  if (const auto answer = Ask(scope, value, "__float__")) {
    if (answer->value().is(Kind::kFloat)) return answer->value().real();
    throw PythonError("TypeError", "__float__ returned no float");
  }
  return static_cast<double>(IntegerOf(scope, value));
}

}  // namespace rpycbench::rpyc

#include "servers/rpyc/conformance/conformance_root.h"

#include <algorithm>
#include <memory>
#include <string>

#include "servers/rpyc/conformance/conformance_objects.h"
#include "servers/rpyc/connection.h"
#include "servers/rpyc/method.h"
#include "servers/rpyc/service_objects.h"
#include "servers/rpyc/wire/vinegar.h"

namespace rpycbench::rpyc {
namespace {

// The arguments of one operation. A wrong argument raises TypeError at the peer.
class Given {
 public:
  explicit Given(const Arguments& arguments) : arguments_(arguments) {}

  const Value& at(std::size_t index) const {
    if (index < arguments_.positional.size()) return arguments_.positional[index];
    throw PythonError("TypeError", "an argument is missing");
  }
  std::int64_t integer(std::size_t index) const { return Expect(at(index), Kind::kInt).integer(); }
  std::string_view text(std::size_t index) const { return Expect(at(index), Kind::kText).bytes(); }
  std::span<const Value> tuple(std::size_t index) const {
    return Expect(at(index), Kind::kTuple).items();
  }
  std::span<const Value> from(std::size_t index) const {
    if (index > 0) at(index - 1);
    return arguments_.positional.subspan(index);
  }
  std::span<const Value> keywords() const { return arguments_.keywords; }

  static const Value& Expect(const Value& value, Kind kind) {
    if (value.is(kind)) return value;
    throw PythonError("TypeError", "an argument or result is of the wrong type");
  }

 private:
  const Arguments& arguments_;
};

Reply CallBack(Scope& scope, const Value& function, std::span<const Value> positional,
               std::span<const Value> keywords = {}) {
  const Value request[] = {function, Value::Tuple(positional), Value::Tuple(keywords)};
  return scope.connection().Request(Handler::kCall, request);
}

Value TupleOf(Scope& scope, std::initializer_list<Value> values) {
  const std::span<Value> items = scope.Tuple(values.size());
  std::ranges::copy(values, items.begin());
  return Value::Tuple(items);
}

Value Throw(const Given& with) {
  const std::string_view name = with.text(0);
  const std::size_t dot = name.rfind('.');
  const bool builtin = dot == std::string_view::npos;
  throw PythonError(builtin ? "builtins" : name.substr(0, dot),
                    builtin ? name : name.substr(dot + 1), with.tuple(1), with.tuple(2));
}

Value Catch(Scope& scope, const Given& with) {
  try {
    CallBack(scope, with.at(0), with.from(1));
  } catch (const PythonError& error) {
    const std::span<Value> attributes = scope.Tuple(error.attributes().size());
    std::ranges::transform(error.attributes(), attributes.begin(),
                           [&](const std::string& pair) { return Value::Bytes(scope.Keep(pair)); });
    return TupleOf(scope,
                   {Value::Text(scope.Keep(error.module())), Value::Text(scope.Keep(error.type())),
                    Value::Bytes(scope.Keep(error.arguments())), Value::Tuple(attributes),
                    Value::Text(scope.Keep(error.traceback()))});
  }
  return Value::None();
}

Value Descend(Scope& scope, const Given& with) {
  if (with.integer(0) == 0) return Value::Int(0);
  const Value below[] = {Value::Int(with.integer(0) - 1)};
  const Reply depth = CallBack(scope, with.at(1), below);
  return Value::Int(1 + Given::Expect(depth.value(), Kind::kInt).integer());
}

Value Collect(Scope& scope, const Given& with) {
  Connection& connection = scope.connection();
  const Reply iterator = connection.CallAttr(with.at(0), "__iter__");
  std::vector<Value> items;
  try {
    for (;;) items.push_back(scope.Keep(connection.CallAttr(iterator.value(), "__next__")));
  } catch (const PythonError& end) {
    if (!end.is("StopIteration")) throw;
  }
  const std::span<Value> tuple = scope.Tuple(items.size());
  std::ranges::copy(items, tuple.begin());
  return Value::Tuple(tuple);
}

struct Operation {
  std::string_view name;
  Value (*run)(ConformanceRoot&, Scope&, const Given& with);
};

using Root = ConformanceRoot;

constexpr Operation kOperations[] = {
    {"arguments",
     [](Root&, Scope& scope, const Given& with) {
       return TupleOf(scope, {Value::Tuple(with.from(0)), Value::Tuple(with.keywords())});
     }},
    {"block",
     [](Root&, Scope& scope, const Given&) { return scope.Keep(std::make_shared<Block>()); }},
    {"call",
     [](Root&, Scope& scope, const Given& with) {
       return scope.Keep(CallBack(scope, with.at(0), with.from(1), with.keywords()));
     }},
    {"catch", [](Root&, Scope& scope, const Given& with) { return Catch(scope, with); }},
    {"collect", [](Root&, Scope& scope, const Given& with) { return Collect(scope, with); }},
    {"count",
     [](Root&, Scope& scope, const Given& with) {
       return scope.Keep(std::make_shared<Numbers>(with.integer(0)));
     }},
    {"descend", [](Root&, Scope& scope, const Given& with) { return Descend(scope, with); }},
    {"hang_up",
     [](Root& root, Scope& scope, const Given&) {
       scope.connection().SendClose();
       root.socket().ShutdownSend();
       return Value::None();
     }},
    {"held",
     [](Root&, Scope& scope, const Given&) {
       return Value::Int(static_cast<std::int64_t>(scope.connection().objects().size()));
     }},
    {"number",
     [](Root&, Scope& scope, const Given& with) {
       return scope.Keep(std::make_shared<Number>(with.integer(0)));
     }},
    {"request",
     [](Root&, Scope& scope, const Given& with) {
       const auto handler = static_cast<Handler>(with.integer(0));
       return scope.Keep(scope.connection().Request(handler, with.from(1)));
     }},
    {"throw", [](Root&, Scope&, const Given& with) { return Throw(with); }},
    {"vanish",
     [](Root& root, Scope&, const Given&) {
       root.socket().ShutdownBoth();
       return Value::None();
     }},
};

constexpr std::string_view kAttribute = "answer";

std::string_view WithoutPrefix(std::string_view name) {
  constexpr std::string_view kPrefix = "exposed_";
  return name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
}

const Operation* Find(std::string_view name) {
  const auto found = std::ranges::find(kOperations, WithoutPrefix(name), &Operation::name);
  return found == std::end(kOperations) ? nullptr : found;
}

}  // namespace

Value ConformanceRoot::GetAttr(Scope& scope, std::string_view name) {
  if (const Operation* operation = Find(name)) return BindMethod(scope, *this, operation->name);
  if (WithoutPrefix(name) == kAttribute) return Value::Int(42);
  return Object::GetAttr(scope, name);
}

Value ConformanceRoot::CallAttr(Scope& scope, std::string_view name, const Arguments& arguments) {
  const Operation* operation = Find(name);
  return operation == nullptr ? Object::CallAttr(scope, name, arguments)
                              : operation->run(*this, scope, Given(arguments));
}

std::vector<std::string_view> ConformanceRoot::Members() const {
  std::vector<std::string_view> names;
  for (const Operation& operation : kOperations) names.push_back(operation.name);
  return names;
}

}  // namespace rpycbench::rpyc

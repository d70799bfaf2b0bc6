#include "servers/rpyc/benchmark_root.h"

#include <algorithm>
#include <array>
#include <string>

#include "servers/rpyc/bytes_list.h"
#include "servers/rpyc/connection.h"
#include "servers/rpyc/method.h"
#include "servers/rpyc/numbers.h"
#include "servers/rpyc/service_objects.h"
#include "servers/rpyc/wire/vinegar.h"

namespace rpycbench::rpyc {
namespace {

constexpr std::string_view kPrefix = "exposed_";
constexpr std::string_view kCrash = "crash";
constexpr std::string_view kValue = "value";
constexpr std::string_view kSetting = "setting";

std::string_view WithoutPrefix(std::string_view name) {
  return name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
}

std::string Quoted(std::string_view name) { return "'" + std::string(name) + "'"; }

// Returns len(value) as Python defines it. The owner of a peer's object is asked for its length.
std::int64_t LengthOf(Scope& scope, const Value& value) {
  switch (value.kind()) {
    case Kind::kBytes:
      return static_cast<std::int64_t>(value.bytes().size());
    case Kind::kText:
      return std::ranges::count_if(value.bytes(), [](char c) { return (c & 0xc0) != 0x80; });
    case Kind::kTuple:
    case Kind::kFrozenSet:
      return static_cast<std::int64_t>(value.items().size());
    case Kind::kNetref: {
      const Reply answer = scope.connection().CallAttr(value, "__len__");
      const std::int64_t length = IntegerOf(scope, answer.value());
      if (length < 0) throw PythonError("ValueError", "__len__() should return >= 0");
      return length;
    }
    default:
      throw PythonError("TypeError", "the object has no len()");
  }
}

std::int64_t LengthOfUpload(const service::Service& service, Scope& scope, const Value& value) {
  const std::int64_t length = LengthOf(scope, value);
  service.CheckUpload(length);
  return length;
}

// Returns the sum of the lengths of all items. The items of a peer's list are fetched one by one,
// and no more of them than a file may have.
std::int64_t LengthOfItems(const service::Service& service, Scope& scope, const Value& items) {
  std::int64_t total = 0;
  std::int64_t count = 0;
  const auto add = [&](const Value& item) {
    service.CheckChunks(++count);
    const std::int64_t length = LengthOf(scope, item);
    service.CheckUpload(length);
    total += length;  // both are far below the limit of 64 bits
    service.CheckUpload(total);
  };
  if (items.is(Kind::kTuple) || items.is(Kind::kFrozenSet)) {
    for (const Value& item : items.items()) add(item);
    return total;
  }
  if (!items.is(Kind::kNetref)) throw PythonError("TypeError", "the object is not iterable");
  Connection& connection = scope.connection();
  const Reply iterator = connection.CallAttr(items, "__iter__");
  try {
    for (;;) {
      const Reply item = connection.CallAttr(iterator.value(), "__next__");
      add(item.value());
    }
  } catch (const PythonError& end) {
    if (!end.is("StopIteration")) throw;
  }
  return total;
}

Value BytesOf(Scope& scope, const service::Payload& payload) {
  std::vector<iovec>& pieces = scope.Pieces();
  payload.AppendPieces(pieces);
  return Value::Pieces(pieces);
}

// Returns a tuple of `count` tuples (number, name, weight).
Value ItemsByValue(const service::Service& service, Scope& scope, std::int64_t count) {
  const std::span<Value> items = scope.Tuple(service.CheckedCount(count));
  for (std::size_t i = 0; i < items.size(); ++i) {
    service::Item item(static_cast<std::int64_t>(i));
    const std::span<Value> parts = scope.Tuple(3);
    parts[0] = Value::Int(item.number);
    parts[1] = Value::Text(scope.Keep(std::move(item.name)));
    parts[2] = Value::Float(item.weight);
    items[i] = Value::PlainTuple(parts);
  }
  return Value::PlainTuple(items);
}

// Returns function(number) as an integer, of a function of either end.
std::int64_t ResultOf(Scope& scope, const Value& function, std::int64_t number) {
  const Value arguments[] = {Value::Int(number)};
  if (function.is(Kind::kObject)) {
    return IntegerOf(scope, function.object().Call(scope, {arguments, {}}));
  }
  if (!function.is(Kind::kNetref)) throw PythonError("TypeError", "the object is not callable");
  return IntegerOf(scope, scope.connection().Call(function, arguments).value());
}

// Calls the function with 0, 1 … `count` - 1, one after another. Returns the sum of the results.
Value CallBack(const service::Service& service, Scope& scope, const Value& function,
               std::int64_t count) {
  const auto calls = static_cast<std::int64_t>(service.CheckedCount(count));
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < calls; ++i) {
    if (__builtin_add_overflow(sum, ResultOf(scope, function, i), &sum)) {
      throw PythonError("OverflowError", "the sum exceeds 64 bits");
    }
  }
  return Value::Int(sum);
}

// An operation: its name, its parameters and its body. Attribute access, calls and INSPECT share
// one table of operations.
struct Operation {
  std::string_view name;
  std::array<std::string_view, 2> parameters;
  Value (*run)(const service::Service&, Scope&, std::span<const Value> arguments);

  std::size_t arity() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        parameters, [](std::string_view parameter) { return !parameter.empty(); }));
  }
};

using Service = service::Service;
using Bound = std::span<const Value>;

constexpr Operation kOperations[] = {
    {"ping", {}, [](const Service& service, Scope&, Bound) { return Value::Text(service.Ping()); }},
    {"echo",
     {"data"},
     [](const Service& service, Scope&, Bound with) {
       if (with[0].is(Kind::kBytes) || with[0].is(Kind::kText)) {
         service.CheckUpload(static_cast<std::int64_t>(with[0].bytes().size()));
       }
       return with[0];
     }},
    {"upload",
     {"data"},
     [](const Service& service, Scope& scope, Bound with) {
       return Value::Int(LengthOfUpload(service, scope, with[0]));
     }},
    {"download",
     {"size"},
     [](const Service& service, Scope& scope, Bound with) {
       return BytesOf(scope, service.Download(IntegerOf(scope, with[0])));
     }},
    {"compute",
     {"n"},
     [](const Service& service, Scope& scope, Bound with) {
       return Value::Int(service.Compute(IntegerOf(scope, with[0])));
     }},
    {"sleep",
     {"duration"},
     [](const Service& service, Scope& scope, Bound with) {
       service.Sleep(NumberOf(scope, with[0]));
       return with[0];
     }},
    {"upload_file",
     {"data"},
     [](const Service& service, Scope& scope, Bound with) {
       return Value::Int(LengthOfUpload(service, scope, with[0]));
     }},
    {"download_file",
     {"size"},
     [](const Service& service, Scope& scope, Bound with) {
       return BytesOf(scope, service.DownloadFile(IntegerOf(scope, with[0])));
     }},
    {"upload_file_chunked",
     {"chunks"},
     [](const Service& service, Scope& scope, Bound with) {
       return Value::Int(LengthOfItems(service, scope, with[0]));
     }},
    {"download_file_chunked",
     {"size", "chunk_size"},
     [](const Service& service, Scope& scope, Bound with) {
       return scope.Keep(std::make_shared<BytesList>(
           service.DownloadFileChunked(IntegerOf(scope, with[0]), IntegerOf(scope, with[1]))));
     }},
    {"fail", {}, [](const Service& service, Scope&, Bound) -> Value { service.Fail(); }},
    {"items",
     {"count"},
     [](const Service& service, Scope& scope, Bound with) {
       return scope.Keep(
           std::make_shared<ItemList>(service.CheckedCount(IntegerOf(scope, with[0]))));
     }},
    {"items_by_value",
     {"count"},
     [](const Service& service, Scope& scope, Bound with) {
       return ItemsByValue(service, scope, IntegerOf(scope, with[0]));
     }},
    {"call_back",
     {"function", "count"},
     [](const Service& service, Scope& scope, Bound with) {
       return CallBack(service, scope, with[0], IntegerOf(scope, with[1]));
     }},
    {"numbers",
     {"count"},
     [](const Service& service, Scope& scope, Bound with) {
       const std::size_t count = service.CheckedCount(IntegerOf(scope, with[0]));
       return scope.Keep(std::make_shared<Numbers>(static_cast<std::int64_t>(count)));
     }},
    {"block",
     {},
     [](const Service&, Scope& scope, Bound) { return scope.Keep(std::make_shared<Block>()); }},
    {kCrash, {}, [](const Service& service, Scope&, Bound) -> Value { service.Crash(); }},
    {"get_service_name",
     {},
     [](const Service&, Scope&, Bound) { return Value::Text("BENCHMARK"); }},
    {"get_service_aliases",
     {},
     [](const Service&, Scope& scope, Bound) {
       const std::span<Value> names = scope.Tuple(1);
       names[0] = Value::Text("BENCHMARK");
       return Value::Tuple(names);
     }},
};

// Returns whether the service offers the operation.
bool Offers(const Service& service, const Operation& operation) {
  return operation.name != kCrash || service.crash_allowed();
}

// Returns the operation with that name, with or without the prefix, or nullptr.
const Operation* FindOperation(const Service& service, std::string_view name) {
  const auto found = std::ranges::find(kOperations, WithoutPrefix(name), &Operation::name);
  return found == std::end(kOperations) || !Offers(service, *found) ? nullptr : found;
}

// Returns the positional and keyword arguments in the order of the operation's parameters. Throws
// PythonError (TypeError) if they do not match.
std::span<const Value> Bind(Scope& scope, const Operation& operation, const Arguments& arguments) {
  const std::size_t arity = operation.arity();
  const std::size_t given = arguments.positional.size();
  const auto complain = [&](const std::string& what) {
    throw PythonError("TypeError", std::string(operation.name) + "() " + what);
  };
  if (given > arity) {
    complain("takes " + std::to_string(arity) + " arguments but " + std::to_string(given) +
             " were given");
  }
  if (given == arity && arguments.keywords.empty()) return arguments.positional;
  const std::span<Value> bound = scope.Tuple(arity);
  std::array<bool, 2> filled{};
  for (std::size_t i = 0; i < given; ++i) {
    bound[i] = arguments.positional[i];
    filled[i] = true;
  }
  for (const Value& keyword : arguments.keywords) {
    const std::string_view name = keyword.items()[0].bytes();
    const auto index = static_cast<std::size_t>(std::ranges::find(operation.parameters, name) -
                                                operation.parameters.begin());
    if (name.empty() || index >= arity) {
      complain("got an unexpected keyword argument " + Quoted(name));
    }
    if (filled[index]) complain("got multiple values for argument " + Quoted(name));
    bound[index] = keyword.items()[1];
    filled[index] = true;
  }
  for (std::size_t i = 0; i < arity; ++i) {
    if (!filled[i]) complain("missing required argument: " + Quoted(operation.parameters[i]));
  }
  return bound;
}

}  // namespace

Value BenchmarkRoot::GetAttr(Scope& scope, std::string_view name) {
  const Operation* operation = FindOperation(service_, name);
  if (operation == nullptr) {
    if (WithoutPrefix(name) == kValue) return Value::Int(service::kValue);
    if (WithoutPrefix(name) == kSetting) return Value::Int(setting_);
    return Object::GetAttr(scope, name);
  }
  if (methods_.empty()) methods_.resize(std::size(kOperations));
  auto& method = methods_[static_cast<std::size_t>(operation - kOperations)];
  // The method must not own the root that owns it. Both live as long as the connection.
  if (!method) {
    method = std::make_shared<Method>(std::shared_ptr<Object>(std::shared_ptr<void>(), this),
                                      operation->name);
  }
  return Value::Local(*method);
}

void BenchmarkRoot::SetAttr(Scope& scope, std::string_view name, const Value& value) {
  if (WithoutPrefix(name) != kSetting) return Object::SetAttr(scope, name, value);
  setting_ = IntegerOf(scope, value);
}

Value BenchmarkRoot::CallAttr(Scope& scope, std::string_view name, const Arguments& arguments) {
  const Operation* operation = FindOperation(service_, name);
  if (operation == nullptr) return Object::CallAttr(scope, name, arguments);
  if (const service::Injection& injection = service_.injection()) [[unlikely]] {
    injection.Apply();
    if (injection.lengthens_replies()) scope.LengthenReply();
  }
  try {
    return operation->run(service_, scope, Bind(scope, *operation, arguments));
  } catch (const service::ValueError& error) {
    throw PythonError("ValueError", error.what());
  }
}

std::vector<std::string_view> BenchmarkRoot::Members() const {
  std::vector<std::string_view> names;
  for (const Operation& operation : kOperations) {
    if (Offers(service_, operation)) names.push_back(operation.name);
  }
  return names;
}

std::vector<std::string_view> BenchmarkRoot::Attributes() const { return {kSetting, kValue}; }

}  // namespace rpycbench::rpyc

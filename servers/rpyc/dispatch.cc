#include "servers/rpyc/dispatch.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <string>

#include "servers/rpyc/boxing.h"
#include "servers/rpyc/numbers.h"
#include "servers/rpyc/wire/utf8.h"

namespace rpycbench::rpyc {
namespace {

// BUFFITER returns at most this many items. Python asks for 1,000 at most.
constexpr std::int64_t kMostItems = 65'536;
constexpr std::size_t kLongestName = 1000;  // in bytes

// The arguments of one request, with Python's errors about wrong ones.
class Parameters {
 public:
  Parameters(std::span<const Value> arguments, std::size_t least, std::size_t most)
      : arguments_(arguments) {
    if (arguments.size() < least || arguments.size() > most) {
      throw PythonError("TypeError", "the handler takes " + std::to_string(least) + " to " +
                                         std::to_string(most) + " arguments, not " +
                                         std::to_string(arguments.size()));
    }
  }

  const Value& operator[](std::size_t index) const { return arguments_[index]; }
  bool has(std::size_t index) const { return index < arguments_.size(); }

  Object& object(std::size_t index) const {
    if (!arguments_[index].is(Kind::kObject)) {
      throw PythonError("TypeError", "the handler takes an object of this end");
    }
    return arguments_[index].object();
  }

  std::string_view name(std::size_t index) const {
    const Value& value = arguments_[index];
    if (!value.is(Kind::kText) && !value.is(Kind::kBytes)) {
      throw PythonError("TypeError", "attribute names are texts");
    }
    return Checked(value.bytes());
  }

  std::int64_t integer(std::size_t index, std::int64_t otherwise) const {
    if (!has(index)) return otherwise;
    if (!arguments_[index].is(Kind::kInt)) {
      throw PythonError("TypeError", "the handler takes an integer");
    }
    return arguments_[index].integer();
  }

  std::span<const Value> tuple(std::size_t index) const {
    if (!arguments_[index].is(Kind::kTuple)) {
      throw PythonError("TypeError", "call arguments are a tuple");
    }
    return arguments_[index].items();
  }

  // Returns the arguments of a call: positional ones at `index`, keywords after them.
  Arguments call(std::size_t index) const {
    Arguments call{tuple(index), has(index + 1) ? tuple(index + 1) : std::span<const Value>()};
    for (const Value& keyword : call.keywords) {
      if (!keyword.is(Kind::kTuple) || keyword.items().size() != 2 ||
          !keyword.items()[0].is(Kind::kText)) {
        throw PythonError("TypeError", "keyword arguments are pairs of name and value");
      }
      Checked(keyword.items()[0].bytes());
    }
    return call;
  }

 private:
  // Error messages repeat names. Names must therefore be short, and UTF-8 even if they came as
  // bytes.
  static std::string_view Checked(std::string_view name) {
    if (name.size() > kLongestName || !IsUtf8(name)) {
      throw PythonError("ValueError", "a name is too long or not UTF-8");
    }
    return name;
  }

  std::span<const Value> arguments_;
};

Value Inspect(Scope& scope, const Object& object) {
  const std::vector<std::string_view> members = object.Members();
  const std::span<Value> items = scope.Tuple(members.size());
  for (std::size_t i = 0; i < members.size(); ++i) {
    const std::span<Value> pair = scope.Tuple(2);
    pair[0] = Value::Text(members[i]);
    items[i] = Value::Tuple(pair);  // None for the doc string
  }
  return Value::Tuple(items);
}

Value Dir(Scope& scope, const Object& object) {
  std::vector<std::string_view> members = object.Members();
  std::ranges::copy(object.Attributes(), std::back_inserter(members));
  std::sort(members.begin(), members.end());
  const std::span<Value> items = scope.Tuple(members.size());
  std::transform(members.begin(), members.end(), items.begin(), Value::Text);
  return Value::Tuple(items);
}

Value Compare(const Object& object, const Value& other, std::string_view operation) {
  constexpr std::string_view kComparisons[] = {"__eq__", "__ne__", "__lt__",
                                               "__le__", "__gt__", "__ge__"};
  if (std::ranges::find(kComparisons, operation) == std::end(kComparisons)) {
    throw PythonError("AttributeError", "cannot access '" + std::string(operation) + "'");
  }
  return object.Compare(operation, other);
}

// Performs `object[start:stop]` for Python 2 programs. Calls the method `item` with a slice. If
// that is refused, calls the method `slice` with both bounds.
Value OldSlicing(Scope& scope, Object& object, std::string_view item, std::string_view slice,
                 std::span<const Value> bounds, std::span<const Value> further) {
  const std::span<Value> parts = scope.Tuple(3);
  std::ranges::transform(bounds, parts.begin(), [&](const Value& bound) {
    // A slice crosses by copy, so it cannot contain references, and a list could not use them.
    return bound.plain() ? bound : Value::Int(IntegerOf(scope, bound));
  });
  const std::span<Value> call = scope.Tuple(1 + further.size());
  call[0] = Value::Slice(parts.first<3>());
  std::ranges::copy(further, call.begin() + 1);
  try {
    return object.CallAttr(scope, item, {call, {}});
  } catch (const PythonError&) {
    // Refused.
  }
  constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();
  const std::span<Value> both = scope.Tuple(2 + further.size());
  both[0] = bounds[0];
  both[1] = bounds[1].is(Kind::kNone) ? Value::Int(kEnd) : bounds[1];
  std::ranges::copy(further, both.begin() + 2);
  return object.CallAttr(scope, slice, {both, {}});
}

}  // namespace

Value Dispatch(Scope& scope, ObjectTable& objects, const std::shared_ptr<Object>& root,
               Handler handler, std::span<const Value> arguments) {
  const auto take = [&](std::size_t least, std::size_t most) {
    return Parameters(arguments, least, most);
  };
  switch (handler) {
    case Handler::kPing:
      return take(1, 1)[0];
    case Handler::kGetRoot:
      take(0, 0);
      if (!root) throw PythonError("AttributeError", "this end has no service");
      return Value::Local(*root);
    case Handler::kGetAttr: {
      const auto with = take(2, 2);
      return with.object(0).GetAttr(scope, with.name(1));
    }
    case Handler::kSetAttr: {
      const auto with = take(3, 3);
      with.object(0).SetAttr(scope, with.name(1), with[2]);
      return Value::None();
    }
    case Handler::kDelAttr:
      throw PythonError("AttributeError", "access denied");
    case Handler::kCall: {
      const auto with = take(2, 3);
      return with.object(0).Call(scope, with.call(1));
    }
    case Handler::kCallAttr: {
      const auto with = take(3, 4);
      return with.object(0).CallAttr(scope, with.name(1), with.call(2));
    }
    case Handler::kRepr:
    case Handler::kStr:
      return Value::Text(scope.Keep(take(1, 1).object(0).Repr()));
    case Handler::kCmp: {
      const auto with = take(2, 3);
      return Compare(with.object(0), with[1], with.has(2) ? with.name(2) : "__cmp__");
    }
    case Handler::kHash:
      return Value::Int(take(1, 1).object(0).Hash());
    case Handler::kDir:
      return Dir(scope, take(1, 1).object(0));
    case Handler::kPickle: {
      const auto with = take(2, 2);
      return Value::Bytes(scope.Keep(with.object(0).Pickle(with.integer(1, 0))));
    }
    case Handler::kDel: {
      const auto with = take(1, 2);
      const IdPack id = objects.IdOf(with.object(0));
      objects.Release(id, with.integer(1, 1));
      return Value::None();
    }
    case Handler::kInspect:
      return Inspect(scope, *objects.Find(ReadIdPack(take(1, 1)[0])));
    case Handler::kBuffIter: {
      const auto with = take(2, 2);
      const std::int64_t count = std::clamp<std::int64_t>(with.integer(1, 0), 0, kMostItems);
      return with.object(0).NextItems(scope, static_cast<std::size_t>(count));
    }
    case Handler::kCtxExit: {
      const auto with = take(2, 2);
      // __exit__ takes the type, value and traceback of the exception. Only the first of them
      // crosses.
      const std::span<Value> exception = scope.Tuple(3);
      exception[0] = with[1];
      return with.object(0).CallAttr(scope, "__exit__", {exception, {}});
    }
    case Handler::kInstanceCheck:
      take(2, 2);
      return Value::Bool(false);
    case Handler::kOldSlicing: {
      const auto with = take(6, 6);
      return OldSlicing(scope, with.object(0), with.name(1), with.name(2), arguments.subspan(3, 2),
                        with.tuple(5));
    }
    case Handler::kClose:
      break;
  }
  throw std::logic_error("CLOSE has no answer");
}

}  // namespace rpycbench::rpyc

#include "servers/rpyc/service_objects.h"

#include <algorithm>
#include <memory>

#include "servers/rpyc/connection.h"
#include "servers/rpyc/method.h"
#include "servers/rpyc/wire/pickle_writer.h"

namespace rpycbench::rpyc {
namespace {

// A peer may keep a block and use it again and again.
constexpr std::size_t kMostEntries = 1'000;

}  // namespace

Value Item::GetAttr(Scope& scope, std::string_view name) {
  if (name == "number") return Value::Int(item_.number);
  if (name == "name") return Value::Text(item_.name);
  if (name == "weight") return Value::Float(item_.weight);
  return Object::GetAttr(scope, name);
}

Value Item::Compare(std::string_view operation, const Value& other) const {
  const auto* item = other.is(Kind::kObject) ? dynamic_cast<Item*>(&other.object()) : nullptr;
  if (item == nullptr || (operation != "__eq__" && operation != "__ne__")) {
    return Value::NotImplemented();
  }
  return Compared(operation, item_.number <=> item->item_.number);
}

List::Item ItemList::ItemAt(std::size_t place, PieceLists&) const {
  auto item = std::make_shared<rpyc::Item>(static_cast<std::int64_t>(place));
  return {Value::Local(*item), item};
}

std::string ItemList::Pickle(std::int64_t protocol) const {
  if (protocol < 0) protocol = pickle::kNewestProtocol;  // as in Python
  if (protocol > pickle::kNewestProtocol || protocol < pickle::kOldestProtocol) {
    throw PythonError("ValueError",
                      "pickle protocol must be 2 to 5, not " + std::to_string(protocol));
  }
  pickle::ListWriter writer(protocol, "operations", "Item", size());
  for (std::size_t i = 0; i < size(); ++i) {
    const service::Item item(static_cast<std::int64_t>(PlaceOf(i)));
    const pickle::Attribute attributes[] = {{"number", Value::Int(item.number)},
                                            {"name", Value::Text(item.name)},
                                            {"weight", Value::Float(item.weight)}};
    writer.Add(attributes);
  }
  return writer.Finish();
}

Value Numbers::CallAttr(Scope& scope, std::string_view name, const Arguments& arguments) {
  if (name == "__iter__") return Value::Local(*this);
  if (name != "__next__") return Object::CallAttr(scope, name, arguments);
  if (next_ == end_) throw PythonError::StopIteration();
  return Value::Int(next_++);
}

Value Numbers::NextItems(Scope& scope, std::size_t count) {
  const auto left = static_cast<std::size_t>(end_ - next_);
  const std::span<Value> items = scope.Tuple(std::min(count, left));
  for (Value& item : items) item = Value::Int(next_++);
  return Value::Tuple(items);
}

Value Block::GetAttr(Scope& scope, std::string_view name) {
  if (name == "__enter__" || name == "__exit__" || name == "log") {
    return BindMethod(scope, *this, name);
  }
  return Object::GetAttr(scope, name);
}

Value Block::CallAttr(Scope& scope, std::string_view name, const Arguments& arguments) {
  if (log_.size() >= kMostEntries && name != "log") {
    throw PythonError("ValueError", "the block was used too often");
  }
  if (name == "__enter__") {
    log_.push_back("entered");
    return Value::Local(*this);
  }
  if (name == "__exit__") {
    if (arguments.positional.size() != 3) {
      throw PythonError("TypeError", "__exit__() takes type, value and traceback");
    }
    log_.push_back(arguments.positional[0].is(Kind::kNone) ? "left" : "thrown out");
    return Value::Bool(false);
  }
  if (name != "log") return Object::CallAttr(scope, name, arguments);
  const std::span<Value> log = scope.Tuple(log_.size());
  std::ranges::transform(log_, log.begin(), Value::Text);
  return Value::Tuple(log);
}

}  // namespace rpycbench::rpyc

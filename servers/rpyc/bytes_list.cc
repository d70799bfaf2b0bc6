#include "servers/rpyc/bytes_list.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "servers/rpyc/connection.h"
#include "servers/rpyc/method.h"
#include "servers/rpyc/numbers.h"

namespace rpycbench::rpyc {
namespace {

std::shared_ptr<BytesList> SharedFrom(BytesList& list) {
  return std::static_pointer_cast<BytesList>(list.shared_from_this());
}

std::vector<std::string_view> ItemsOf(const BytesList& list) {
  std::vector<std::string_view> items(list.size());
  for (std::size_t i = 0; i < items.size(); ++i) items[i] = list.at(i);
  return items;
}

Value TupleOfNext(Scope& scope, const BytesList& list, std::size_t& position, std::size_t count) {
  const std::span<Value> next = scope.Tuple(std::min(count, list.size() - position));
  for (Value& item : next) item = Value::Bytes(list.at(position++));
  return Value::Tuple(next);
}

class BytesListIterator : public Object {
 public:
  explicit BytesListIterator(std::shared_ptr<BytesList> list) : list_(std::move(list)) {}

  std::string_view class_name() const override { return "builtins.list_iterator"; }

  Value GetAttr(Scope& scope, std::string_view name) override {
    if (name == "__next__" || name == "__iter__" || name == "__length_hint__") {
      return BindMethod(scope, *this, name);
    }
    return Object::GetAttr(scope, name);
  }

  Value CallAttr(Scope& scope, std::string_view name, const Arguments& arguments) override {
    if (name == "__iter__") return Value::Local(*this);
    // Code that builds a value from the iterator, as b"".join(list) does, asks for this first.
    if (name == "__length_hint__") {
      return Value::Int(static_cast<std::int64_t>(list_->size() - position_));
    }
    if (name != "__next__") return Object::CallAttr(scope, name, arguments);
    if (position_ == list_->size()) throw PythonError::StopIteration();
    return Value::Bytes(list_->at(position_++));
  }

  Value NextItems(Scope& scope, std::size_t count) override {
    return TupleOfNext(scope, *list_, position_, count);
  }

  std::vector<std::string_view> Members() const override {
    return {"__iter__", "__length_hint__", "__next__"};
  }

 private:
  std::shared_ptr<BytesList> list_;
  std::size_t position_ = 0;
};

std::int64_t IndexOf(Scope& scope, const Value& index) {
  if (!index.is(Kind::kInt) && !index.is(Kind::kBool) && !index.is(Kind::kNetref)) {
    throw PythonError("TypeError", "list indices must be integers or slices");
  }
  return IntegerOf(scope, index);
}

constexpr std::string_view kMethods[] = {"__contains__", "__getitem__", "__iter__", "__len__"};

}  // namespace

Value BytesList::GetAttr(Scope& scope, std::string_view name) {
  if (std::ranges::find(kMethods, name) != std::end(kMethods)) {
    return BindMethod(scope, *this, name);
  }
  return Object::GetAttr(scope, name);
}

Value BytesList::CallAttr(Scope& scope, std::string_view name, const Arguments& arguments) {
  const auto argument = [&]() -> const Value& {
    if (arguments.positional.size() == 1) return arguments.positional[0];
    throw PythonError("TypeError", "list." + std::string(name) + "() takes one argument");
  };
  if (name == "__iter__") return scope.Keep(std::make_shared<BytesListIterator>(SharedFrom(*this)));
  if (name == "__len__") return Value::Int(static_cast<std::int64_t>(size_));
  if (name == "__getitem__") return GetItem(scope, argument());
  if (name == "__contains__") {
    const Value& wanted = argument();
    const std::vector<std::string_view> items = ItemsOf(*this);
    return Value::Bool(wanted.is(Kind::kBytes) &&
                       std::ranges::find(items, wanted.bytes()) != items.end());
  }
  return Object::CallAttr(scope, name, arguments);
}

Value BytesList::NextItems(Scope& scope, std::size_t count) {
  std::size_t from_the_start = 0;  // each request begins again, as with any Python list
  return TupleOfNext(scope, *this, from_the_start, count);
}

std::string BytesList::Repr() const { return "[" + std::to_string(size_) + " byte strings]"; }

Value BytesList::Compare(std::string_view operation, const Value& other) const {
  const auto* list = other.is(Kind::kObject) ? dynamic_cast<BytesList*>(&other.object()) : nullptr;
  if (list == nullptr) return Value::NotImplemented();
  return Compared(operation, ItemsOf(*this) <=> ItemsOf(*list));
}

std::int64_t BytesList::Hash() const { throw PythonError("TypeError", "unhashable type: 'list'"); }

std::vector<std::string_view> BytesList::Members() const {
  return {std::begin(kMethods), std::end(kMethods)};
}

Value BytesList::GetItem(Scope& scope, const Value& index) {
  if (index.is(Kind::kSlice)) return GetSlice(scope, index);
  const std::int64_t number = IndexOf(scope, index);
  const auto size = static_cast<std::int64_t>(size_);
  const std::int64_t from_start = number < 0 ? number + size : number;
  if (from_start < 0 || from_start >= size) {
    throw PythonError("IndexError", "list index out of range");
  }
  return Value::Bytes(at(static_cast<std::size_t>(from_start)));
}

Value BytesList::GetSlice(Scope& scope, const Value& slice) {
  const auto part = [&](std::size_t index, std::int64_t otherwise) {
    const Value& value = slice.items()[index];
    if (value.is(Kind::kNone)) return otherwise;
    if (value.is(Kind::kInt)) return value.integer();
    throw PythonError("TypeError", "slice indices must be integers or None");
  };
  const auto size = static_cast<std::int64_t>(size_);
  if (part(2, 1) == 0) throw PythonError("ValueError", "slice step cannot be zero");
  // A longer step also reaches no second item.
  const std::int64_t step = std::clamp(part(2, 1), -size - 1, size + 1);
  const auto bound = [&](std::int64_t index) {
    // Iteration starts and stops within the list. Backwards, it may also stop just before the first
    // item.
    if (index < 0) index += size;
    return step > 0 ? std::clamp<std::int64_t>(index, 0, size)
                    : std::clamp<std::int64_t>(index, -1, size - 1);
  };
  const bool has_stop = !slice.items()[1].is(Kind::kNone);
  const std::int64_t start =
      slice.items()[0].is(Kind::kNone) ? (step > 0 ? 0 : size - 1) : bound(part(0, 0));
  const std::int64_t stop = has_stop ? bound(part(1, 0)) : (step > 0 ? size : -1);
  const std::int64_t span = step > 0 ? stop - start : start - stop;
  const std::int64_t count = span > 0 ? (span - 1) / std::abs(step) + 1 : 0;
  // The steps of nested slices multiply and must not overflow. A slice of one item needs no step.
  return scope.Keep(std::shared_ptr<BytesList>(new BytesList(chunks_, first_ + start * step_,
                                                             count > 1 ? step * step_ : 1,
                                                             static_cast<std::size_t>(count))));
}

}  // namespace rpycbench::rpyc

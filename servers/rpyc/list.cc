#include "servers/rpyc/list.h"

#include <algorithm>
#include <compare>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "servers/rpyc/connection.h"
#include "servers/rpyc/method.h"
#include "servers/rpyc/numbers.h"

namespace rpycbench::rpyc {
namespace {

Value Give(Scope& scope, List::Item item) {
  return item.owner ? scope.Keep(std::move(item.owner)) : item.value;
}

Value TupleOfNext(Scope& scope, const List& list, std::size_t& position, std::size_t count) {
  const std::span<Value> next = scope.Tuple(std::min(count, list.size() - position));
  for (Value& item : next) item = Give(scope, list.at(position++, scope.piece_lists()));
  return Value::Tuple(next);
}

bool AreBytes(const Value& value) { return value.is(Kind::kBytes) || value.is(Kind::kPieces); }

// Returns bytes as pieces. Those in one piece are put into `one`.
std::span<const iovec> PiecesOf(const Value& bytes, iovec& one) {
  if (bytes.is(Kind::kPieces)) return bytes.pieces();
  one = {const_cast<char*>(bytes.bytes().data()), bytes.bytes().size()};  // iovec has no const form
  return {&one, 1};
}

std::strong_ordering CompareBytes(const Value& one, const Value& other) {
  iovec whole[2];
  std::span<const iovec> left = PiecesOf(one, whole[0]);
  std::span<const iovec> right = PiecesOf(other, whole[1]);
  std::size_t left_at = 0;  // within the first piece
  std::size_t right_at = 0;
  const auto skip = [](std::span<const iovec>& pieces, std::size_t& at) {
    while (!pieces.empty() && at == pieces.front().iov_len) {
      pieces = pieces.subspan(1);
      at = 0;
    }
  };
  for (;;) {
    skip(left, left_at);
    skip(right, right_at);
    if (left.empty() || right.empty()) return right.empty() <=> left.empty();
    const std::size_t common =
        std::min(left.front().iov_len - left_at, right.front().iov_len - right_at);
    const int order =
        std::memcmp(static_cast<const char*>(left.front().iov_base) + left_at,
                    static_cast<const char*>(right.front().iov_base) + right_at, common);
    if (order != 0) return order <=> 0;
    left_at += common;
    right_at += common;
  }
}

// Returns whether two items of lists are equal.
bool Equal(const Value& one, const Value& other) {
  if (one.is(Kind::kObject)) {
    const Value equal = one.object().Compare("__eq__", other);
    return equal.is(Kind::kBool) && equal.boolean();
  }
  return AreBytes(one) && AreBytes(other) && CompareBytes(one, other) == 0;
}

class ListIterator : public Object {
 public:
  explicit ListIterator(std::shared_ptr<const List> list) : list_(std::move(list)) {}

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
    return Give(scope, list_->at(position_++, scope.piece_lists()));
  }

  Value NextItems(Scope& scope, std::size_t count) override {
    return TupleOfNext(scope, *list_, position_, count);
  }

  std::vector<std::string_view> Members() const override {
    return {"__iter__", "__length_hint__", "__next__"};
  }

 private:
  std::shared_ptr<const List> list_;
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

Value List::GetAttr(Scope& scope, std::string_view name) {
  if (std::ranges::find(kMethods, name) != std::end(kMethods)) {
    return BindMethod(scope, *this, name);
  }
  return Object::GetAttr(scope, name);
}

Value List::CallAttr(Scope& scope, std::string_view name, const Arguments& arguments) {
  const auto argument = [&]() -> const Value& {
    if (arguments.positional.size() == 1) return arguments.positional[0];
    throw PythonError("TypeError", "list." + std::string(name) + "() takes one argument");
  };
  if (name == "__iter__") {
    return scope.Keep(
        std::make_shared<ListIterator>(std::static_pointer_cast<List>(shared_from_this())));
  }
  if (name == "__len__") return Value::Int(static_cast<std::int64_t>(size()));
  if (name == "__getitem__") return GetItem(scope, argument());
  if (name == "__contains__") {
    const Value& wanted = argument();
    std::size_t place = 0;
    for (; place < size(); ++place) {
      PieceLists pieces;
      if (Equal(at(place, pieces).value, wanted)) break;
    }
    return Value::Bool(place < size());
  }
  return Object::CallAttr(scope, name, arguments);
}

Value List::NextItems(Scope& scope, std::size_t count) {
  std::size_t from_the_start = 0;  // each request begins again, as with any Python list
  return TupleOfNext(scope, *this, from_the_start, count);
}

std::string List::Repr() const {
  return "[" + std::to_string(size()) + " " + std::string(noun()) + "]";
}

Value List::Compare(std::string_view operation, const Value& other) const {
  const auto* list = other.is(Kind::kObject) ? dynamic_cast<List*>(&other.object()) : nullptr;
  if (list == nullptr) return Value::NotImplemented();
  const std::size_t common = std::min(size(), list->size());
  for (std::size_t i = 0; i < common; ++i) {
    PieceLists pieces;
    const Item mine = at(i, pieces);
    const Item theirs = list->at(i, pieces);
    if (Equal(mine.value, theirs.value)) continue;
    // The first items that differ decide. Objects have no order, but are certainly not equal.
    if (AreBytes(mine.value) && AreBytes(theirs.value)) {
      return Compared(operation, CompareBytes(mine.value, theirs.value));
    }
    if (operation == "__eq__" || operation == "__ne__") {
      return Value::Bool(operation == "__ne__");
    }
    throw PythonError("TypeError", "the items have no order");
  }
  return Compared(operation, size() <=> list->size());
}

std::int64_t List::Hash() const { throw PythonError("TypeError", "unhashable type: 'list'"); }

std::vector<std::string_view> List::Members() const {
  return {std::begin(kMethods), std::end(kMethods)};
}

Value List::GetItem(Scope& scope, const Value& index) {
  if (index.is(Kind::kSlice)) return GetSlice(scope, index);
  const std::int64_t number = IndexOf(scope, index);
  const auto items = static_cast<std::int64_t>(size());
  const std::int64_t from_start = number < 0 ? number + items : number;
  if (from_start < 0 || from_start >= items) {
    throw PythonError("IndexError", "list index out of range");
  }
  return Give(scope, at(static_cast<std::size_t>(from_start), scope.piece_lists()));
}

Value List::GetSlice(Scope& scope, const Value& slice) {
  const auto part = [&](std::size_t index, std::int64_t otherwise) {
    const Value& value = slice.items()[index];
    if (value.is(Kind::kNone)) return otherwise;
    if (value.is(Kind::kInt)) return value.integer();
    throw PythonError("TypeError", "slice indices must be integers or None");
  };
  const auto items = static_cast<std::int64_t>(size());
  if (part(2, 1) == 0) throw PythonError("ValueError", "slice step cannot be zero");
  // A longer step also reaches no second item.
  const std::int64_t step = std::clamp(part(2, 1), -items - 1, items + 1);
  const auto bound = [&](std::int64_t index) {
    // Iteration starts and stops within the list. Backwards, it may also stop just before the first
    // item.
    if (index < 0) index += items;
    return step > 0 ? std::clamp<std::int64_t>(index, 0, items)
                    : std::clamp<std::int64_t>(index, -1, items - 1);
  };
  const bool has_stop = !slice.items()[1].is(Kind::kNone);
  const std::int64_t start =
      slice.items()[0].is(Kind::kNone) ? (step > 0 ? 0 : items - 1) : bound(part(0, 0));
  const std::int64_t stop = has_stop ? bound(part(1, 0)) : (step > 0 ? items : -1);
  const std::int64_t span = step > 0 ? stop - start : start - stop;
  const std::int64_t count = span > 0 ? (span - 1) / std::abs(step) + 1 : 0;
  // The steps of nested slices multiply and must not overflow. A slice of one item needs no step.
  return scope.Keep(std::static_pointer_cast<Object>(
      Slice({range_.first + start * range_.step, count > 1 ? step * range_.step : 1,
             static_cast<std::size_t>(count)})));
}

}  // namespace rpycbench::rpyc

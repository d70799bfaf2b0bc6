#include "servers/rpyc/wire/pickle_reader.h"

#include <algorithm>
#include <bit>
#include <string>

#include "servers/rpyc/wire/errors.h"
#include "servers/rpyc/wire/utf8.h"

namespace rpycbench::rpyc::pickle {
namespace {

constexpr std::size_t kLongestName = 1000;  // of a class or module, in bytes

[[noreturn]] void Refuse(const std::string& what) { throw ProtocolError("pickle: " + what); }

std::string Hex(char byte) {
  constexpr char kDigits[] = "0123456789abcdef";
  const auto value = static_cast<unsigned char>(byte);
  return {'0', 'x', kDigits[value >> 4], kDigits[value & 15]};
}

}  // namespace

const Value* Object::Find(std::string_view attribute) const {
  const auto found = std::ranges::find(attributes, attribute, &Attribute::name);
  return found == attributes.end() ? nullptr : &found->value;
}

std::span<const Object> ListReader::Read(std::string_view bytes, const ReadLimits& limits) {
  bytes_ = bytes;
  limits_ = limits;
  at_ = frame_end_ = 0;
  ended_ = has_list_ = false;
  nodes_.clear();
  parts_.clear();
  stack_.clear();
  marks_.clear();
  memo_.clear();
  list_.clear();
  arguments_.clear();
  attributes_.clear();
  objects_.clear();
  if (Take(1)[0] != opcode::kProto) Refuse("no protocol");
  const auto protocol = static_cast<std::int64_t>(TakeLittleEndian(1));
  if (protocol < kOldestProtocol || protocol > kNewestProtocol) {
    Refuse("protocol " + std::to_string(protocol));
  }
  while (!ended_) Step();
  if (at_ != bytes_.size()) Refuse("bytes after the end");
  if (stack_.size() != 1 || !marks_.empty()) Refuse("not one value");
  if (nodes_[stack_[0]].type != Type::kList) Refuse("not a list");
  DescribeAll();
  return objects_;
}

void ListReader::Step() {
  if (at_ == frame_end_) frame_end_ = 0;  // frames end between two opcodes
  switch (const char code = Take(1)[0]) {
    case opcode::kFrame:
      return BeginFrame();
    case opcode::kStop:
      ended_ = true;
      return;
    case opcode::kMark:
      if (marks_.size() >= limits_.max_depth) Refuse("too many marks");
      marks_.push_back(stack_.size());
      return;
    case opcode::kBinInt1:
      return PushPlain(Value::Int(static_cast<std::int64_t>(TakeLittleEndian(1))));
    case opcode::kBinInt2:
      return PushPlain(Value::Int(static_cast<std::int64_t>(TakeLittleEndian(2))));
    case opcode::kBinInt:
      return PushInteger(Take(4));
    case opcode::kLong1:
      return PushInteger(Take(TakeLittleEndian(1)));
    case opcode::kBinFloat: {
      std::uint64_t bits = 0;
      for (const char byte : Take(8)) bits = bits << 8 | static_cast<unsigned char>(byte);
      return PushPlain(Value::Float(std::bit_cast<double>(bits)));
    }
    case opcode::kShortBinUnicode:
      return PushText(Take(TakeLittleEndian(1)));
    case opcode::kBinUnicode:
      return PushText(Take(TakeLittleEndian(4)));
    case opcode::kGlobal:
      PushText(TakeLine());
      PushText(TakeLine());
      return stack_.push_back(MakeClass());
    case opcode::kStackGlobal:
      return stack_.push_back(MakeClass());
    case opcode::kEmptyTuple:
      return PushTuple(stack_.size());
    case opcode::kTuple1:
      return PushTuple(stack_.size() - 1);
    case opcode::kTuple2:
      return PushTuple(stack_.size() - 2);
    case opcode::kTuple3:
      return PushTuple(stack_.size() - 3);
    case opcode::kTuple:
      return PushTuple(PopMark());
    case opcode::kNewObj:
    case opcode::kReduce:
      return stack_.push_back(MakeObject());
    case opcode::kEmptyDict:
      return stack_.push_back(Make(Type::kDict, {}));
    case opcode::kSetItem:
      return SetItems(stack_.size() - 2);
    case opcode::kSetItems:
      return SetItems(PopMark());
    case opcode::kBuild:
      return SetState();
    case opcode::kEmptyList:
      return stack_.push_back(MakeList());
    case opcode::kAppend:
      return Append(stack_.size() - 1);
    case opcode::kAppends:
      return Append(PopMark());
    case opcode::kMemoize:
      return Remember(memo_.size());
    case opcode::kBinPut:
      return Remember(TakeLittleEndian(1));
    case opcode::kLongBinPut:
      return Remember(TakeLittleEndian(4));
    case opcode::kBinGet:
      return Recall(TakeLittleEndian(1));
    case opcode::kLongBinGet:
      return Recall(TakeLittleEndian(4));
    default:
      Refuse("opcode " + Hex(code));
  }
}

std::string_view ListReader::Take(std::size_t bytes) {
  const std::size_t end = frame_end_ != 0 ? frame_end_ : bytes_.size();
  if (bytes > end - at_) Refuse("it ends early");
  const std::string_view taken = bytes_.substr(at_, bytes);
  at_ += bytes;
  return taken;
}

std::string_view ListReader::TakeLine() {
  const std::size_t length = bytes_.substr(at_, kLongestName + 1).find('\n');
  if (length == bytes_.npos) Refuse("a name without an end");
  return Take(length + 1).substr(0, length);
}

std::uint64_t ListReader::TakeLittleEndian(std::size_t bytes) {
  std::uint64_t value = 0;
  const std::string_view taken = Take(bytes);
  for (std::size_t i = bytes; i > 0; --i) {
    value = value << 8 | static_cast<unsigned char>(taken[i - 1]);
  }
  return value;
}

void ListReader::BeginFrame() {
  if (frame_end_ != 0) Refuse("a frame in a frame");
  const std::uint64_t size = TakeLittleEndian(8);
  if (size == 0 || size > bytes_.size() - at_) Refuse("a frame of a wrong length");
  frame_end_ = at_ + size;
}

std::size_t ListReader::PopMark() {
  if (marks_.empty()) Refuse("a mark is missing");
  const std::size_t height = marks_.back();
  marks_.pop_back();
  return height;
}

ListReader::Id ListReader::Pop() {
  const Id id = TopOf(stack_.size());
  stack_.pop_back();
  return id;
}

ListReader::Id ListReader::TopOf(std::size_t height) const {
  // A height below zero has become a large one.
  if (height <= Floor() || height > stack_.size()) Refuse("a value is missing");
  return stack_[height - 1];
}

void ListReader::PushPlain(const Value& value) {
  if (nodes_.size() >= limits_.max_values) Refuse("too many values");
  stack_.push_back(static_cast<Id>(nodes_.size()));
  nodes_.push_back({.type = Type::kPlain, .depth = 0, .first = 0, .count = 0, .plain = value});
}

void ListReader::PushText(std::string_view text) {
  if (!IsUtf8(text)) Refuse("a text is not UTF-8");
  PushPlain(Value::Text(text));
}

void ListReader::PushInteger(std::string_view little_endian) {
  if (little_endian.size() > 8) Refuse("an integer beyond 64 bits");
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < little_endian.size(); ++i) {
    bits |= std::uint64_t{static_cast<unsigned char>(little_endian[i])} << (8 * i);
  }
  const std::size_t unused = 64 - 8 * little_endian.size();
  // The shift to the right repeats the sign.
  const auto value = unused == 64 ? 0 : static_cast<std::int64_t>(bits << unused) >> unused;
  PushPlain(Value::Int(value));
}

ListReader::Id ListReader::Make(Type type, std::span<const Id> parts) {
  if (nodes_.size() >= limits_.max_values) Refuse("too many values");
  std::uint32_t depth = 0;
  for (const Id part : parts) depth = std::max(depth, nodes_[part].depth + 1);
  if (depth > limits_.max_depth) Refuse("too deep");
  nodes_.push_back({.type = type,
                    .depth = depth,
                    .first = AddParts(parts),
                    .count = static_cast<std::uint32_t>(parts.size()),
                    .plain = {}});
  return static_cast<Id>(nodes_.size() - 1);
}

std::uint32_t ListReader::AddParts(std::span<const Id> parts) {
  const std::size_t first = parts_.size();
  if (parts.size() > limits_.max_values - first) Refuse("too many values");
  parts_.insert(parts_.end(), parts.begin(), parts.end());
  return static_cast<std::uint32_t>(first);
}

ListReader::Id ListReader::MakeList() {
  if (has_list_) Refuse("a second list");
  has_list_ = true;
  return Make(Type::kList, {});
}

ListReader::Id ListReader::MakeClass() {
  const Id name = Pop();
  const Id parts[] = {Pop(), name};
  for (const Id part : parts) {
    const Value& text = nodes_[part].plain;
    if (!text.is(Kind::kText) || text.bytes().size() > kLongestName) {
      Refuse("a class without a name");
    }
  }
  return Make(Type::kClass, parts);
}

ListReader::Id ListReader::MakeObject() {
  const Id arguments = Pop();
  const Id parts[] = {Pop(), arguments};
  if (nodes_[parts[0]].type != Type::kClass || nodes_[arguments].type != Type::kTuple) {
    Refuse("an object without a class");
  }
  return Make(Type::kObject, parts);
}

void ListReader::PushTuple(std::size_t height) {
  if (height < Floor() || height > stack_.size()) Refuse("a value is missing");
  const Id tuple = Make(Type::kTuple, std::span<const Id>(stack_).subspan(height));
  stack_.resize(height);
  stack_.push_back(tuple);
}

void ListReader::SetItems(std::size_t height) {
  Node& dict = nodes_[TopOf(height)];
  if (dict.type != Type::kDict || dict.count != 0) Refuse("items for something else");
  const std::span<const Id> items = std::span<const Id>(stack_).subspan(height);
  if (items.size() % 2 != 0) Refuse("a name without a value");
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Node& part = nodes_[items[i]];
    if (part.type != Type::kPlain || (i % 2 == 0 && !part.plain.is(Kind::kText))) {
      Refuse("a dictionary of something else than names and plain values");
    }
  }
  dict.depth = 1;
  dict.first = AddParts(items);
  dict.count = static_cast<std::uint32_t>(items.size());
  stack_.resize(height);
}

void ListReader::SetState() {
  const Id state = Pop();
  Node& object = nodes_[TopOf(stack_.size())];
  if (nodes_[state].type != Type::kDict || object.type != Type::kObject || object.count != 2) {
    Refuse("attributes for something else");
  }
  const Id parts[] = {parts_[object.first], parts_[object.first + 1], state};
  object.first = AddParts(parts);
  object.count = 3;
}

void ListReader::Append(std::size_t height) {
  if (nodes_[TopOf(height)].type != Type::kList) Refuse("items for something else");
  const std::span<const Id> items = std::span<const Id>(stack_).subspan(height);
  if (items.size() > limits_.max_objects - list_.size()) Refuse("too many objects");
  for (const Id item : items) {
    if (nodes_[item].type != Type::kObject) Refuse("an item is not an object");
  }
  list_.insert(list_.end(), items.begin(), items.end());
  stack_.resize(height);
}

void ListReader::Remember(std::uint64_t memo) {
  if (memo != memo_.size()) Refuse("memos out of order");
  if (memo >= limits_.max_memo) Refuse("too many memos");
  memo_.push_back(TopOf(stack_.size()));
}

void ListReader::Recall(std::uint64_t memo) {
  if (memo >= memo_.size()) Refuse("an unknown memo");
  if (stack_.size() >= limits_.max_values) Refuse("too many values");
  stack_.push_back(memo_[memo]);
}

void ListReader::DescribeAll() {
  // Objects may share arguments and attributes, so there may be more than were written.
  std::size_t arguments = 0;
  std::size_t attributes = 0;
  for (const Id id : list_) {
    arguments += Part(nodes_[id], 1).count;
    if (nodes_[id].count == 3) attributes += Part(nodes_[id], 2).count / 2;
    if (arguments + attributes > limits_.max_values) Refuse("too many values");
  }
  // Objects point into these, so they must not move.
  arguments_.reserve(arguments);
  attributes_.reserve(attributes);
  for (const Id id : list_) Describe(nodes_[id]);
}

void ListReader::Describe(const Node& object) {
  const Node& made_by = Part(object, 0);
  const Node& arguments = Part(object, 1);
  const std::size_t first_argument = arguments_.size();
  for (std::size_t i = 0; i < arguments.count; ++i) {
    const Node& argument = Part(arguments, i);
    if (argument.type != Type::kPlain) Refuse("an argument is not plain");
    arguments_.push_back(argument.plain);
  }
  const std::size_t first_attribute = attributes_.size();
  if (object.count == 3) {
    const Node& state = Part(object, 2);
    for (std::size_t i = 0; i < state.count; i += 2) {
      attributes_.push_back({Part(state, i).plain.bytes(), Part(state, i + 1).plain});
    }
  }
  objects_.push_back({Part(made_by, 0).plain.bytes(), Part(made_by, 1).plain.bytes(),
                      std::span<const Value>(arguments_).subspan(first_argument),
                      std::span<const Attribute>(attributes_).subspan(first_attribute)});
}

}  // namespace rpycbench::rpyc::pickle

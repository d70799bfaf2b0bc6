// Reads pickles of lists of objects, as pickle.h describes them. A class is only named: the reader
// neither loads one nor calls anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "servers/rpyc/wire/pickle.h"

namespace rpycbench::rpyc::pickle {

// An object as a pickle describes it.
struct Object {
  std::string_view module, name;          // of its class
  std::span<const Value> arguments;       // with which the class made it
  std::span<const Attribute> attributes;  // which were set then

  // Returns the value of an attribute, or nullptr.
  const Value* Find(std::string_view attribute) const;
};

struct ReadLimits {
  std::size_t max_objects = 65'536;
  std::size_t max_memo = 1 << 20;    // remembered values
  std::size_t max_values = 1 << 21;  // of all kinds
  std::size_t max_depth = 8;         // of values within each other, and of open marks
};

// Reads such pickles. It keeps its memory for the next one, so in steady state it allocates
// nothing.
class ListReader {
 public:
  // Returns the objects of the list. They live until the next call, and their texts as long as
  // `bytes`. Throws ProtocolError for everything else: other opcodes, other shapes, other kinds of
  // values, integers beyond 64 bits, what exceeds the limits, and bytes after the pickle.
  std::span<const Object> Read(std::string_view bytes, const ReadLimits& limits = {});

 private:
  enum class Type : std::uint8_t { kPlain, kClass, kTuple, kDict, kObject, kList };
  using Id = std::uint32_t;  // a place in nodes_

  // A value. Its parts are `count` ones in parts_ from `first` on: the names of module and class,
  // the items of a tuple, the names and values of a dictionary, or class and arguments of an
  // object, and its attributes once they are set. Only one list may exist.
  struct Node {
    Type type;
    std::uint32_t depth, first, count;
    Value plain;
  };

  void Step();
  std::string_view Take(std::size_t bytes);
  std::string_view TakeLine();
  std::uint64_t TakeLittleEndian(std::size_t bytes);
  void BeginFrame();

  // Returns the height of the stack at the last mark.
  std::size_t Floor() const { return marks_.empty() ? 0 : marks_.back(); }
  // Removes the last mark and returns its height.
  std::size_t PopMark();
  Id Pop();
  // Returns the topmost of the lowest `height` values. Throws if a mark is above it.
  Id TopOf(std::size_t height) const;
  void PushPlain(const Value& value);
  void PushText(std::string_view text);
  void PushInteger(std::string_view little_endian);
  // Returns a new value that consists of others.
  Id Make(Type type, std::span<const Id> parts);
  // Returns where the parts begin in parts_.
  std::uint32_t AddParts(std::span<const Id> parts);
  Id MakeList();
  Id MakeClass();
  Id MakeObject();
  // Replaces the values from that height on by a tuple of them.
  void PushTuple(std::size_t height);
  // Move the values from that height on into the dictionary or list below.
  void SetItems(std::size_t height);
  void Append(std::size_t height);
  void SetState();
  void Remember(std::uint64_t memo);
  void Recall(std::uint64_t memo);

  const Node& Part(const Node& node, std::size_t index) const {
    return nodes_[parts_[node.first + index]];
  }
  void DescribeAll();
  void Describe(const Node& object);

  std::string_view bytes_;
  ReadLimits limits_;
  std::size_t at_ = 0;
  std::size_t frame_end_ = 0;  // 0 outside of frames
  bool ended_ = false;
  bool has_list_ = false;
  std::vector<Node> nodes_;
  std::vector<Id> parts_;
  std::vector<Id> stack_;
  std::vector<std::size_t> marks_;  // heights of the stack
  std::vector<Id> memo_;
  std::vector<Id> list_;
  std::vector<Value> arguments_;
  std::vector<Attribute> attributes_;
  std::vector<Object> objects_;
};

}  // namespace rpycbench::rpyc::pickle

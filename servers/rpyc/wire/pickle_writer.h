// Writes pickles of lists of objects, as pickle.h describes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "servers/rpyc/wire/pickle.h"

namespace rpycbench::rpyc::pickle {

// Writes the pickle of a list of `count` objects of one class, byte for byte as Python 3.11
// and 3.13 do for attributes that differ from object to object. `protocol` must be one of the
// above. `module` and `name` are those of the class. All views must live until Finish().
class ListWriter {
 public:
  ListWriter(std::int64_t protocol, std::string_view module, std::string_view name,
             std::size_t count);

  // Adds an object. Each must have the same names of attributes, at least two. Call it `count`
  // times.
  void Add(std::span<const Attribute> attributes);
  // Returns the pickle. Call it once.
  std::string Finish();

 private:
  bool has_frames() const { return protocol_ >= 4; }
  // Begins the pickle of a value, where a frame may end.
  void BeginValue();
  // Appends an opcode and its argument, in a new frame if there is none.
  void Put(char opcode, std::string_view argument = {});
  void PutLittleEndian(char opcode, std::uint64_t argument, std::size_t bytes);
  void EndFrame();
  // Remembers the value on top of the stack.
  std::uint32_t Memoize();
  void Get(std::uint32_t memo);
  void PutText(std::string_view text);
  void PutInteger(std::int64_t value);
  void PutValue(const Value& value);
  void PutClass();

  static constexpr std::size_t kNoFrame = SIZE_MAX;

  std::int64_t protocol_;
  std::string_view module_, name_;
  std::size_t count_;
  std::size_t added_ = 0;
  std::string out_;
  std::size_t frame_ = kNoFrame;  // where its head is
  std::uint32_t next_memo_ = 0;
  std::optional<std::uint32_t> class_;
  std::vector<std::pair<std::string_view, std::uint32_t>> names_;  // with their memos
};

}  // namespace rpycbench::rpyc::pickle

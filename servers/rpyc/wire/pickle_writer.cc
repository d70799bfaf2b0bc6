#include "servers/rpyc/wire/pickle_writer.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <stdexcept>

namespace rpycbench::rpyc::pickle {
namespace {

constexpr std::size_t kFrameHead = 9;          // the opcode and a length of 8 bytes
constexpr std::size_t kFullFrame = 64 * 1024;  // Python ends a frame before the next value then
constexpr std::size_t kShortestFrame = 4;      // shorter ones have no head
constexpr std::size_t kBatch = 1000;           // items that one APPENDS appends

std::string LittleEndian(std::uint64_t value, std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(value >> (8 * i));
  return text;
}

}  // namespace

ListWriter::ListWriter(std::int64_t protocol, std::string_view module, std::string_view name,
                       std::size_t count)
    : protocol_(protocol), module_(module), name_(name), count_(count) {
  out_ = {opcode::kProto, static_cast<char>(protocol)};
  BeginValue();
  Put(opcode::kEmptyList);
  Memoize();
}

void ListWriter::Add(std::span<const Attribute> attributes) {
  if (count_ > 1 && added_ % kBatch == 0) Put(opcode::kMark);
  BeginValue();
  PutClass();
  BeginValue();
  Put(opcode::kEmptyTuple);
  Put(opcode::kNewObj);
  Memoize();
  BeginValue();
  Put(opcode::kEmptyDict);
  Memoize();
  Put(opcode::kMark);
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    BeginValue();
    if (i < names_.size()) {
      Get(names_[i].second);
    } else {
      PutText(attributes[i].name);
      names_.emplace_back(attributes[i].name, next_memo_ - 1);
    }
    BeginValue();
    PutValue(attributes[i].value);
  }
  Put(opcode::kSetItems);
  Put(opcode::kBuild);
  ++added_;
  if (count_ == 1) {
    Put(opcode::kAppend);
  } else if (added_ % kBatch == 0 || added_ == count_) {
    Put(opcode::kAppends);
  }
}

std::string ListWriter::Finish() {
  Put(opcode::kStop);
  EndFrame();
  return std::move(out_);
}

void ListWriter::BeginValue() {
  if (frame_ != kNoFrame && out_.size() - frame_ - kFrameHead >= kFullFrame) EndFrame();
}

void ListWriter::Put(char code, std::string_view argument) {
  if (has_frames() && frame_ == kNoFrame) {
    frame_ = out_.size();
    out_.append(kFrameHead, '\0');
  }
  out_ += code;
  out_ += argument;
}

void ListWriter::PutLittleEndian(char code, std::uint64_t argument, std::size_t bytes) {
  Put(code, LittleEndian(argument, bytes));
}

void ListWriter::EndFrame() {
  if (frame_ == kNoFrame) return;
  const std::size_t size = out_.size() - frame_ - kFrameHead;
  if (size < kShortestFrame) {
    out_.erase(frame_, kFrameHead);
  } else {
    out_[frame_] = opcode::kFrame;
    out_.replace(frame_ + 1, 8, LittleEndian(size, 8));
  }
  frame_ = kNoFrame;
}

std::uint32_t ListWriter::Memoize() {
  const std::uint32_t memo = next_memo_++;
  if (has_frames()) {
    Put(opcode::kMemoize);
  } else if (memo < 256) {
    PutLittleEndian(opcode::kBinPut, memo, 1);
  } else {
    PutLittleEndian(opcode::kLongBinPut, memo, 4);
  }
  return memo;
}

void ListWriter::Get(std::uint32_t memo) {
  if (memo < 256) {
    PutLittleEndian(opcode::kBinGet, memo, 1);
  } else {
    PutLittleEndian(opcode::kLongBinGet, memo, 4);
  }
}

void ListWriter::PutText(std::string_view text) {
  if (has_frames() && text.size() < 256) {
    PutLittleEndian(opcode::kShortBinUnicode, text.size(), 1);
  } else if (text.size() <= std::numeric_limits<std::uint32_t>::max()) {
    PutLittleEndian(opcode::kBinUnicode, text.size(), 4);
  } else {
    throw std::length_error("a text of more than 4 GiB cannot be pickled");
  }
  out_ += text;
  Memoize();
}

void ListWriter::PutInteger(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  if (value >= 0 && value < 256) return PutLittleEndian(opcode::kBinInt1, bits, 1);
  if (value >= 0 && value < 65536) return PutLittleEndian(opcode::kBinInt2, bits, 2);
  if (value == static_cast<std::int32_t>(value)) return PutLittleEndian(opcode::kBinInt, bits, 4);
  // As few bytes as have room for the sign.
  std::size_t bytes = 8;
  while (value >> (8 * bytes - 9) == value >> 63 && bytes > 1) --bytes;
  std::string argument(1, static_cast<char>(bytes));
  Put(opcode::kLong1, argument += LittleEndian(bits, bytes));
}

void ListWriter::PutValue(const Value& value) {
  switch (value.kind()) {
    case Kind::kInt:
      return PutInteger(value.integer());
    case Kind::kFloat: {
      std::string bits = LittleEndian(std::bit_cast<std::uint64_t>(value.real()), 8);
      std::ranges::reverse(bits);
      return Put(opcode::kBinFloat, bits);
    }
    case Kind::kText:
      return PutText(value.bytes());
    default:
      throw std::invalid_argument("only integers, floats and texts can be pickled");
  }
}

void ListWriter::PutClass() {
  if (class_) return Get(*class_);
  if (has_frames()) {
    BeginValue();
    PutText(module_);
    BeginValue();
    PutText(name_);
    Put(opcode::kStackGlobal);
  } else {
    Put(opcode::kGlobal, std::string(module_) + '\n' + std::string(name_) + '\n');
  }
  class_ = Memoize();
}

}  // namespace rpycbench::rpyc::pickle

// The part of Python's pickle format that lists of small objects need: what `pickle.dumps(items)`
// writes if each item is an instance of a plain class whose attributes are integers, floats and
// texts. RPyC's obtain() fetches such a pickle. pickle_writer.h writes it, pickle_reader.h reads
// it. Python's Lib/pickletools.py describes the opcodes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "servers/rpyc/wire/value.h"

namespace rpycbench::rpyc::pickle {

// The protocols that are written and read. Python writes 4 or 5 unless it is told otherwise.
inline constexpr std::int64_t kOldestProtocol = 2;
inline constexpr std::int64_t kNewestProtocol = 5;

struct Attribute {
  std::string_view name;
  Value value;  // kInt, kFloat or kText
};

// The names are those of Python's pickle.py.
namespace opcode {
constexpr char kMark = '(', kStop = '.', kBinFloat = 'G', kBinInt = 'J', kBinInt1 = 'K',
               kBinInt2 = 'M', kReduce = 'R', kBinUnicode = 'X', kAppend = 'a', kBuild = 'b',
               kGlobal = 'c', kAppends = 'e', kBinGet = 'h', kLongBinGet = 'j', kEmptyList = ']',
               kBinPut = 'q', kLongBinPut = 'r', kSetItem = 's', kTuple = 't', kEmptyTuple = ')',
               kSetItems = 'u', kEmptyDict = '}', kProto = '\x80', kNewObj = '\x81',
               kTuple1 = '\x85', kTuple2 = '\x86', kTuple3 = '\x87', kLong1 = '\x8a',
               kShortBinUnicode = '\x8c', kStackGlobal = '\x93', kMemoize = '\x94', kFrame = '\x95';
}  // namespace opcode

}  // namespace rpycbench::rpyc::pickle

#include "servers/rpyc/wire/vinegar.h"

#include <algorithm>

#include "servers/rpyc/wire/brine.h"
#include "servers/rpyc/wire/errors.h"

namespace rpycbench::rpyc {
namespace {

constexpr std::string_view kBuiltins = "builtins";
// The version of the sender's library, which is the last attribute.
constexpr std::string_view kRemoteVersion = "_remote_version";
// The line with which the Python library marks another peer's traceback within one. It counts these
// lines.
constexpr std::string_view kRemoteLine = "\n\n========= Remote Traceback ";
// The longest readable form of one argument and of all arguments, in bytes. They may come from a
// peer, in any size.
constexpr std::size_t kLongestReadable = 1000;

std::string Describe(std::string_view module, std::string_view type, std::string_view message) {
  std::string text;
  if (module != kBuiltins) text.append(module).append(".");
  text.append(type);
  if (!message.empty()) text.append(": ").append(message);
  return text;
}

// Returns the text, or its beginning, cut between two characters.
std::string Shortened(std::string_view utf8) {
  if (utf8.size() <= kLongestReadable) return std::string(utf8);
  std::size_t end = kLongestReadable;
  while ((utf8[end] & 0xc0) == 0x80) --end;
  return std::string(utf8.substr(0, end)) + "…";
}

// Returns bytes as Python shows them: b'ab\xff'.
std::string Escaped(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "b'";
  for (const char c : bytes.substr(0, kLongestReadable / 4)) {
    if (c >= ' ' && c <= '~' && c != '\'' && c != '\\') {
      text += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      text.append("\\x").append({kDigits[byte >> 4], kDigits[byte & 15]});
    }
  }
  return text + (bytes.size() > kLongestReadable / 4 ? "…'" : "'");
}

std::string Readable(const Value& argument) {
  switch (argument.kind()) {
    case Kind::kText:
    case Kind::kBigInt:
      return Shortened(argument.bytes());
    case Kind::kBytes:
      return Escaped(argument.bytes());
    case Kind::kInt:
      return std::to_string(argument.integer());
    case Kind::kFloat:
      return std::to_string(argument.real());
    case Kind::kBool:
      return argument.boolean() ? "True" : "False";
    case Kind::kNone:
      return "None";
    default:
      return "…";
  }
}

// Returns the arguments as people read them: texts unchanged, numbers in digits.
std::string Readable(std::span<const Value> arguments) {
  std::string text;
  for (const Value& argument : arguments) {
    if (!text.empty()) text += ", ";
    if (text.size() > kLongestReadable) return text + "…";
    text += Readable(argument);
  }
  return text;
}

std::string_view TextOf(const Value& value) {
  if (!value.is(Kind::kText)) throw ProtocolError("vinegar: a name or traceback is not a text");
  return value.bytes();
}

std::span<const Value> TupleOf(const Value& value) {
  if (!value.is(Kind::kTuple)) throw ProtocolError("vinegar: not a tuple");
  return value.items();
}

// Returns the name of an attribute, which is a pair of name and value.
std::string_view NameOf(const Value& attribute) {
  const auto pair = TupleOf(attribute);
  if (pair.size() != 2) throw ProtocolError("vinegar: an attribute is a name and a value");
  return TextOf(pair[0]);
}

}  // namespace

PythonError::PythonError(std::string_view module, std::string_view type, std::string_view message)
    : std::runtime_error(Describe(module, type, message)),
      module_(module),
      type_(type),
      message_(message) {}

PythonError::PythonError(std::string_view type, std::string_view message)
    : PythonError(kBuiltins, type, message) {
  const Value text = Value::Text(message);
  arguments_ = brine::Dump(message.empty() ? Value::Tuple({}) : Value::Tuple({&text, 1}));
}

PythonError::PythonError(std::string_view module, std::string_view type,
                         std::span<const Value> arguments, std::span<const Value> attributes,
                         std::string_view traceback)
    : PythonError(module, type, Readable(arguments)) {
  arguments_ = brine::Dump(Value::Tuple(arguments));
  std::ranges::transform(attributes, std::back_inserter(attributes_), brine::Dump);
  traceback_ = traceback;
}

namespace vinegar {

std::string Traceback(const PythonError& error, std::string_view request) {
  std::string text = "Traceback (most recent call last):\n  rpycbench, serving ";
  text.append(request).append("\n").append(error.what()).append("\n");
  const std::string_view inner = error.traceback();
  if (inner.empty()) return text;
  int level = 1;
  for (std::size_t at = inner.find(kRemoteLine); at != std::string_view::npos;
       at = inner.find(kRemoteLine, at + 1)) {
    ++level;
  }
  return text.append(kRemoteLine)
      .append("(" + std::to_string(level) + ") =========\n")
      .append(inner);
}

void Write(const PythonError& error, std::string_view traceback, MessageWriter& out) {
  if (error.is("StopIteration")) return brine::WriteInt(1, out);
  brine::WriteTupleHead(4, out);
  brine::WriteTupleHead(2, out);
  brine::WriteText(error.module(), out);
  brine::WriteText(error.type(), out);
  out.Copy(error.arguments());
  brine::WriteTupleHead(error.attributes().size() + 1, out);
  for (const std::string& attribute : error.attributes()) out.Copy(attribute);
  brine::WriteTupleHead(2, out);
  brine::WriteText(kRemoteVersion, out);
  brine::WriteText("<version denied>", out);
  brine::WriteText(traceback, out);
}

PythonError Read(const Value& body) {
  if (body.is(Kind::kInt) && body.integer() == 1) return PythonError::StopIteration();
  const auto parts = TupleOf(body);
  if (parts.size() != 4) throw ProtocolError("vinegar: not a tuple of 4");
  const auto name = TupleOf(parts[0]);
  if (name.size() != 2) throw ProtocolError("vinegar: not a class name");
  std::vector<Value> attributes;
  for (const Value& attribute : TupleOf(parts[2])) {
    if (NameOf(attribute) != kRemoteVersion) attributes.push_back(attribute);
  }
  return PythonError(TextOf(name[0]), TextOf(name[1]), TupleOf(parts[1]), attributes,
                     TextOf(parts[3]));
}

}  // namespace vinegar
}  // namespace rpycbench::rpyc

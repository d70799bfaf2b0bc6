#include "servers/rpyc/vinegar.h"

#include "servers/rpyc/brine.h"
#include "servers/rpyc/errors.h"

namespace rpycbench::rpyc {
namespace {

constexpr std::string_view kBuiltins = "builtins";

std::string Describe(std::string_view module, std::string_view type, std::string_view message) {
  std::string text;
  if (module != kBuiltins) text.append(module).append(".");
  text.append(type);
  if (!message.empty()) text.append(": ").append(message);
  return text;
}

std::string BrineOf(const Value& value) {
  MessageWriter out;
  out.Clear(0);
  brine::Write(value, out);
  std::string bytes;
  std::vector<iovec> pieces;
  out.AppendPieces(pieces);
  for (const iovec& piece : pieces) {
    bytes.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
  }
  return bytes;
}

std::string TextArgument(std::string_view message) {
  const Value text = Value::Text(message);
  return BrineOf(message.empty() ? Value::Tuple({}) : Value::Tuple({&text, 1}));
}

// Arguments as a person reads them: texts as they are, numbers in digits.
std::string Readable(std::span<const Value> arguments) {
  std::string text;
  for (const Value& argument : arguments) {
    if (!text.empty()) text += ", ";
    switch (argument.kind()) {
      case Kind::kText:
      case Kind::kBigInt:
      case Kind::kBytes:
        text += argument.bytes();
        break;
      case Kind::kInt:
        text += std::to_string(argument.integer());
        break;
      case Kind::kFloat:
        text += std::to_string(argument.real());
        break;
      case Kind::kBool:
        text += argument.boolean() ? "True" : "False";
        break;
      case Kind::kNone:
        text += "None";
        break;
      default:
        text += "…";
        break;
    }
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

}  // namespace

PythonError::PythonError(std::string_view type, std::string_view message)
    : PythonError(kBuiltins, type, TextArgument(message), message, {}) {}

PythonError::PythonError(std::string_view module, std::string_view type, std::string arguments,
                         std::string_view message, std::string traceback)
    : std::runtime_error(Describe(module, type, message)),
      module_(module),
      type_(type),
      message_(message),
      arguments_(std::move(arguments)),
      traceback_(std::move(traceback)) {}

namespace vinegar {

void Write(const PythonError& error, MessageWriter& out) {
  if (error.is("StopIteration")) return brine::WriteInt(1, out);
  brine::WriteTupleHead(4, out);
  brine::WriteTupleHead(2, out);
  brine::WriteText(error.module(), out);
  brine::WriteText(error.type(), out);
  out.Copy(error.arguments());
  brine::WriteTupleHead(1, out);
  brine::WriteTupleHead(2, out);
  brine::WriteText("_remote_version", out);
  brine::WriteText("<version denied>", out);
  brine::WriteText("<traceback denied>", out);
}

PythonError Read(const Value& body) {
  if (body.is(Kind::kInt) && body.integer() == 1) return PythonError::StopIteration();
  const auto parts = TupleOf(body);
  if (parts.size() != 4) throw ProtocolError("vinegar: not a tuple of 4");
  const auto name = TupleOf(parts[0]);
  if (name.size() != 2) throw ProtocolError("vinegar: not a class name");
  const auto arguments = TupleOf(parts[1]);
  return PythonError(TextOf(name[0]), TextOf(name[1]), BrineOf(parts[1]), Readable(arguments),
                     std::string(TextOf(parts[3])));
}

}  // namespace vinegar
}  // namespace rpycbench::rpyc

// Vinegar: exceptions as they cross the wire. A message names the class and never defines it: the
// receiver uses its own builtin class of that name, or a generic one. The arguments and the public
// attributes (OSError's errno, UnicodeDecodeError's object) travel along, because a builtin
// exception cannot print itself without them. A text for people says where the exception was
// raised.
#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "servers/rpyc/wire/message_writer.h"
#include "servers/rpyc/wire/value.h"

namespace rpycbench::rpyc {

// A Python exception, raised here to be sent to the peer or received from it. what() is
// "ValueError: size must not be negative: -1", with the module for a class outside builtins. Long
// arguments are shortened in it.
class PythonError : public std::runtime_error {
 public:
  // Makes a builtin exception with one text argument.
  PythonError(std::string_view type, std::string_view message);
  // Makes any exception. `arguments`, and the pairs (name, value) in `attributes`, are plain
  // values. `traceback` is the peer's text about it, if it came from there.
  PythonError(std::string_view module, std::string_view type, std::span<const Value> arguments,
              std::span<const Value> attributes, std::string_view traceback = {});

  static PythonError StopIteration() { return {"StopIteration", ""}; }

  const std::string& module() const { return module_; }
  const std::string& type() const { return type_; }
  const std::string& message() const { return message_; }      // the arguments, readable
  const std::string& arguments() const { return arguments_; }  // brine of a tuple
  // Returns the brine of each attribute, a pair (name, value).
  const std::vector<std::string>& attributes() const { return attributes_; }
  const std::string& traceback() const { return traceback_; }
  bool is(std::string_view builtin) const { return module_ == "builtins" && type_ == builtin; }

 private:
  PythonError(std::string_view module, std::string_view type, std::string_view message);

  std::string module_;
  std::string type_;
  std::string message_;
  std::string arguments_;
  std::vector<std::string> attributes_;
  std::string traceback_;
};

namespace vinegar {

// Returns the text that people on the peer's side read about an error. It has the request that
// raised the error, the error itself, and the peer's own text if the error came from there.
std::string Traceback(const PythonError& error, std::string_view request);

// Appends the body of an EXCEPTION message to `out`. The error and its traceback must stay
// unchanged until the message is sent.
void Write(const PythonError& error, std::string_view traceback, MessageWriter& out);

// Reads the body of an EXCEPTION message. Throws ProtocolError if it is not one.
PythonError Read(const Value& body);

}  // namespace vinegar
}  // namespace rpycbench::rpyc

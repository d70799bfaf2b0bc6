// Vinegar: how an exception crosses the wire. StopIteration is the integer 1; any other exception
// is the tuple ((module, class), arguments, attributes, traceback text), not boxed.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "servers/rpyc/arena.h"
#include "servers/rpyc/message_writer.h"
#include "servers/rpyc/value.h"

namespace rpycbench::rpyc {

// A Python exception: raised here to be sent to the peer, or received from it. what() is
// "ValueError: size must not be negative: -1", for a class outside builtins with its module.
class PythonError : public std::runtime_error {
 public:
  // A builtin exception with one text argument.
  PythonError(std::string_view type, std::string_view message);
  // `arguments` is brine of a plain tuple; `message` its readable form.
  PythonError(std::string_view module, std::string_view type, std::string arguments,
              std::string_view message, std::string traceback);

  static PythonError StopIteration() { return {"StopIteration", ""}; }

  const std::string& module() const { return module_; }
  const std::string& type() const { return type_; }
  const std::string& message() const { return message_; }
  const std::string& arguments() const { return arguments_; }  // brine of a tuple
  const std::string& traceback() const { return traceback_; }  // of the peer, if it sent one
  bool is(std::string_view builtin) const { return module_ == "builtins" && type_ == builtin; }

 private:
  std::string module_;
  std::string type_;
  std::string message_;
  std::string arguments_;
  std::string traceback_;
};

namespace vinegar {

// Appends the body of an EXCEPTION message. Our own tracebacks stay here: the text says so.
void Write(const PythonError& error, MessageWriter& out);

// Reads the body of an EXCEPTION message. Throws ProtocolError if it isn't one.
PythonError Read(const Value& body);

}  // namespace vinegar
}  // namespace rpycbench::rpyc

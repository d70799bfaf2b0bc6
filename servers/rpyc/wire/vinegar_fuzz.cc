// Fuzzes vinegar. An exception that can be read can be raised again, and arrives with the same
// class, arguments, attributes and message. The input is the brine of an EXCEPTION message's body.
#include <optional>

#include "servers/fuzz/property.h"
#include "servers/rpyc/testing/fuzz_values.h"
#include "servers/rpyc/wire/errors.h"
#include "servers/rpyc/wire/vinegar.h"

namespace rpycbench::rpyc {
namespace {

using fuzz::Check;

std::optional<PythonError> TryRead(std::string_view body, const brine::ReadLimits& limits) {
  Arena arena;
  try {
    return vinegar::Read(brine::Read(body, arena, limits));
  } catch (const ProtocolError&) {
    return std::nullopt;
  }
}

std::string Written(const PythonError& error) {
  MessageWriter out;
  out.Clear(0);
  const std::string traceback = vinegar::Traceback(error, "CALL");
  vinegar::Write(error, traceback, out);
  return Flat(out);
}

void Fuzz(std::string_view input) {
  const std::optional<PythonError> error = TryRead(input, kFuzzReadLimits);
  if (!error) return;
  Check(std::string_view(error->what()).size() <= input.size() + 4000,
        "what() is not much longer than what came");

  // The sender's version and traceback make it longer.
  const std::optional<PythonError> again = TryRead(Written(*error), {});
  Check(again && again->module() == error->module() && again->type() == error->type(),
        "the class survives being raised again");
  if (error->is("StopIteration")) return;  // only a 1, without arguments
  Check(again->arguments() == error->arguments() && again->message() == error->message(),
        "arguments and message survive being raised again");
  Check(again->attributes() == error->attributes(), "attributes survive being raised again");
  Check(again->traceback().ends_with(error->traceback()), "the peer's traceback is passed on");
}

}  // namespace
}  // namespace rpycbench::rpyc

void rpycbench::fuzz::Run(std::string_view input) { rpyc::Fuzz(input); }

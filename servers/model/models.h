// The concurrency models by name, as `bench_server --model` has them. A model is added by a file of
// its own and a line of the table in models.cc.
#pragma once

#include <map>
#include <string>

#include "servers/model/session.h"

namespace rpycbench::model {

struct Model {
  // Serves until stdin ends or SIGTERM arrives. Throws std::system_error if it cannot begin.
  void (*serve)(net::Listener& listener, const Session& session, const Limits& limits);
  // All connections share the descriptors of one process.
  bool one_process = true;
};

const std::map<std::string, Model>& Models();

}  // namespace rpycbench::model

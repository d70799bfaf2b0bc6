// The concurrency models by name, as `bench_server --model` lists them. To add a model, write a
// file for it and add a line to the table in models.cc.
#pragma once

#include <map>
#include <string>

#include "servers/model/session.h"

namespace rpycbench::model {

struct Model {
  // Serves until stdin ends or SIGTERM arrives. Throws std::system_error if it cannot begin.
  void (*serve)(net::Listener& listener, const Session& session, const Limits& limits);
  // Whether all connections share the descriptors of one process.
  bool one_process = true;
};

// Returns the table of models by name.
const std::map<std::string, Model>& Models();

}  // namespace rpycbench::model

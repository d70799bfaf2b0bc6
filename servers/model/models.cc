#include "servers/model/models.h"

#include "servers/model/forking.h"
#include "servers/model/multiplexed.h"
#include "servers/model/threaded.h"

namespace rpycbench::model {

const std::map<std::string, Model>& Models() {
  static const std::map<std::string, Model> models{
      {"async", {ServeAsync}},
      {"forking", {ServeForking, false}},
      {"threaded", {ServeThreaded}},
      {"threadpool", {ServeThreadPool}},
  };
  return models;
}

}  // namespace rpycbench::model

#include "servers/rpyc/method.h"

#include "servers/rpyc/connection.h"

namespace rpycbench::rpyc {

Value BindMethod(Scope& scope, Object& object, std::string_view name) {
  return scope.Keep(std::make_shared<Method>(object.shared_from_this(), name));
}

}  // namespace rpycbench::rpyc

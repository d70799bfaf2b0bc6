// The benchmark service as RPyC clients see it: the root object with the operations as exposed
// methods, reachable with and without the prefix; `crash` only where the service allows it.
#pragma once

#include <array>
#include <memory>

#include "servers/rpyc/object.h"
#include "servers/service/service.h"

namespace rpycbench::rpyc {

class BenchmarkRoot : public Object {
 public:
  // The service must outlive the root.
  explicit BenchmarkRoot(const service::Service& service) : service_(service) {}

  const service::Service& service() const { return service_; }

  std::string_view class_name() const override { return "rpycbench.BenchmarkService"; }
  Value GetAttr(Scope& scope, std::string_view name) override;
  Value CallAttr(Scope& scope, std::string_view name, const Arguments& arguments) override;
  std::vector<std::string_view> Members() const override;

 private:
  const service::Service& service_;
  // Made when first asked for; the same method is then the same object, as long as this one lives.
  std::vector<std::shared_ptr<Object>> methods_;
};

}  // namespace rpycbench::rpyc

// The benchmark service as RPyC clients see it. The root object exposes the operations as methods,
// with and without the prefix "exposed_". It has `crash` only if the service allows it. Its plain
// attributes are `value` and `setting`, of which the peer can set the latter.
#pragma once

#include <cstdint>
#include <memory>

#include "servers/rpyc/object.h"
#include "servers/service/service.h"

namespace rpycbench::rpyc {

class BenchmarkRoot : public Object {
 public:
  // Exposes `service`, which must outlive the root.
  explicit BenchmarkRoot(const service::Service& service) : service_(service) {}

  const service::Service& service() const { return service_; }

  std::string_view class_name() const override { return "rpycbench.BenchmarkService"; }
  Value GetAttr(Scope& scope, std::string_view name) override;
  void SetAttr(Scope& scope, std::string_view name, const Value& value) override;
  Value CallAttr(Scope& scope, std::string_view name, const Arguments& arguments) override;
  std::vector<std::string_view> Members() const override;
  std::vector<std::string_view> Attributes() const override;

 private:
  const service::Service& service_;
  std::int64_t setting_ = 0;
  // Each method is made on first use and lives as long as the root, so it is always the same
  // object.
  std::vector<std::shared_ptr<Object>> methods_;
};

}  // namespace rpycbench::rpyc

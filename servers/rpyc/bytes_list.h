// A Python list of byte strings that stays on this end. The peer gets a reference and fetches item
// by item, as Python programs do with lists that they pass or return. The items are chunks of a
// payload. A list and its slices hold positions only, so a peer cannot fill the memory with lists
// it keeps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "servers/rpyc/object.h"
#include "servers/service/service.h"

namespace rpycbench::rpyc {

class BytesList : public Object {
 public:
  // Makes a list of all chunks. Each chunk must be contiguous, and its bytes must outlive the list.
  explicit BytesList(const service::Chunks& chunks) : BytesList(chunks, 0, 1, chunks.count()) {}

  std::size_t size() const { return size_; }
  std::string_view at(std::size_t index) const {
    const std::int64_t chunk = first_ + static_cast<std::int64_t>(index) * step_;
    return chunks_.at(static_cast<std::size_t>(chunk)).contiguous();
  }

  std::string_view class_name() const override { return "builtins.list"; }
  Value GetAttr(Scope& scope, std::string_view name) override;
  Value CallAttr(Scope& scope, std::string_view name, const Arguments& arguments) override;
  Value NextItems(Scope& scope, std::size_t count) override;
  std::string Repr() const override;
  // Compares the contents with another list of this end.
  Value Compare(std::string_view operation, const Value& other) const override;
  // Throws PythonError (TypeError), as the hash of every Python list does.
  std::int64_t Hash() const override;
  std::vector<std::string_view> Members() const override;

 private:
  // Makes a list of every `step`-th chunk, beginning with the chunk `first`.
  BytesList(const service::Chunks& chunks, std::int64_t first, std::int64_t step, std::size_t size)
      : chunks_(chunks), first_(first), step_(step), size_(size) {}

  Value GetItem(Scope& scope, const Value& index);
  Value GetSlice(Scope& scope, const Value& slice);

  service::Chunks chunks_;
  std::int64_t first_;
  std::int64_t step_;
  std::size_t size_;
};

}  // namespace rpycbench::rpyc

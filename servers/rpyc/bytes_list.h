// A list of byte strings, which are chunks of a payload.
#pragma once

#include <memory>
#include <string_view>

#include "servers/rpyc/list.h"
#include "servers/service/service.h"

namespace rpycbench::rpyc {

// Returns a chunk as bytes. If it is in several pieces, adds their list to `pieces`.
inline Value ChunkValue(const service::Payload& chunk, PieceLists& pieces) {
  if (chunk.is_contiguous()) return Value::Bytes(chunk.contiguous());
  chunk.AppendPieces(pieces.emplace_front());
  return Value::Pieces(pieces.front());
}

class BytesList : public List {
 public:
  // Makes a list of all chunks, whose bytes must outlive the list.
  explicit BytesList(const service::Chunks& chunks) : List(chunks.count()), chunks_(chunks) {}

 private:
  BytesList(const service::Chunks& chunks, const Range& range) : List(range), chunks_(chunks) {}

  Item ItemAt(std::size_t place, PieceLists& pieces) const override {
    return {ChunkValue(chunks_.at(place), pieces)};
  }
  std::shared_ptr<List> Slice(const Range& range) const override {
    return std::shared_ptr<List>(new BytesList(chunks_, range));
  }
  std::string_view noun() const override { return "byte strings"; }

  service::Chunks chunks_;
};

}  // namespace rpycbench::rpyc

// One received message with everything that belongs to it: its bytes, its tuples, its references,
// and the objects that a handler made for the answer. Messages are recycled, so a connection in
// steady state allocates nothing.
#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <deque>
#include <forward_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "servers/rpyc/object.h"
#include "servers/rpyc/wire/arena.h"
#include "servers/rpyc/wire/envelope.h"
#include "servers/rpyc/wire/frame.h"

namespace rpycbench::rpyc {

// The references of a message. Values point to them, so they must not move. Most messages bring
// none, so memory is allocated only for the first.
class References {
 public:
  const Reference& Add(const IdPack& id) {
    if (!references_) references_.emplace();
    return references_->emplace_back(Reference{id});
  }
  // Calls visit(reference) for each.
  template <class Visit>
  void ForEach(Visit visit) const {
    if (references_) std::for_each(references_->begin(), references_->end(), visit);
  }
  std::size_t size() const { return references_ ? references_->size() : 0; }
  void Clear() {
    if (references_) references_->clear();
  }

 private:
  std::optional<std::deque<Reference>> references_;
};

class Connection;
struct Message;

// Gives a message back to its connection for reuse.
struct MessageRecycler {
  Connection* connection;
  void operator()(Message* message) const noexcept;
};
using MessagePtr = std::unique_ptr<Message, MessageRecycler>;

struct Message {
  FrameStorage frame;
  Arena arena;
  Envelope envelope;
  References references;
  std::vector<std::shared_ptr<Object>> objects;
  std::vector<iovec> pieces;
  PieceLists piece_lists;
  std::forward_list<std::string> texts;
  std::vector<MessagePtr> answers;  // to nested requests; parts of them go into the answer
  std::int64_t peer_thread = 0;     // the thread that sent it, if messages have thread numbers
  std::size_t held = 0;             // memory() as the connection last counted it, in bytes

  // Returns the memory of this message in bytes, without what every message takes.
  std::size_t memory() const { return frame.bytes.capacity() + arena.bytes(); }
  void Clear() {
    arena.Clear();
    references.Clear();
    objects.clear();
    pieces.clear();
    piece_lists.clear();
    texts.clear();
    answers.clear();
  }
};

}  // namespace rpycbench::rpyc

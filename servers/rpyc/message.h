// One received message with everything that hangs on it: its bytes, its tuples, the references it
// brought, and the objects a handler made for the answer. Messages are recycled, so that a
// connection in steady state allocates nothing.
#pragma once

#include <sys/uio.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "servers/rpyc/arena.h"
#include "servers/rpyc/envelope.h"
#include "servers/rpyc/frame.h"
#include "servers/rpyc/object.h"

namespace rpycbench::rpyc {

struct Message {
  FrameStorage frame;
  Arena arena;
  Envelope envelope;
  std::deque<Reference> references;  // a deque, for values point to its elements
  std::vector<std::shared_ptr<Object>> objects;
  std::vector<iovec> pieces;
  std::deque<std::string> texts;

  void Clear() {
    arena.Clear();
    references.clear();
    objects.clear();
    pieces.clear();
    texts.clear();
  }
};

}  // namespace rpycbench::rpyc

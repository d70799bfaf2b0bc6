// What Boost.Context's library has if it was built for ucontext: the record of the stack that a
// thread runs on.
#include <boost/context/fiber.hpp>

namespace boost::context::detail {

fiber_activation_record*& fiber_activation_record::current() noexcept {
  thread_local fiber_activation_record of_the_thread;
  thread_local fiber_activation_record* running = &of_the_thread;
  return running;
}

}  // namespace boost::context::detail

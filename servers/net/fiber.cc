#include "servers/net/fiber.h"

#include <cxxabi.h>

#include <boost/context/detail/fcontext.hpp>
#include <boost/context/protected_fixedsize_stack.hpp>
#include <utility>

#if defined(__has_feature)  // Clang's way to tell
#if __has_feature(address_sanitizer)
#define RPYCBENCH_ASAN_FIBERS
#elif __has_feature(thread_sanitizer)
#define RPYCBENCH_TSAN_FIBERS
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define RPYCBENCH_ASAN_FIBERS
#elif defined(__SANITIZE_THREAD__)
#define RPYCBENCH_TSAN_FIBERS
#endif
#if defined(RPYCBENCH_ASAN_FIBERS)
#include <sanitizer/common_interface_defs.h>
#elif defined(RPYCBENCH_TSAN_FIBERS)
#include <sanitizer/tsan_interface.h>
#endif

namespace rpycbench::net {
namespace {

namespace context = boost::context;

// As deep as nested requests and nested values go at their highest limits; sanitizers make frames
// several times as large.
#if defined(RPYCBENCH_ASAN_FIBERS) || defined(RPYCBENCH_TSAN_FIBERS)
constexpr std::size_t kStackBytes = 8 << 20;
#else
constexpr std::size_t kStackBytes = 1 << 20;
#endif

// The exceptions that a thread is handling belong to its stack. A fiber that suspends in a catch
// block takes its own along, or the next fiber's block would end them.
class HandledExceptions {
 public:
  void Swap() {
    auto& threads = *reinterpret_cast<State*>(abi::__cxa_get_globals());
    std::swap(threads, saved_);
  }

 private:
  // As the C++ ABI for exception handling lays out __cxa_eh_globals (section 2.2.2).
  struct State {
    void* caught = nullptr;
    unsigned int uncaught = 0;
  };
  State saved_;
};

// What a sanitizer must know of the two sides of a switch; nothing in other builds.
class Switch {
 public:
#if defined(RPYCBENCH_ASAN_FIBERS)
  explicit Switch(const context::stack_context& stack)
      : bottom_(static_cast<char*>(stack.sp) - stack.size), size_(stack.size) {}
  void BeforeEntering() { __sanitizer_start_switch_fiber(&threads_, bottom_, size_); }
  void Entered() { __sanitizer_finish_switch_fiber(own_, &thread_bottom_, &thread_size_); }
  void BeforeLeaving(bool for_good) {
    __sanitizer_start_switch_fiber(for_good ? nullptr : &own_, thread_bottom_, thread_size_);
  }
  void Left() { __sanitizer_finish_switch_fiber(threads_, nullptr, nullptr); }

 private:
  void* threads_ = nullptr;
  void* own_ = nullptr;
  const void* bottom_;
  std::size_t size_;
  const void* thread_bottom_ = nullptr;
  std::size_t thread_size_ = 0;
#elif defined(RPYCBENCH_TSAN_FIBERS)
  explicit Switch(const context::stack_context&) : own_(__tsan_create_fiber(0)) {}
  ~Switch() { __tsan_destroy_fiber(own_); }
  void BeforeEntering() {
    thread_ = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(own_, 0);
  }
  void Entered() {}
  void BeforeLeaving(bool) { __tsan_switch_to_fiber(thread_, 0); }
  void Left() {}

 private:
  void* own_;
  void* thread_ = nullptr;
#else
  explicit Switch(const context::stack_context&) {}
  void BeforeEntering() {}
  void Entered() {}
  void BeforeLeaving(bool) {}
  void Left() {}
#endif
};

}  // namespace

// Switches stacks by what lies below boost::context::fiber. That class keeps the handled exceptions
// as well, from Boost 1.88 on, but by an address that it looks up on one thread and may use on the
// next (its issue 323).
class Fiber::Context {
 public:
  Context()
      : stack_(context::protected_fixedsize_stack(kStackBytes).allocate()),
        switch_(stack_),
        own_(context::detail::make_fcontext(stack_.sp, stack_.size, &Enter)) {}

  ~Context() {
    quit_ = true;
    Resume();
    context::protected_fixedsize_stack(kStackBytes).deallocate(stack_);
  }

  void Assign(std::function<void()> body) {
    body_ = std::move(body);
    ended_ = false;
  }

  bool Resume() {
    handled_.Swap();
    switch_.BeforeEntering();
    own_ = context::detail::jump_fcontext(own_, this).fctx;
    switch_.Left();
    handled_.Swap();
    return ended_;
  }

  void Suspend() {
    switch_.BeforeLeaving(false);
    thread_ = context::detail::jump_fcontext(thread_, nullptr).fctx;
    switch_.Entered();
  }

 private:
  // Where the stack begins. It is left for good by the last switch, with nothing on it to destroy.
  static void Enter(context::detail::transfer_t from) noexcept {
    auto& self = *static_cast<Context*>(from.data);
    self.thread_ = from.fctx;
    self.switch_.Entered();
    self.RunBodies();
    self.switch_.BeforeLeaving(true);
    context::detail::jump_fcontext(self.thread_, nullptr);
  }

  void RunBodies() {
    while (!quit_) {
      body_();
      body_ = nullptr;
      ended_ = true;
      Suspend();
    }
  }

  context::stack_context stack_;
  Switch switch_;
  HandledExceptions handled_;
  std::function<void()> body_;
  bool ended_ = true;
  bool quit_ = false;
  context::detail::fcontext_t thread_ = nullptr;  // what runs the fiber, while it runs
  context::detail::fcontext_t own_;               // the fiber, while it doesn't
};

Fiber::Fiber() : context_(std::make_unique<Context>()) {}
Fiber::~Fiber() = default;
void Fiber::Assign(std::function<void()> body) { context_->Assign(std::move(body)); }
bool Fiber::Resume() { return context_->Resume(); }
void Fiber::Suspend() { context_->Suspend(); }

}  // namespace rpycbench::net

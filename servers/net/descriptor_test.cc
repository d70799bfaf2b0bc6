// Tests that a descriptor is closed exactly once, together with its last owner. The tests rely on
// the kernel to hand out the lowest free number.
#include "servers/net/descriptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <type_traits>

namespace rpycbench::net {
namespace {

int OpenNull() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

bool IsOpen(int descriptor) { return ::fcntl(descriptor, F_GETFD) >= 0; }

TEST(DescriptorTest, IsClosedWithItsOwner) {
  int number = -1;
  {
    const Descriptor descriptor(OpenNull());
    number = descriptor.get();
    EXPECT_TRUE(descriptor.is_open());
    EXPECT_TRUE(IsOpen(number));
  }
  EXPECT_FALSE(IsOpen(number));
}

TEST(DescriptorTest, IsClosedOnce) {
  Descriptor descriptor(OpenNull());
  const int number = descriptor.get();
  descriptor.Close();
  EXPECT_FALSE(descriptor.is_open());
  const Descriptor others(OpenNull());
  ASSERT_EQ(others.get(), number) << "the kernel gives the lowest that is free";
  descriptor.Close();
  EXPECT_TRUE(IsOpen(number));
}

TEST(DescriptorTest, ChangesItsOwner) {
  static_assert(!std::is_copy_constructible_v<Descriptor>);
  static_assert(std::is_nothrow_move_constructible_v<Descriptor>);
  Descriptor first(OpenNull());
  const int number = first.get();
  Descriptor second(std::move(first));
  EXPECT_FALSE(first.is_open());
  EXPECT_EQ(second.get(), number);

  Descriptor third(OpenNull());
  const int replaced = third.get();
  third = std::move(second);
  EXPECT_FALSE(IsOpen(replaced));
  EXPECT_FALSE(second.is_open());
  EXPECT_EQ(third.get(), number);
  EXPECT_TRUE(IsOpen(number));

  Descriptor& same = third;
  third = std::move(same);
  EXPECT_EQ(third.get(), number);
  EXPECT_TRUE(IsOpen(number));
}

}  // namespace
}  // namespace rpycbench::net

#include "bench/report/display/terminal.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "bench/report/display/styled_line.h"
#include "servers/net/descriptor.h"

namespace rpycbench {
namespace {

// There is no terminal here; table_test.py tests a real one.
class NoTerminalTest : public testing::Test {
 protected:
  NoTerminalTest() : descriptor_(::open("/dev/null", O_WRONLY | O_CLOEXEC)) {}
  ~NoTerminalTest() override { ::unsetenv("COLUMNS"); }

  net::Descriptor descriptor_;
};

TEST_F(NoTerminalTest, HasTheWidthThatColumnsSays) {
  ::setenv("COLUMNS", "132", 1);
  EXPECT_EQ(TerminalColumns(descriptor_.get(), 100), 132);
  for (const char* useless : {"", "0", "-5", "wide", "80x"}) {
    ::setenv("COLUMNS", useless, 1);
    EXPECT_EQ(TerminalColumns(descriptor_.get(), 100), 100) << useless;
  }
}

TEST_F(NoTerminalTest, HasNoColors) {
  EXPECT_FALSE(IsTerminal(descriptor_.get()));
  EXPECT_FALSE(SuitsColors(descriptor_.get()));
}

TEST(StyledLineTest, EndsWithItsText) {
  StyledLine line;
  line.Add("a ").Add("µ ", Style::kDim).Add("  ", Style::kRed);
  EXPECT_EQ(line.width(), 6);
  EXPECT_EQ(line.Text(false), "a µ");
  EXPECT_EQ(line.Text(true), "a \033[2mµ\033[0m");
}

}  // namespace
}  // namespace rpycbench

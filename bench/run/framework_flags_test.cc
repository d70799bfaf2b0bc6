// Tests that the framework's flags are read as the framework reads them. Values that the framework
// would ignore or answer with success must be refused. The message names the flag and what is
// valid.
#include "bench/run/framework_flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "fixtures/usage_error.h"
#include "servers/net/testing/message_of.h"

namespace rpycbench {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Sets an environment variable for the duration of a test.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() { ::unsetenv(name_); }

 private:
  const char* name_;
};

std::string Refusal(const std::vector<std::string>& arguments) {
  return MessageOf<UsageError>([&] { FrameworkFlags flags(arguments); });
}

TEST(FrameworkFlags, OwnsTheFrameworksArgumentsOnly) {
  EXPECT_TRUE(FrameworkFlags::Owns("--benchmark_filter=x"));
  EXPECT_TRUE(FrameworkFlags::Owns("--benchmark_list_tests"));
  EXPECT_TRUE(FrameworkFlags::Owns("--v=1"));
  EXPECT_FALSE(FrameworkFlags::Owns("--version"));
  EXPECT_FALSE(FrameworkFlags::Owns("--requests=1"));
  EXPECT_FALSE(FrameworkFlags::Owns("benchmark_filter=x"));
}

TEST(FrameworkFlags, TheLastArgumentCounts) {
  FrameworkFlags flags({"--benchmark_out=a=b", "--benchmark_filter=x", "--benchmark_filter=y"});
  EXPECT_EQ(flags.Value("benchmark_filter"), "y");
  EXPECT_EQ(flags.Value("benchmark_out"), "a=b");
  EXPECT_EQ(flags.Value("benchmark_format"), std::nullopt);
  EXPECT_EQ(flags.ValueOr("benchmark_format", "console"), "console");
  flags.Set("benchmark_filter", "z");
  EXPECT_EQ(flags.Value("benchmark_filter"), "z");
}

TEST(FrameworkFlags, TheEnvironmentCountsWhereNoArgumentDoes) {
  const Variable variable("BENCHMARK_FORMAT", "json");
  EXPECT_EQ(FrameworkFlags({}).Value("benchmark_format"), "json");
  EXPECT_EQ(FrameworkFlags({"--benchmark_format=csv"}).Value("benchmark_format"), "csv");
}

TEST(FrameworkFlags, SwitchesAreReadAsTheFrameworkDoes) {
  EXPECT_FALSE(FrameworkFlags({}).On("benchmark_list_tests"));
  for (const char* on : {"", "=true", "=True", "=1", "=yes", "=on", "=t", "=y", "="}) {
    EXPECT_TRUE(
        FrameworkFlags({std::string("--benchmark_list_tests") + on}).On("benchmark_list_tests"))
        << on;
  }
  for (const char* off : {"=false", "=0", "=no", "=off", "=F", "=n"}) {
    EXPECT_FALSE(
        FrameworkFlags({std::string("--benchmark_list_tests") + off}).On("benchmark_list_tests"))
        << off;
  }
}

TEST(FrameworkFlags, GoodValuesAreAccepted) {
  EXPECT_EQ(
      Refusal({"--benchmark_min_time=0", "--benchmark_min_time=0.5", "--benchmark_min_time=2s",
               "--benchmark_min_time=1e-2", "--benchmark_min_time=100x",
               "--benchmark_repetitions=1", "--benchmark_color=auto", "--benchmark_context=a=b,c=d",
               "--benchmark_time_unit=ms", "--v=-1", "--benchmark_filter=-Latency",
               "--benchmark_filter=", "--benchmark_out_format=csv",
               "--benchmark_min_warmup_time=0.1"}),
      "");
}

TEST(FrameworkFlags, BadValuesAreRefusedNamingTheValidOnes) {
  const struct {
    const char* argument;
    const char* valid;
  } cases[] = {
      {"--benchmark_min_time=abc", "seconds"},
      {"--benchmark_min_time=", "seconds"},
      {"--benchmark_min_time=-1", "seconds"},
      {"--benchmark_min_time=nan", "seconds"},
      {"--benchmark_min_time=x", "seconds"},
      {"--benchmark_min_time=1.5x", "seconds"},
      {"--benchmark_min_warmup_time=1m", "seconds"},
      {"--benchmark_repetitions=x", "whole number from 1"},
      {"--benchmark_repetitions=0", "whole number from 1"},
      {"--benchmark_repetitions=-3", "whole number from 1"},
      {"--benchmark_repetitions", "whole number from 1"},
      {"--benchmark_format=xml", "console, json or csv"},
      {"--benchmark_out_format=xml", "json, console or csv"},
      {"--benchmark_color=blue", "auto, true or false"},
      {"--benchmark_time_unit=min", "ns, us, ms or s"},
      {"--benchmark_list_tests=maybe", "true or false"},
      {"--benchmark_context=a", "<key>=<value>"},
      {"--v=x", "whole number"},
  };
  for (const auto& [argument, valid] : cases) {
    const std::string flag = std::string(argument).substr(0, std::string(argument).find('='));
    EXPECT_THAT(Refusal({argument}), AllOf(HasSubstr(flag), HasSubstr(valid))) << argument;
  }
}

TEST(FrameworkFlags, ABadValueInTheEnvironmentIsRefusedToo) {
  const Variable variable("BENCHMARK_REPETITIONS", "many");
  EXPECT_THAT(Refusal({}), HasSubstr("--benchmark_repetitions"));
}

}  // namespace
}  // namespace rpycbench

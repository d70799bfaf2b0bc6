// Tests what the list of types promises to its readers.
#include "bench/types/types.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "fixtures/options.h"

namespace rpycbench {
namespace {

TEST(Types, HaveNamesOfTheirOwnAndSayWhatTheyTime) {
  std::set<std::string_view> names;
  for (const BenchmarkType* type : AllTypes()) {
    EXPECT_TRUE(names.insert(type->name).second) << type->name;
    EXPECT_NE(type->timed, "") << type->name;
    EXPECT_NE(type->variants, "") << type->name;
  }
}

TEST(Types, NameCountersAndFlagsThatThereAre) {
  const auto is_known = [](const Counter& counter) {
    const auto has = [&](const auto& all) {
      return std::ranges::count(all, std::string_view(counter.name), [](const Counter& known) {
               return std::string_view(known.name);
             }) == 1;
    };
    return has(counter::kAll) || has(counter::kFrameworks);
  };
  std::set<std::string> flags;
  for (const FlagHelp& flag : Flags()) flags.insert(flag.name);
  for (const BenchmarkType* type : AllTypes()) {
    EXPECT_TRUE(is_known(type->primary.counter)) << type->name;
    for (const Counter& counter : type->counters) {
      EXPECT_TRUE(is_known(counter)) << type->name << ": " << counter.name;
    }
    for (const std::string_view flag : type->flags) {
      EXPECT_TRUE(flags.contains(std::string(flag))) << type->name << ": " << flag;
    }
  }
}

TEST(TypeTable, HasAPlainTypeForUnknownNames) {
  const TypeTable types(AllTypes());
  EXPECT_EQ(types.Find("Concurrent").name, "Concurrent");
  EXPECT_TRUE(types.Find("Concurrent").is_rate);
  EXPECT_EQ(types.Find("NoSuchType").name, "");
  EXPECT_FALSE(types.Find("NoSuchType").is_rate);
}

}  // namespace
}  // namespace rpycbench

// Tests exceptions on their way through this end: what is kept, and what people read about them.
#include "servers/rpyc/wire/vinegar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "servers/rpyc/testing/fuzz_values.h"
#include "servers/rpyc/wire/brine.h"
#include "servers/rpyc/wire/errors.h"

namespace rpycbench::rpyc {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;

// Returns the exception that a peer reads from the sent one.
PythonError Crossed(const PythonError& error) {
  MessageWriter out;
  out.Clear(0);
  const std::string traceback = vinegar::Traceback(error, "CALL");
  vinegar::Write(error, traceback, out);
  Arena arena;
  const std::string bytes = Flat(out);
  return vinegar::Read(brine::Read(bytes, arena));
}

TEST(VinegarTest, EverythingOfAnExceptionCrosses) {
  const Value arguments[] = {Value::Int(2), Value::Text("No such file")};
  const Value errno_pair[] = {Value::Text("errno"), Value::Int(2)};
  const Value attributes[] = {Value::Tuple(errno_pair)};
  const PythonError error("builtins", "FileNotFoundError", arguments, attributes);
  const PythonError crossed = Crossed(error);
  EXPECT_TRUE(crossed.is("FileNotFoundError"));
  EXPECT_STREQ(crossed.what(), "FileNotFoundError: 2, No such file");
  EXPECT_EQ(crossed.arguments(), brine::Dump(Value::Tuple(arguments)));
  EXPECT_THAT(crossed.attributes(), testing::ElementsAre(brine::Dump(attributes[0])));
  EXPECT_EQ(crossed.traceback(),
            "Traceback (most recent call last):\n  rpycbench, serving CALL\n"
            "FileNotFoundError: 2, No such file\n");
}

TEST(VinegarTest, TracebacksOfEveryHopAreKeptAndNumbered) {
  const PythonError thrice = Crossed(Crossed(Crossed(PythonError("ValueError", "bad"))));
  EXPECT_THAT(thrice.traceback(), StartsWith("Traceback (most recent call last):\n"));
  EXPECT_THAT(thrice.traceback(), HasSubstr("ValueError: bad\n\n\n========= Remote Traceback (2) "
                                            "=========\nTraceback (most recent call last):\n"));
  EXPECT_THAT(thrice.traceback(), HasSubstr("========= Remote Traceback (1) ========="));
  EXPECT_THAT(thrice.traceback(), EndsWith("ValueError: bad\n"));
}

TEST(VinegarTest, TheEndOfAnIterationIsOneByte) {
  MessageWriter out;
  out.Clear(0);
  vinegar::Write(PythonError::StopIteration(), "", out);
  EXPECT_EQ(out.bytes(), "\x51");
  EXPECT_TRUE(Crossed(PythonError::StopIteration()).is("StopIteration"));
}

TEST(VinegarTest, WhatPeopleReadIsTextAndShortWhateverThePeerSent) {
  const std::string bytes = "a'\xff" + std::string(1'000'000, '\0');
  std::string text = "x";
  for (int i = 0; i < 100'000; ++i) text += "ü";
  const Value binary[] = {Value::Bytes(bytes)};
  const Value words[] = {Value::Text(text)};
  const std::vector<Value> many(100'000, Value::Int(1));
  const PythonError of_bytes("builtins", "ValueError", binary, {});
  const PythonError of_text("builtins", "ValueError", words, {});
  const PythonError of_many("builtins", "ValueError", many, {});
  EXPECT_THAT(of_bytes.what(), StartsWith("ValueError: b'a\\x27\\xff\\x00\\x00"));
  EXPECT_THAT(of_text.what(), StartsWith("ValueError: xüü"));
  EXPECT_THAT(of_text.what(), EndsWith("ü…"));
  for (const PythonError& error : {of_bytes, of_text, of_many}) {
    EXPECT_LT(error.message().size(), 2000u);
    EXPECT_THAT(Crossed(error).arguments(), SizeIs(error.arguments().size()));
  }
}

TEST(VinegarTest, ABodyThatIsNoneIsRefused) {
  const Value name[] = {Value::Text("builtins"), Value::Text("ValueError")};
  const Value lonely[] = {Value::Text("name without a value")};
  const Value unpaired[] = {Value::Tuple(lonely)};
  const Value text = Value::Text("");
  const Value none[] = {Value::Tuple({})};
  const Value bodies[][4] = {
      {Value::Tuple({}), Value::Tuple({}), Value::Tuple({}), text},
      {Value::Tuple(name), Value::Int(1), Value::Tuple({}), text},
      {Value::Tuple(name), Value::Tuple({}), Value::Int(1), text},
      {Value::Tuple(name), Value::Tuple({}), Value::Tuple(unpaired), text},
      {Value::Tuple(name), Value::Tuple({}), Value::Tuple(none), text},
      {Value::Tuple(name), Value::Tuple({}), Value::Tuple({}), Value::Int(1)},
  };
  for (const auto& body : bodies) {
    EXPECT_THROW(vinegar::Read(Value::Tuple(body)), ProtocolError);
  }
  for (const Value& body : {Value::Int(2), Value::Text("string exception"), Value::None()}) {
    EXPECT_THROW(vinegar::Read(body), ProtocolError);
  }
}

}  // namespace
}  // namespace rpycbench::rpyc

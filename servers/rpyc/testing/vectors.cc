#include "servers/rpyc/testing/vectors.h"

#include <bit>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "servers/net/text.h"

namespace rpycbench::rpyc {
namespace {

using Json = boost::json::object;

double DoubleOf(const boost::json::value& bits) {
  return std::bit_cast<double>(
      static_cast<std::uint64_t>(std::stoull(std::string(bits.as_string()), nullptr, 16)));
}

Value IntegerOf(const std::string& digits) {
  const auto value = ParseWhole<std::int64_t>(digits);
  return value ? Value::Int(*value) : Value::BigInt(digits);
}

}  // namespace

const Json& Vectors() {
  static const boost::json::value vectors = [] {
    std::ifstream file(RPYCBENCH_TESTDATA "/vectors.json");
    const std::string text(std::istreambuf_iterator<char>(file), {});
    boost::json::parse_options options;
    options.max_depth = 2000;
    return boost::json::parse(text, {}, options);
  }();
  return vectors.as_object();
}

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return bytes;
}

std::string ToHex(std::string_view bytes) {
  std::string hex;
  for (const char byte : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    hex += kDigits[static_cast<unsigned char>(byte) >> 4];
    hex += kDigits[static_cast<unsigned char>(byte) & 15];
  }
  return hex;
}

Value ValueOf(const Json& typed, Arena& arena, std::deque<std::string>& texts) {
  const std::string_view type = typed.at("t").as_string();
  const auto text = [&](const char* key) -> const std::string& {
    return texts.emplace_back(FromHex(typed.at(key).as_string()));
  };
  const auto items = [&]() -> std::span<const Value> {
    const auto& list = typed.at("items").as_array();
    const std::span<Value> values = arena.Allocate(list.size());
    for (std::size_t i = 0; i < list.size(); ++i) {
      values[i] = ValueOf(list[i].as_object(), arena, texts);
    }
    return values;
  };
  if (type == "none") return Value::None();
  if (type == "bool") return Value::Bool(typed.at("v").as_bool());
  if (type == "notimplemented") return Value::NotImplemented();
  if (type == "ellipsis") return Value::Ellipsis();
  if (type == "int") return IntegerOf(texts.emplace_back(typed.at("v").as_string()));
  if (type == "float") return Value::Float(DoubleOf(typed.at("bits")));
  if (type == "complex") return Value::Complex(DoubleOf(typed.at("re")), DoubleOf(typed.at("im")));
  if (type == "bytes") return Value::Bytes(text("hex"));
  if (type == "str") return Value::Text(text("utf8"));
  if (type == "tuple") return Value::Tuple(items());
  if (type == "slice") return Value::Slice(items().first<3>());
  if (type == "frozenset") return Value::FrozenSet(items());
  throw std::runtime_error("unknown type in the recording: " + std::string(type));
}

}  // namespace rpycbench::rpyc

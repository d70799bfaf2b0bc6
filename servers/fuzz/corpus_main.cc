// Runs a fuzz target without a fuzzer: over every file of a corpus, then over mutants of them, the
// same ones in every run. It needs no special compiler, so the tests of each build try what the
// fuzzers once found and a few thousand mutants. The current input is always in the file
// "<program>.input", which remains if the program dies.
//
//   brine_fuzz file-or-folder…
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "servers/fuzz/property.h"

namespace {

namespace fs = std::filesystem;

constexpr int kMutants = 2000;

std::string Contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// Reads the files in the order of their names, because the mutants depend on it.
std::vector<std::string> ReadCorpus(const std::vector<fs::path>& paths) {
  std::vector<fs::path> files;
  for (const fs::path& path : paths) {
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(path)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  std::vector<std::string> inputs;
  std::transform(files.begin(), files.end(), std::back_inserter(inputs), Contents);
  if (inputs.empty()) throw std::runtime_error("the corpus is empty");
  return inputs;
}

class Mutator {
 public:
  explicit Mutator(const std::vector<std::string>& inputs) : inputs_(inputs) {}

  std::string Next() {
    std::string bytes = inputs_[Below(inputs_.size())];
    for (std::size_t left = 1 + Below(4); left > 0; --left) Change(bytes);
    return bytes;
  }

 private:
  // The numbers of a generator are the same everywhere; those of a distribution are not.
  std::size_t Below(std::size_t limit) { return limit == 0 ? 0 : random_() % limit; }

  void Change(std::string& bytes) {
    const std::size_t at = Below(bytes.size());
    const std::size_t count = Below(std::min<std::size_t>(bytes.size() - at, 64) + 1);
    switch (Below(6)) {
      case 0:
        if (!bytes.empty()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << Below(8)));
        break;
      case 1:
        if (!bytes.empty()) bytes[at] = static_cast<char>(Below(256));
        break;
      case 2:
        bytes.resize(at);
        break;
      case 3:
        bytes.erase(at, count);
        break;
      case 4:
        bytes.insert(at, bytes.substr(at, count));
        break;
      default: {
        const std::string& other = inputs_[Below(inputs_.size())];
        bytes.replace(at, count, other.substr(Below(other.size()), count));
      }
    }
  }

  const std::vector<std::string>& inputs_;
  std::mt19937_64 random_{1};
};

void Try(const std::string& input, const fs::path& kept) {
  std::ofstream(kept, std::ios::binary) << input;
  // The memory has exactly this size, so that a sanitizer sees a byte read too far.
  const auto bytes = std::make_unique<char[]>(input.size());
  std::copy(input.begin(), input.end(), bytes.get());
  rpycbench::fuzz::Run({bytes.get(), input.size()});
}

}  // namespace

int main(int argc, char** argv) {
  const fs::path kept = fs::path(argv[0]).filename().string() + ".input";
  try {
    const std::vector<std::string> inputs = ReadCorpus({argv + 1, argv + argc});
    for (const std::string& input : inputs) Try(input, kept);
    Mutator mutator(inputs);
    for (int i = 0; i < kMutants; ++i) Try(mutator.Next(), kept);
    fs::remove(kept);
    std::cout << inputs.size() << " inputs and " << kMutants << " mutants: all properties hold\n";
    return 0;
  } catch (const rpycbench::fuzz::BrokenProperty& broken) {
    std::cerr << broken.what() << "; the input is in " << fs::absolute(kept) << '\n';
  } catch (const std::exception& error) {
    std::cerr << "no corpus, or an exception that the layer does not document: " << error.what()
              << "; the last input, if any, is in " << fs::absolute(kept) << '\n';
  }
  return 1;
}

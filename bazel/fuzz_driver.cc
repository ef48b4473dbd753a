// SPDX-License-Identifier: Apache-2.0
//
// main() of the fixed, short form of a fuzz test (see kpath_cc_fuzz_test in kpath.bzl): feeds the
// target each corpus file as it is, then mutated ones, which are the same in every run.
//
//   NAME_fuzz_test [--mutations=N] FILE...
//
// When the target crashes, the input at hand stands in $TEST_TMPDIR/fuzz_input (or ./fuzz_input).

#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace kpath {
namespace {

// splitmix64: the same numbers with every compiler and library.
class FixedRandom {
 public:
  uint64_t Next() {
    uint64_t z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  // A number in [0, bound); bound > 0.
  size_t Below(size_t bound) { return Next() % bound; }

 private:
  uint64_t state_ = 1;
};

// Makes one small change to `input`; `other` is a corpus file from which a piece may be copied.
void MutateOnce(std::string& input, const std::string& other, FixedRandom& random) {
  if (input.empty()) input = "\n";
  const size_t at = random.Below(input.size());
  const size_t length = 1 + random.Below(std::min<size_t>(16, input.size() - at));
  switch (random.Below(6)) {
    case 0:  // another byte
      input[at] = static_cast<char>(random.Next());
      return;
    case 1:  // one bit
      input[at] = static_cast<char>(input[at] ^ (1 << random.Below(8)));
      return;
    case 2:  // a piece lost
      input.erase(at, length);
      return;
    case 3:  // a piece twice
      input.insert(at, input.substr(at, length));
      return;
    case 4:  // the end lost
      input.resize(at);
      return;
    default:  // a piece from elsewhere
      if (other.empty()) return;
      input.insert(at, other, random.Below(other.size()), 1 + random.Below(64));
      return;
  }
}

[[noreturn]] void Die(const std::string& path, const char* reason) {
  std::fprintf(stderr, "%s: %s\n", path.c_str(), reason);
  std::exit(2);
}

std::string ReadFileOrDie(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) Die(path, "cannot be read");
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// The file that holds the input at hand. It is open all the time, which makes writing cheap.
class InputFile {
 public:
  InputFile() {
    const char* folder = std::getenv("TEST_TMPDIR");
    const std::string path = std::string(folder == nullptr ? "." : folder) + "/fuzz_input";
    file_ = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file_ < 0) Die(path, "cannot be written");
  }
  ~InputFile() { close(file_); }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  void Replace(const std::string& input) {
    const ssize_t size = static_cast<ssize_t>(input.size());
    if (pwrite(file_, input.data(), input.size(), 0) != size || ftruncate(file_, size) != 0) {
      Die("fuzz_input", "cannot be written");
    }
  }

 private:
  int file_;
};

void RunOne(const std::string& input) {
  static InputFile file;
  file.Replace(input);
  // A copy of exact size, so that the sanitizers see a read past its end.
  const std::vector<uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

struct Arguments {
  int mutations = 0;
  std::vector<std::string> files;
};

Arguments ParseArguments(int argc, char** argv) {
  const std::string flag = "--mutations=";
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument.compare(0, flag.size(), flag) == 0) {
      arguments.mutations = std::atoi(argument.c_str() + flag.size());
    } else {
      arguments.files.push_back(argument);
    }
  }
  return arguments;
}

int Main(int argc, char** argv) {
  const Arguments arguments = ParseArguments(argc, argv);
  if (arguments.files.empty()) {
    std::fprintf(stderr, "usage: %s [--mutations=N] CORPUS_FILE...\n", argv[0]);
    return 2;
  }
  std::vector<std::string> corpus;
  for (const std::string& path : arguments.files) corpus.push_back(ReadFileOrDie(path));

  for (const std::string& input : corpus) RunOne(input);
  RunOne("");
  FixedRandom random;
  for (int i = 0; i < arguments.mutations; ++i) {
    std::string input = corpus[random.Below(corpus.size())];
    const std::string& other = corpus[random.Below(corpus.size())];
    for (size_t changes = 1 + random.Below(8); changes > 0; --changes) {
      MutateOnce(input, other, random);
    }
    RunOne(input);
  }
  std::printf("%zu corpus files and %d mutations passed\n", corpus.size(), arguments.mutations);
  return 0;
}

}  // namespace
}  // namespace kpath

int main(int argc, char** argv) { return kpath::Main(argc, argv); }

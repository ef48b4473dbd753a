// SPDX-License-Identifier: Apache-2.0
//
// main() of the fixed, short form of a fuzz test (see kpath_cc_fuzz_test in kpath.bzl): feeds the
// target each corpus file as it is, then mutated ones, which are the same in every run.
//
//   NAME_fuzz_test [--mutations=N] FILE...
//
// When the target crashes, the input at hand is shown as it is.

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

// There when the program is built with sanitizers.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

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
      const size_t from = random.Below(other.size());
      input.insert(at, other, from, length);
      return;
  }
}

std::string ReadFileOrDie(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    std::fprintf(stderr, "%s: cannot be read\n", path.c_str());
    std::exit(2);
  }
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// The input at hand, for the words said when the target crashes.
const std::string* input_at_hand = nullptr;

void Write(const char* text, size_t size) {
  if (write(STDERR_FILENO, text, size) < 0) return;  // Nobody is left to tell.
}

void ShowInputAtHand() {
  if (input_at_hand == nullptr) return;
  constexpr char kBefore[] = "\n--- the target ended on this input; keep it in the corpus ---\n";
  constexpr char kAfter[] = "\n--- end of input ---\n";
  Write(kBefore, sizeof(kBefore) - 1);
  Write(input_at_hand->data(), input_at_hand->size());
  Write(kAfter, sizeof(kAfter) - 1);
}

void OnFatalSignal(int signal) {
  ShowInputAtHand();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void ShowInputAtCrash() {
  for (int signal : {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV}) std::signal(signal, OnFatalSignal);
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(ShowInputAtHand);
}

void RunOne(const std::string& input) {
  input_at_hand = &input;
  // A copy of exact size, so that the sanitizers see a read past its end.
  const std::vector<uint8_t> bytes(input.begin(), input.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  input_at_hand = nullptr;
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

  ShowInputAtCrash();
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

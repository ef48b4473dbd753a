// SPDX-License-Identifier: Apache-2.0
#include "tools/transcript/replay/scenario.h"

#include <algorithm>
#include <memory>
#include <set>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "sim/block/drivers/faulty_disk.h"

namespace kpath {
namespace {

constexpr int64_t kLargestFile = int64_t{1} << 40;

// `4096`, `16K`, `1M`, `2G`; -1 if it is none of these.
int64_t ParseSize(absl::string_view text) {
  int64_t unit = 1;
  if (!text.empty()) {
    const char last = text.back();
    if (last == 'K') unit = int64_t{1} << 10;
    if (last == 'M') unit = int64_t{1} << 20;
    if (last == 'G') unit = int64_t{1} << 30;
    if (unit != 1) text.remove_suffix(1);
  }
  int64_t number = 0;
  if (!absl::SimpleAtoi(text, &number) || number < 0 || number > kLargestFile / unit) return -1;
  return number * unit;
}

// `80us`, `2ms`, `500ns`, `1s`; -1 if it is none of these.
int64_t ParseDuration(absl::string_view text) {
  constexpr int64_t kLongest = 1'000'000'000'000;  // 1000 s
  struct Unit {
    absl::string_view name;
    int64_t ns;
  };
  for (const Unit& unit :
       {Unit{"ns", 1}, Unit{"us", 1000}, Unit{"ms", 1'000'000}, Unit{"s", 1'000'000'000}}) {
    absl::string_view number_text = text;
    if (!absl::ConsumeSuffix(&number_text, unit.name)) continue;
    int64_t number = 0;
    if (!absl::SimpleAtoi(number_text, &number)) continue;
    return number >= 1 && number <= kLongest / unit.ns ? number * unit.ns : -1;
  }
  return -1;
}

bool IsPowerOfTwo(int64_t number) { return number > 0 && (number & (number - 1)) == 0; }

// A number from `least` to `most`; -1 if it is none.
int64_t ParseNumber(absl::string_view text, int64_t least, int64_t most) {
  int64_t number = 0;
  return absl::SimpleAtoi(text, &number) && number >= least && number <= most ? number : -1;
}

// `64-71`, sectors of 512 bytes. False: it is none.
bool ParseSectors(absl::string_view text, DiskFault* fault) {
  const size_t dash = text.find('-');
  if (dash == absl::string_view::npos) return false;
  return absl::SimpleAtoi(text.substr(0, dash), &fault->first) &&
         absl::SimpleAtoi(text.substr(dash + 1), &fault->last) && fault->first <= fault->last;
}

// The settings of one driver alone. Returns what was expected, or "".
std::string ReadVirtioSetting(absl::string_view name, absl::string_view value,
                              DeviceOptions* device, std::vector<DiskFault>* faults) {
  if (name == "fail") {
    faults->push_back({.fails = true});
    return ParseSectors(value, &faults->back()) ? "" : "expected fail=FIRST-LAST, sectors";
  }
  if (name == "slow") {
    const size_t colon = std::min(value.find(':'), value.size());
    faults->push_back({});
    const int64_t time = ParseDuration(value.substr(std::min(colon + 1, value.size())));
    faults->back().latency_ns = time;
    return time > 0 && ParseSectors(value.substr(0, colon), &faults->back())
               ? ""
               : "expected slow=FIRST-LAST:TIME, sectors";
  }
  if (name == "latency") {
    device->latency_ns = ParseDuration(value);
    return device->latency_ns < 0 ? "expected latency=TIME such as 80us, up to 1000s" : "";
  }
  if (name == "seek") {
    device->mechanics.seek_ns = ParseDuration(value);
    return device->mechanics.seek_ns <= 0 ? "expected seek=TIME, from end to end" : "";
  }
  if (name == "transfer") {
    const int64_t bytes = ParseSize(value);
    device->mechanics.bytes_per_second = static_cast<uint64_t>(bytes);
    return bytes <= 0 ? "expected transfer=BYTES, a second" : "";
  }
  if (name == "timeout") {
    return "virtio_blk of v4.19 has no timeout handler, a lost request would never end; expected "
           "driver=null_blk";
  }
  if (name == "cache") {
    device->write_cache = value == "writeback";
    const bool known = device->write_cache || value == "writethrough";
    return known ? "" : "expected cache=writeback or cache=writethrough";
  }
  return "expected size=, block=, depth=, latency=, seek=, transfer=, cache=, fail= or slow=";
}

std::string ReadNullSetting(absl::string_view name, absl::string_view value,
                            DeviceOptions* device) {
  if (name == "queues") {
    const int64_t number = ParseNumber(value, 1, 64);
    device->queues = static_cast<unsigned>(number);
    return number < 0 ? "expected queues=1 to queues=64" : "";
  }
  if (name == "irqmode") {
    device->irqmode = static_cast<int>(ParseNumber(value, 0, 2));
    return device->irqmode < 0 ? "expected irqmode=0, 1 or 2" : "";
  }
  if (name == "completion_nsec") {
    device->completion_nsec = ParseNumber(value, 1, 1'000'000'000'000);
    return device->completion_nsec < 0 ? "expected completion_nsec=NANOSECONDS" : "";
  }
  if (name == "latency") {  // the same, as it is written for other drivers
    device->completion_nsec = ParseDuration(value);
    return device->completion_nsec < 0 ? "expected latency=TIME such as 80us, up to 1000s" : "";
  }
  if (name == "memory_backed") {
    device->memory_backed = value == "y";
    return value == "y" || value == "n" ? "" : "expected memory_backed=y or memory_backed=n";
  }
  if (name == "timeout") {
    const int64_t number = ParseNumber(value, 1, 1'000'000);
    device->timeout_interval = static_cast<unsigned>(number);
    return number < 0 ? "expected timeout=1 to timeout=1000000, requests" : "";
  }
  return "expected size=, block=, depth=, queues=, irqmode=, completion_nsec=, latency=, "
         "memory_backed= or timeout=";
}

// One NAME=VALUE of a device. Returns what was expected, or "".
std::string ReadDeviceSetting(absl::string_view text, DeviceOptions* device,
                              std::vector<DiskFault>* faults) {
  const size_t equals = text.find('=');
  const absl::string_view name = text.substr(0, equals);
  const absl::string_view value = equals == absl::string_view::npos ? "" : text.substr(equals + 1);
  if (name == "driver") {
    device->driver = std::string(value);
    const bool known = value == "virtio_blk" || value == "null_blk";
    return known ? "" : "expected driver=virtio_blk or driver=null_blk";
  }
  if (name == "size") {
    const int64_t bytes = ParseSize(value);
    device->size = static_cast<uint64_t>(bytes);
    return bytes <= 0 ? "expected size=BYTES up to 1024G" : "";
  }
  if (name == "block") {
    const int64_t bytes = ParseNumber(value, 512, 4096);
    device->block_size = static_cast<unsigned>(bytes);
    return IsPowerOfTwo(bytes) ? "" : "expected block=512, 1024, 2048 or 4096";
  }
  if (name == "depth") {
    const int64_t number = ParseNumber(value, 1, 1024);
    device->depth = static_cast<unsigned>(number);
    const bool fits = number > 0 && (device->driver == "null_blk" || IsPowerOfTwo(number));
    return fits ? "" : "expected depth=1 to depth=1024, of virtio_blk a power of two";
  }
  return device->driver == "virtio_blk" ? ReadVirtioSetting(name, value, device, faults)
                                        : ReadNullSetting(name, value, device);
}

class Reader {
 public:
  explicit Reader(const strace::Transcript& transcript) : transcript_(transcript) {}

  absl::StatusOr<Scenario> Read() {
    for (const strace::Line& line : transcript_.lines) {
      if (line.kind != strace::LineKind::kDirective) continue;
      if (absl::Status status = ReadLine(line); !status.ok()) return status;
    }
    return scenario_;
  }

 private:
  absl::Status Wrong(const strace::Line& line, const strace::Word& word, absl::string_view what) {
    return absl::InvalidArgumentError(
        absl::StrCat(transcript_.file_name, ":", line.number, ":", word.column, ": ", what));
  }

  absl::Status ReadLine(const strace::Line& line) {
    if (line.words.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(transcript_.file_name, ":", line.number,
                                                     ":1: nothing behind '# kpath:', expected ",
                                                     kSettings));
    }
    if (line.words[0].text == "file") return ReadFile(line);
    if (line.words[0].text == "device") return ReadDevice(line);
    if (line.words[0].text == "mount") return ReadMount(line);
    if (line.words[0].text == "sysctl") return ReadSysctl(line);
    for (const strace::Word& word : line.words) {
      if (absl::Status status = ReadSetting(line, word); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status ReadFile(const strace::Line& line) {
    if (line.words.size() != 3) {
      return Wrong(line, line.words[0], "expected file PATH size=BYTES");
    }
    const strace::Word& path = line.words[1];
    const strace::Word& size = line.words[2];
    if (path.text.empty() || path.text[0] != '/') {
      return Wrong(line, path, absl::StrCat("'", path.text, "' is not an absolute path"));
    }
    const int64_t bytes = size.text.substr(0, 5) == "size=" ? ParseSize(size.text.substr(5)) : -1;
    if (bytes < 0) {
      return Wrong(line, size, absl::StrCat("'", size.text, "', expected size=BYTES up to 1024G"));
    }
    scenario_.files.push_back({std::string(path.text), bytes});
    return absl::OkStatus();
  }

  absl::Status ReadDevice(const strace::Line& line) {
    DeviceOptions device;
    std::vector<DiskFault> faults;
    if (line.words.size() < 3) {
      return Wrong(line, line.words[0], "expected device PATH driver=virtio_blk or =null_blk");
    }
    const strace::Word& path = line.words[1];
    if (path.text.size() < 2 || path.text[0] != '/' || path.text.back() == '/') {
      return Wrong(line, path, absl::StrCat("'", path.text, "' is not the path of a device"));
    }
    for (const DeviceOptions& other : scenario_.devices) {
      if (other.path == path.text) return Wrong(line, path, "the device is there already");
    }
    device.path = std::string(path.text);
    device.driver = "";
    // What the other settings mean depends on the driver, wherever it stands.
    std::vector<const strace::Word*> words;
    for (size_t i = 2; i < line.words.size(); ++i) {
      const bool is_driver = line.words[i].text.substr(0, 7) == "driver=";
      words.insert(is_driver ? words.begin() : words.end(), &line.words[i]);
    }
    if (words[0]->text.substr(0, 7) != "driver=") {
      return Wrong(line, *words[0], "expected driver=virtio_blk or driver=null_blk, too");
    }
    for (const strace::Word* word : words) {
      const std::string expected = ReadDeviceSetting(word->text, &device, &faults);
      if (expected.empty()) continue;
      return Wrong(line, *word, absl::StrCat("'", word->text, "', ", expected));
    }
    if (device.size % device.block_size != 0) {
      return Wrong(line, line.words[0], absl::StrCat(device.size, " bytes are not whole blocks"));
    }
    if (!faults.empty()) {
      const std::shared_ptr<const bool> armed = scenario_.faults_armed;
      device.make_disk = [faults, armed](const DeviceOptions& options) {
        return std::make_unique<FaultyDisk>(options.size, options.latency_ns, faults, armed);
      };
    }
    scenario_.devices.push_back(device);
    return absl::OkStatus();
  }

  absl::Status ReadMount(const strace::Line& line) {
    if (line.words.size() != 3) {
      return Wrong(line, line.words[0], "expected mount DEVICE DIRECTORY");
    }
    const strace::Word& name = line.words[1];
    const strace::Word& directory = line.words[2];
    if (name.text.size() < 2 || name.text[0] != '/' || name.text.back() == '/') {
      return Wrong(line, name, absl::StrCat("'", name.text, "' is not the path of a device"));
    }
    const auto named = [&name](const DeviceOptions& there) { return there.path == name.text; };
    auto device = std::find_if(scenario_.devices.begin(), scenario_.devices.end(), named);
    if (device == scenario_.devices.end()) {
      device = scenario_.devices.emplace(device);  // the usual one
      device->path = std::string(name.text);
    }
    constexpr uint64_t kSmallest = uint64_t{512} << 10;
    if (device->size < kSmallest) {
      return Wrong(line, name, absl::StrCat("a file system needs ", kSmallest, " bytes"));
    }
    if (device->driver == "null_blk" && !device->memory_backed) {
      return Wrong(line, name, "the device keeps nothing, expected memory_backed=y");
    }
    const bool is_root = directory.text == "/";
    if (!is_root && (directory.text[0] != '/' || directory.text.back() == '/')) {
      return Wrong(line, directory, absl::StrCat("'", directory.text, "' is no directory's path"));
    }
    for (const ScenarioMount& other : scenario_.mounts) {
      if (other.directory == directory.text || other.device == name.text) {
        return Wrong(line, name, "it is mounted, or something is mounted there, already");
      }
    }
    // The root comes before what is mounted below it.
    scenario_.mounts.insert(is_root ? scenario_.mounts.begin() : scenario_.mounts.end(),
                            {std::string(name.text), std::string(directory.text)});
    return absl::OkStatus();
  }

  absl::Status ReadSysctl(const strace::Line& line) {
    constexpr absl::string_view kName = "fs.aio-max-nr=";
    constexpr absl::string_view kExpected = "expected sysctl fs.aio-max-nr=NUMBER";
    if (line.words.size() != 2) return Wrong(line, line.words[0], kExpected);
    const strace::Word& word = line.words[1];
    uint64_t number = 0;
    absl::string_view text = word.text;
    if (!absl::ConsumePrefix(&text, kName) || !absl::SimpleAtoi(text, &number)) {
      return Wrong(line, word, absl::StrCat("'", word.text, "', ", kExpected));
    }
    if (scenario_.aio_max_nr.has_value()) {
      return Wrong(line, word, "'fs.aio-max-nr' is set a second time");
    }
    scenario_.aio_max_nr = number;
    return absl::OkStatus();
  }

  absl::Status ReadSetting(const strace::Line& line, const strace::Word& word) {
    const size_t equals = word.text.find('=');
    const absl::string_view name = word.text.substr(0, equals);
    const absl::string_view value =
        equals == absl::string_view::npos ? "" : word.text.substr(equals + 1);
    if (name == "cpus") {
      if (!absl::SimpleAtoi(value, &scenario_.cpus) || scenario_.cpus < 1 || scenario_.cpus > 64) {
        return Wrong(line, word, absl::StrCat("'", word.text, "', expected cpus=1 to cpus=64"));
      }
      scenario_.cpus_given = true;
    } else if (name == "slice") {
      if (!absl::SimpleAtoi(value, &scenario_.slice) || scenario_.slice < 1 ||
          scenario_.slice > Machine::kMaxSliceProbes) {
        return Wrong(line, word,
                     absl::StrCat("'", word.text,
                                  "', expected slice=1 to slice=", Machine::kMaxSliceProbes));
      }
    } else if (name == "latency") {
      const int64_t ns = ParseDuration(value);
      if (ns < 0) {
        return Wrong(
            line, word,
            absl::StrCat("'", word.text, "', expected latency=TIME such as 80us, up to 1000s"));
      }
      scenario_.latency_ns = ns;
    } else if (name == "seed") {
      uint64_t seed = 0;
      if (!absl::SimpleAtoi(value, &seed)) {
        return Wrong(line, word, absl::StrCat("'", word.text, "', expected seed=NUMBER"));
      }
      scenario_.seed = seed;
    } else if (name == "x32") {
      if (value != "y" && value != "n") {
        return Wrong(line, word, absl::StrCat("'", word.text, "', expected x32=y or x32=n"));
      }
      scenario_.x32 = value == "y";
    } else if (name == "abi") {
      if (value != "i386" && value != "x86_64") {
        return Wrong(line, word,
                     absl::StrCat("'", word.text, "', expected abi=i386 or abi=x86_64"));
      }
      const auto index = static_cast<uint32_t>(&line - transcript_.lines.data());
      scenario_.abis.push_back({index, value == "i386"});
      return absl::OkStatus();
    } else {
      return Wrong(line, word, absl::StrCat("unknown setting '", name, "', expected ", kSettings));
    }
    if (!seen_.insert(std::string(name)).second) {
      return Wrong(line, word, absl::StrCat("'", name, "' is set a second time"));
    }
    return absl::OkStatus();
  }

  static constexpr const char* kSettings =
      "cpus=, slice=, seed=, x32=, abi=, latency=, file PATH size=, device PATH driver=, "
      "mount DEVICE DIRECTORY or "
      "sysctl fs.aio-max-nr=";

  const strace::Transcript& transcript_;
  Scenario scenario_;
  std::set<std::string> seen_;
};

}  // namespace

bool Scenario::IsI386(uint32_t line) const {
  bool i386 = false;
  for (const ScenarioAbi& abi : abis) {
    if (abi.line < line) i386 = abi.i386;
  }
  return i386;
}

absl::StatusOr<Scenario> ReadScenario(const strace::Transcript& transcript) {
  return Reader(transcript).Read();
}

}  // namespace kpath

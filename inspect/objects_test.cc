// SPDX-License-Identifier: Apache-2.0
//
// Looks at everything, again and again, while a busy machine runs: nothing crashes, nothing depends
// on the host, and the run is what it would have been.
#include <fcntl.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "entry/boot.h"
#include "fs_aio/aio_test_program.h"
#include "gtest/gtest.h"
#include "inspect/print.h"
#include "inspect/types_of.h"
#include "sim/block/genhd.h"
#include "sim/kernel/slab_caches.h"

namespace kpath {
namespace {

constexpr uint64_t kEvery = 401;  // probes
constexpr size_t kMaxTextKept = 1 << 22;

// FNV-1a, so that long texts can be compared.
uint64_t HashOf(uint64_t hash, absl::string_view text) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

class LookAtAll : public ProbeListener {
 public:
  explicit LookAtAll(Machine& machine) : machine_(machine) { machine_.AddListener(this); }
  ~LookAtAll() override { machine_.RemoveListener(this); }

  void OnProbe(const ProbeEvent& event) override {
    if (event.position.probes_passed() < next_) return;
    next_ = event.position.probes_passed() + kEvery;
    EnterMachine enter(machine_);
    ++looks;
    const Look look{machine_, nullptr};
    for (const kmem_cache_base* cache : AllCaches(machine_)) {
      for (const SlabHeader* header : cache->LiveObjects()) {
        const Datum pointer = PointerToObject(look, header->address);
        ASSERT_NE(pointer.type, nullptr) << cache->name();
        if (pointer.type->kind == Type::Kind::kVoid) continue;
        types_seen.insert(pointer.type->name);
        Show(look, pointer, 2);
      }
    }
    for (const task_struct* task : AllTasks(machine_)) {
      const Look from{machine_, task};
      Show(from, MakePointer(StructTypeOf<task_struct>(), task), 2);
    }
    for (int i = 0; i < machine_.cpus(); ++i) {
      Show(look, MakePointer(StructTypeOf<Cpu>(), &machine_.cpu(i)), 1);
    }
    for (gendisk* disk : AllDisks()) {
      Show(look, MakePointer(StructTypeOf<gendisk>(), disk), 3);
    }
  }

  int looks = 0;
  uint64_t hash = 0xcbf29ce484222325;
  size_t bytes = 0;
  std::string text;
  std::set<std::string> types_seen;

 private:
  void Add(absl::string_view more) {
    hash = HashOf(hash, more);
    bytes += more.size();
    if (text.size() < kMaxTextKept) absl::StrAppend(&text, more, "\n");
  }

  // The object behind the pointer, each of its fields by itself, and what those point to.
  void Show(const Look& look, const Datum& pointer, int depth) {
    Datum object;
    std::string why;
    if (!ToStruct(look, pointer, &object, &why)) return Add(why);
    Add(Print(look, pointer));
    if (depth == 2) Add(Print(look, object, {.pretty = true}));
    if (depth == 0) return;
    for (const Field& field : object.type->fields) {
      Datum value;
      if (!GetField(look, object, field, &value, &why)) {
        Add(why);
        continue;
      }
      Add(Print(look, value));
      Add(Print(look, value, {.format = 'x'}));
      if (value.is_pointer() && !value.is_null()) Show(look, value, depth - 1);
      if (value.is_sequence() && value.host != nullptr) {
        const size_t count = std::min<size_t>(CountElements(look, value), 4);
        for (size_t i = 0; i < count; ++i) {
          const Datum element = GetElement(look, value, i);
          if (element.is_pointer() && !element.is_null()) Show(look, element, depth - 1);
        }
      }
    }
  }

  Machine& machine_;
  uint64_t next_ = 0;
};

SystemOptions Busy() {
  SystemOptions options;
  options.cpus = 2;
  options.seed = 7;
  DeviceOptions disk;
  disk.path = "/dev/vda";
  options.devices.push_back(disk);
  options.mounts.push_back({.device = "/dev/vda", .directory = "/data"});
  DeviceOptions null;
  null.path = "/dev/nullb0";
  null.driver = "null_blk";
  options.devices.push_back(null);
  return options;
}

// Files in memory and on a disk, direct and cached, pipes, eventfds, polls, a fork.
void UseEverything() {
  AioProgram p;
  p.Setup(16);
  const auto disk = static_cast<int>(user::open("/data/x", O_RDWR | O_CREAT | O_DIRECT, 0600));
  const auto null = static_cast<int>(user::open("/dev/nullb0", O_RDWR | O_DIRECT, 0));
  const auto cached = static_cast<int>(user::open("/data/y", O_RDWR | O_CREAT, 0600));
  const auto counter = static_cast<int>(user::eventfd(0, 0));
  auto fds = p.arena.New<int>(2);
  user::pipe2(fds.address(), 0);
  const int reader = fds.Load();
  const int writer = (fds + 1).Load();
  user::pwrite(disk, p.buffer, AioProgram::kBuffer, 0);
  user::pwrite(cached, p.buffer, AioProgram::kBuffer, 0);
  user::write(writer, p.buffer, 10);
  user::iocb poll = p.Read(0);
  poll.aio_lio_opcode = IOCB_CMD_POLL;
  poll.aio_fildes = static_cast<uint32_t>(counter);
  poll.aio_buf = 1;
  poll.aio_nbytes = 0;
  poll.aio_offset = 0;
  std::vector<user::iocb> list = {p.Read(512), p.Write(512)};
  for (const int fd : {disk, null}) {
    for (int64_t i = 0; i < 2; ++i) {
      list.push_back(user::PreadIocb(fd, p.buffer, 2048, 2048 * i));
    }
  }
  list.push_back(user::PreadIocb(cached, p.buffer, 4096, 0));
  list.push_back(poll);
  const auto taken = p.Submit(list);
  user::fork([&] { user::exit_group(0); });
  user::read(reader, p.buffer, 10);
  user::Store<uint64_t>(p.buffer, 1);
  user::write(counter, p.buffer, 8);
  user::io_getevents(p.ctx, taken, taken, p.events, {});
  user::wait4(-1, 0, 0);
}

struct Ran {
  std::string report;
  uint64_t position = 0;
  std::string choices;
  uint64_t hash = 0;
  size_t bytes = 0;
  int looks = 0;
  std::string text;
  std::set<std::string> types_seen;
};

Ran RunBusily(bool look) {
  System system(Busy());
  system.Start("busy", UseEverything);
  system.Start("busier", UseEverything);
  Ran ran;
  {
    std::unique_ptr<LookAtAll> listener;
    if (look) listener = std::make_unique<LookAtAll>(system.machine());
    ran.report = system.RunUntilIdle();
    if (look) {
      ran.hash = listener->hash;
      ran.bytes = listener->bytes;
      ran.looks = listener->looks;
      ran.text = listener->text;
      ran.types_seen = listener->types_seen;
    }
  }
  ran.position = system.machine().position().probes_passed();
  ran.choices = ToString(system.machine().choices());
  return ran;
}

TEST(Objects, LookingAtEverythingChangesNothing) {
  const Ran alone = RunBusily(false);
  const Ran first = RunBusily(true);
  EXPECT_EQ(first.report, alone.report);
  EXPECT_EQ(first.position, alone.position);
  EXPECT_EQ(first.choices, alone.choices);
  EXPECT_GT(first.looks, 20);
  // And says the same each time.
  const Ran second = RunBusily(true);
  EXPECT_EQ(second.bytes, first.bytes);
  EXPECT_EQ(second.hash, first.hash);
  EXPECT_EQ(second.text, first.text);
  for (const char* type : {"struct kioctx", "struct aio_kiocb", "struct file", "struct inode",
                           "struct page", "struct request_queue", "struct pipe_inode_info",
                           "struct eventfd_ctx", "struct mm_struct", "struct vm_area_struct"}) {
    EXPECT_EQ(first.types_seen.count(type), 1u) << type;
  }
}

TEST(Objects, EachFieldHasANameOfItsOwn) {
  for (const auto& get : AllStructs()) {
    const Type& type = get();
    EXPECT_FALSE(type.fields.empty()) << type.name;
    std::set<std::string> names;
    for (const Field& field : type.fields) {
      EXPECT_TRUE(names.insert(field.name).second) << type.name << " " << field.name;
      EXPECT_TRUE((field.at != nullptr) != (field.compute != nullptr)) << field.name;
    }
  }
}

}  // namespace
}  // namespace kpath

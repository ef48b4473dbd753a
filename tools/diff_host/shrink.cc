// SPDX-License-Identifier: Apache-2.0
#include "tools/diff_host/shrink.h"

#include <algorithm>

#include "tools/diff_host/layout.h"

namespace kpath::diff_host {
namespace {

class Shrinker {
 public:
  Shrinker(const Program& program, const std::function<bool(const Program&)>& shows, int most_tries)
      : best_(program), shows_(shows), tries_left_(most_tries) {}

  Program Run() {
    Program before;
    do {
      before = best_;
      RemoveOps();
      for (size_t op = 0; op < best_.ops.size(); ++op) {
        RemoveEntries(op);
        SimplifyOp(op);
        for (size_t entry = 0; entry < best_.ops[op].entries.size(); ++entry) {
          SimplifyEntry(op, entry);
        }
      }
    } while (tries_left_ > 0 && !Same(before, best_));
    return best_;
  }

 private:
  // Keeps `candidate` if it still shows the difference.
  bool Try(const Program& candidate) {
    if (tries_left_ <= 0 || Same(candidate, best_)) return false;
    --tries_left_;
    if (!shows_(candidate)) return false;
    best_ = candidate;
    return true;
  }
  // The same after a change.
  template <typename Change>
  bool TryWith(Change change) {
    Program candidate = best_;
    change(candidate);
    return Try(candidate);
  }

  // Leaves out pieces of the list that `list` finds in a program: halves first, single ones last.
  template <typename List, typename Adjust>
  void RemoveFrom(List list, Adjust adjust) {
    for (size_t piece = std::max<size_t>(list(best_).size() / 2, 1); piece > 0; piece /= 2) {
      for (size_t at = 0; at < list(best_).size();) {
        const bool removed = TryWith([&](Program& program) {
          auto& items = list(program);
          const size_t end = std::min(at + piece, items.size());
          items.erase(items.begin() + static_cast<long>(at),
                      items.begin() + static_cast<long>(end));
          adjust(program);
        });
        if (!removed) at += piece;
      }
    }
  }

  void RemoveOps() {
    RemoveFrom(
        [](Program & program) -> auto& { return program.ops; }, [](Program&) {});
  }

  void RemoveEntries(size_t op) {
    if (best_.ops[op].kind != OpKind::kSubmit) return;
    // nr goes with the list, where it is the length of it.
    const bool exact = best_.ops[op].args[0] == best_.ops[op].entries.size();
    RemoveFrom(
        [op](Program & program) -> auto& { return program.ops[op].entries; },
        [op, exact](Program& program) {
          if (exact) program.ops[op].args[0] = program.ops[op].entries.size();
        });
  }

  void SimplifyOp(size_t op) {
    TryWith([op](Program& program) { program.ops[op].in_child = false; });
    if (best_.ops[op].context.slot > 0) {
      TryWith([op](Program& program) { MoveSlot(program, program.ops[op].context.slot, 0); });
    }
    for (size_t i = 0; i < best_.ops[op].args.size(); ++i) {
      for (const uint64_t simple : {0, 1, 8}) {
        if (best_.ops[op].args[i] <= simple) break;
        if (TryWith([&](Program& program) { program.ops[op].args[i] = simple; })) break;
      }
    }
  }

  // What is in slot `from` is in slot `to`, all through the program.
  static void MoveSlot(Program& program, int from, int to) {
    for (Op& op : program.ops) {
      if (op.context.slot == from) op.context.slot = to;
      if (op.kind == OpKind::kSetup && op.args[1] == HandleAddress(from)) {
        op.args[1] = HandleAddress(to);
      }
    }
  }

  void SimplifyEntry(size_t op, size_t entry) {
    const auto edit = [&](auto change) {
      return TryWith([&](Program& program) { change(program.ops[op].entries[entry]); });
    };
    edit([](Entry& e) { e.store = true; });
    edit([](Entry& e) { e.vectors.clear(); });
    edit([](Entry& e) {
      if (!e.vectors.empty()) e.vectors.pop_back();
    });
    edit([](Entry& e) { e.iocb.aio_data = 0; });
    edit([](Entry& e) { e.iocb.aio_key = 0; });
    edit([](Entry& e) { e.iocb.aio_rw_flags = 0; });
    edit([](Entry& e) { e.iocb.aio_reqprio = 0; });
    edit([](Entry& e) { e.iocb.aio_reserved2 = 0; });
    edit([](Entry& e) { e.iocb.aio_flags = 0; });
    edit([](Entry& e) { e.iocb.aio_resfd = 0; });
    edit([](Entry& e) { e.iocb.aio_offset = 0; });
    edit([](Entry& e) { e.iocb.aio_nbytes = 0; }) ||
        edit([](Entry& e) { e.iocb.aio_nbytes = std::min<uint64_t>(e.iocb.aio_nbytes, 8); });
    edit([](Entry& e) { e.iocb.aio_buf = 0; }) ||
        edit([](Entry& e) { e.iocb.aio_buf = e.vectors.empty() ? kBuffers : kVectors; });
    edit([](Entry& e) { e.iocb.aio_fildes = kFile; });
    edit([](Entry& e) { e.iocb.aio_lio_opcode = user::IOCB_CMD_PREAD; });
  }

  Program best_;
  const std::function<bool(const Program&)>& shows_;
  int tries_left_;
};

}  // namespace

Program Shrink(const Program& program, const std::function<bool(const Program&)>& shows,
               int most_tries) {
  return Shrinker(program, shows, most_tries).Run();
}

}  // namespace kpath::diff_host

// SPDX-License-Identifier: Apache-2.0
#include "sim/process/filter.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

#include "sim/kernel/fail.h"
#include "sim/machine/check.h"

namespace kpath {
namespace {

// v4.19 net/core/filter.c: codes. What a program may consist of.
constexpr uint16_t kCodes[] = {BPF_ALU | BPF_ADD | BPF_K,
                               BPF_ALU | BPF_ADD | BPF_X,
                               BPF_ALU | BPF_SUB | BPF_K,
                               BPF_ALU | BPF_SUB | BPF_X,
                               BPF_ALU | BPF_MUL | BPF_K,
                               BPF_ALU | BPF_MUL | BPF_X,
                               BPF_ALU | BPF_DIV | BPF_K,
                               BPF_ALU | BPF_DIV | BPF_X,
                               BPF_ALU | BPF_MOD | BPF_K,
                               BPF_ALU | BPF_MOD | BPF_X,
                               BPF_ALU | BPF_AND | BPF_K,
                               BPF_ALU | BPF_AND | BPF_X,
                               BPF_ALU | BPF_OR | BPF_K,
                               BPF_ALU | BPF_OR | BPF_X,
                               BPF_ALU | BPF_XOR | BPF_K,
                               BPF_ALU | BPF_XOR | BPF_X,
                               BPF_ALU | BPF_LSH | BPF_K,
                               BPF_ALU | BPF_LSH | BPF_X,
                               BPF_ALU | BPF_RSH | BPF_K,
                               BPF_ALU | BPF_RSH | BPF_X,
                               BPF_ALU | BPF_NEG,
                               BPF_LD | BPF_W | BPF_ABS,
                               BPF_LD | BPF_H | BPF_ABS,
                               BPF_LD | BPF_B | BPF_ABS,
                               BPF_LD | BPF_W | BPF_LEN,
                               BPF_LD | BPF_W | BPF_IND,
                               BPF_LD | BPF_H | BPF_IND,
                               BPF_LD | BPF_B | BPF_IND,
                               BPF_LD | BPF_IMM,
                               BPF_LD | BPF_MEM,
                               BPF_LDX | BPF_W | BPF_LEN,
                               BPF_LDX | BPF_B | BPF_MSH,
                               BPF_LDX | BPF_IMM,
                               BPF_LDX | BPF_MEM,
                               BPF_ST,
                               BPF_STX,
                               BPF_MISC | BPF_TAX,
                               BPF_MISC | BPF_TXA,
                               BPF_RET | BPF_K,
                               BPF_RET | BPF_A,
                               BPF_JMP | BPF_JA,
                               BPF_JMP | BPF_JEQ | BPF_K,
                               BPF_JMP | BPF_JEQ | BPF_X,
                               BPF_JMP | BPF_JGE | BPF_K,
                               BPF_JMP | BPF_JGE | BPF_X,
                               BPF_JMP | BPF_JGT | BPF_K,
                               BPF_JMP | BPF_JGT | BPF_X,
                               BPF_JMP | BPF_JSET | BPF_K,
                               BPF_JMP | BPF_JSET | BPF_X};

// v4.19 net/core/filter.c: chk_code_allowed
bool chk_code_allowed(uint16_t code) {
  return std::find(std::begin(kCodes), std::end(kCodes), code) != std::end(kCodes);
}

bool IsJump(uint16_t code) { return BPF_CLASS(code) == BPF_JMP; }
bool IsConditional(uint16_t code) { return IsJump(code) && BPF_OP(code) != BPF_JA; }

// What is wrong with the operand of one instruction; null: nothing.
const char* WrongOperand(const sock_filter& f, unsigned pc, unsigned flen) {
  switch (f.code) {
    case BPF_ALU | BPF_DIV | BPF_K:
    case BPF_ALU | BPF_MOD | BPF_K:
      return f.k == 0 ? "instruction $0 divides by 0" : nullptr;
    case BPF_ALU | BPF_LSH | BPF_K:
    case BPF_ALU | BPF_RSH | BPF_K:
      return f.k >= 32 ? "instruction $0 shifts by more than 31" : nullptr;
    case BPF_LD | BPF_MEM:
    case BPF_LDX | BPF_MEM:
    case BPF_ST:
    case BPF_STX:
      return f.k >= BPF_MEMWORDS ? "instruction $0 uses a word of memory that there is not"
                                 : nullptr;
    case BPF_JMP | BPF_JA:
      return f.k >= flen - pc - 1 ? "instruction $0 jumps out of the program" : nullptr;
    default:
      break;
  }
  if (!IsConditional(f.code)) return nullptr;
  const bool outside = pc + f.jt + 1 >= flen || pc + f.jf + 1 >= flen;
  return outside ? "instruction $0 jumps out of the program" : nullptr;
}

// v4.19 net/core/filter.c: check_load_and_stores. No word of memory is read that some way to the
// instruction has not written.
int check_load_and_stores(const sock_filter* filter, unsigned flen) {
  FUNCTION(flen);
  // By instruction: the words that every way to it has written.
  std::vector<uint16_t> masks(flen, 0xffff);
  uint16_t valid = 0;
  for (unsigned pc = 0; pc < flen; ++pc) {
    const sock_filter& f = filter[pc];
    valid &= masks[pc];
    if (f.code == BPF_ST || f.code == BPF_STX) {
      valid |= static_cast<uint16_t>(1u << f.k);
    } else if (f.code == (BPF_LD | BPF_MEM) || f.code == (BPF_LDX | BPF_MEM)) {
      if ((valid & 1u << f.k) == 0) {
        return fn.Return<int>(
            Fail(EINVAL, "instruction $0 reads memory word $1, never written", pc, f.k));
      }
    } else if (f.code == (BPF_JMP | BPF_JA)) {
      masks[pc + 1 + f.k] &= valid;
      valid = 0xffff;
    } else if (IsConditional(f.code)) {
      masks[pc + 1 + f.jt] &= valid;
      masks[pc + 1 + f.jf] &= valid;
      valid = 0xffff;
    }
  }
  return fn.Return(0);
}

// The machine that runs a program.
struct BpfState {
  uint32_t a = 0;
  uint32_t x = 0;
  std::array<uint32_t, BPF_MEMWORDS> memory = {};
};

// False: a division by 0 ends the program with 0.
bool Compute(const sock_filter& f, BpfState* r) {
  const uint32_t operand = BPF_SRC(f.code) == BPF_X ? r->x : f.k;
  switch (BPF_OP(f.code)) {
    case BPF_ADD:
      r->a += operand;
      break;
    case BPF_SUB:
      r->a -= operand;
      break;
    case BPF_MUL:
      r->a *= operand;
      break;
    case BPF_DIV:
      if (operand == 0) return false;
      r->a /= operand;
      break;
    case BPF_AND:
      r->a &= operand;
      break;
    case BPF_OR:
      r->a |= operand;
      break;
    case BPF_XOR:
      r->a ^= operand;
      break;
    case BPF_LSH:
      r->a <<= operand & 31;
      break;
    case BPF_RSH:
      r->a >>= operand & 31;
      break;
    case BPF_NEG:
      r->a = -r->a;
      break;
    default:
      KPATH_CHECK(false, "an instruction that seccomp does not allow");
  }
  return true;
}

bool Holds(const sock_filter& f, const BpfState& r) {
  const uint32_t operand = BPF_SRC(f.code) == BPF_X ? r.x : f.k;
  switch (BPF_OP(f.code)) {
    case BPF_JEQ:
      return r.a == operand;
    case BPF_JGT:
      return r.a > operand;
    case BPF_JGE:
      return r.a >= operand;
    default:
      return (r.a & operand) != 0;
  }
}

uint32_t Loaded(const sock_filter& f, const BpfState& r, const uint32_t* words, size_t count) {
  switch (BPF_MODE(f.code)) {
    case BPF_ABS:
      return words[f.k / sizeof(uint32_t)];
    case BPF_LEN:
      return static_cast<uint32_t>(count * sizeof(uint32_t));
    case BPF_MEM:
      return r.memory[f.k];
    default:
      return f.k;
  }
}

}  // namespace

int bpf_check_classic(const sock_filter* filter, unsigned flen) {
  FUNCTION(flen);
  for (unsigned pc = 0; pc < flen; ++pc) {
    const sock_filter& f = filter[pc];
    if (!chk_code_allowed(f.code)) {
      return fn.Return<int>(Fail(EINVAL, "instruction $0 has the code $1, which is none", pc,
                                 Value::Address(f.code)));
    }
    if (const char* what = WrongOperand(f, pc, flen); what != nullptr) {
      return fn.Return<int>(Fail(EINVAL, what, pc));
    }
  }
  const uint16_t last = filter[flen - 1].code;
  if (last != (BPF_RET | BPF_K) && last != (BPF_RET | BPF_A)) {
    return fn.Return<int>(Fail(EINVAL, "the last instruction, $0, does not return", flen - 1));
  }
  return fn.Return(check_load_and_stores(filter, flen));
}

uint32_t bpf_run(const sock_filter* filter, const uint32_t* words, size_t count) {
  BpfState r;
  for (const sock_filter* f = filter;; ++f) {
    switch (BPF_CLASS(f->code)) {
      case BPF_LD:
        r.a = Loaded(*f, r, words, count);
        break;
      case BPF_LDX:
        r.x = Loaded(*f, r, words, count);
        break;
      case BPF_ST:
        r.memory[f->k] = r.a;
        break;
      case BPF_STX:
        r.memory[f->k] = r.x;
        break;
      case BPF_ALU:
        if (!Compute(*f, &r)) return 0;
        break;
      case BPF_JMP:
        f += BPF_OP(f->code) == BPF_JA ? f->k : Holds(*f, r) ? f->jt : f->jf;
        break;
      case BPF_RET:
        return BPF_RVAL(f->code) == BPF_A ? r.a : f->k;
      default:
        f->code == (BPF_MISC | BPF_TAX) ? r.x = r.a : r.a = r.x;
    }
  }
}

}  // namespace kpath

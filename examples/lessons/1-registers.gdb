# Lesson 1: the registers across SYSCALL
#
# A program calls pread64(9, 0x5000, 64, 128). For the CPU that is: the call's number in rax, the
# arguments in rdi, rsi, rdx and r10, and then the instruction SYSCALL. Stop in front of it.
tbreak "ring 3: SYSCALL"
run
info registers rax rdi rsi rdx r10
# The lowest two bits of cs are the ring: 0x33 is 0b110011, ring 3, where programs are. gs_base is
# the program's. What will be in it when the kernel runs waits in k_gs_base.
info registers rip cs ss rsp gs_base k_gs_base rcx r11 eflags

# Question: SYSCALL jumps into the kernel. Where does the CPU keep the address to come back to?
# (The stop is behind the kernel's first instruction, swapgs. Changes are shown as before -> after.)
stepi
# In rcx! And the flags are in r11. That is why the fourth argument is in r10: rcx is not free.
# cs ends in binary 00 now: ring 0. Interrupts are off (IF is gone). swapgs has exchanged gs_base
# with k_gs_base: the kernel finds what belongs to this CPU at gs.
#
# Question: whose stack is rsp?
info registers rsp
# Still the program's: SYSCALL does not touch it, and has written nothing to memory. The kernel
# must not use it. It puts it away at gs:rsp_scratch and takes this task's own kernel stack.
stepi
stepi
# Now it builds, by pushing, what is called struct pt_regs. First the five words that an IRET would
# want: ss, rsp, flags, cs, rip of ring 3. Two of them nobody saved; they are constants.
stepi 5
x/5gx $rsp
# Next is the number, orig_ax, then the other registers; in the place of ax a constant (lesson 3).
# Registers are zeroed once they are saved, so that nothing which the program chose is left in
# them when a CPU speculates. Go on to the last push:
tbreak *entry_SYSCALL_64+90
continue
# Question: which of the 21 words is where? The top of the pushes is rsp, so:
print *(struct pt_regs *)$rsp
info registers rdi rsi rdx rcx r8 r9 r10 r11

# do_syscall_64 gets two arguments, the number in rdi and a pointer to all this in rsi.
tbreak do_syscall_64
continue
info registers rdi rsi
finish
# The result is in pt_regs, not in rax. As a signed number it is -9: -EBADF.
print (long)regs->ax
# SYSRET loads rip from rcx and the flags from r11, and cs and ss with constants. So the kernel
# compares first: would that be what pt_regs says? If not, it leaves by the slower IRET.
print regs->cx == regs->ip
print regs->r11 == regs->flags
print regs->cs == 0x33 && regs->ss == 0x2b
finish
# Question: what has the program lost? Compare with what was there in front of SYSCALL.
info registers rax rdi rsi rdx r10 rip cs ss rsp gs_base rcx r11 eflags
# rax has the result; rcx and r11 are what SYSCALL made them. All else is as it was.

# Lesson 2: how a number becomes a function
#
# The program calls io_submit. The kernel is not told "io_submit", it is told a number in rax.
tbreak syscall io_submit
run
print/d $rax
tbreak do_syscall_64
continue
# Question: is there a switch with hundreds of cases?
list
# No: a range check, and an array of pointers to functions, sys_call_table. Go on to its use:
next 2
info syscalls io_submit
step
# The function in the table has one argument, regs (lesson 1). It takes what the call needs out of
# the saved registers, by the rule for SYSCALL: rdi, rsi, rdx, r10, r8, r9 ...
step
# ... for __se_sys_, which gets each argument as a long, as wide as the register that it was in ...
step
# ... for __do_sys_, which gets each with its type in C. This one is the body of the call.
bt
finish
# There is no context 0: -EINVAL. The wrappers hand it up, and do_syscall_64 stores it.
tbreak syscall_return_slowpath
continue
print (long)regs->ax

# The second call is made by INT 0x80, the way of 32-bit programs. That is an interrupt like that of
# a device or of a division by zero, with a vector: 0x80.
tbreak vector 0x80
continue
# Question: for SYSCALL the CPU has the kernel's address in a register (MSR_LSTAR). And here?
# In a table, the IDT; `info idt` shows it. And the CPU itself has pushed ss, rsp, flags, cs and
# rip, on a stack of the kernel:
info registers rax rbx cs rsp
x/5gx $rsp
# 246 is io_destroy, and it is kexec_load for SYSCALL: see the first column.
info syscalls io_destroy
info syscalls kexec_load
# So here must be another table, ia32_sys_call_table, and somebody who uses that:
tbreak do_int80_syscall_32
continue
print regs->orig_ax
step 5
# Question: the arguments of INT 0x80 are in other registers: ebx, ecx, edx, esi, edi, ebp. Who
# knows that? The name tells. __ia32_sys_ is a wrapper made for this table. The body is one for all:
step 2
bt
finish

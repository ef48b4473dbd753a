# Lesson 3: what -ENOSYS is, and where it comes from
#
# The call has come some instructions into the kernel. Nobody has looked at its number yet. The
# registers are being saved, and in the place of rax the entry code pushes a constant:
tbreak *entry_SYSCALL_64+45
run
x/gd $rsp
# Question: which error is 38?
print ENOSYS
# "Function not implemented" is what a call returns unless something else is stored there. Who ends
# a call early need not think of a result.

# The number is 174, create_module. The kernel had this call up to version 2.4.
info registers rax
info syscalls create_module
# A number is not given to another call later: a program that still uses it must fail, and not do
# something else. So the table has something at 174. Question: what does that do?
tbreak sys_ni_syscall
continue
bt
finish
# "ni" is "not implemented", and this is all that it does. do_syscall_64 stores what it returns,
# -ENOSYS, where -ENOSYS was. On to the end of the call, and remember the place:
finish
finish
bookmark from_the_function

# The second call has the number 5000. The table ends before 548.
tbreak do_syscall_64
continue
# Question: what is in regs->ax before do_syscall_64 has done anything?
print (long)regs->ax
step 3
# Not below the table's size, so nothing is called: this is a step of do_syscall_64 itself.
bt
# Question: who stores the result, then?
next
next
print (long)regs->ax
finish
# Nobody. What the program gets is the constant that the entry code pushed.

# Question: can the program tell one from the other? All that it gets is what is in its registers.
info registers rax
goto from_the_function
info registers rax
# It cannot. libc makes -1 and errno = ENOSYS of both. And that is how programs find out whether a
# kernel has a call: they make it and look.

# Where to stop: a function, a step, a line, an instruction, a system call, a vector.
break io_submit_one
break "ring read"
break submit.cc:133
break *entry_SYSCALL_64+3
break entry_SYSCALL_64
break vector 0xec
break syscall io_getevents if current->pid == 100
tbreak do_syscall_64 if nr == 206
info breakpoints
disable
enable 1 8
continue
continue
break
continue 2
info breakpoints
condition 1 user_iocb == 0
condition 1
delete 2 3 4 5 6 7
enable
delete
break vector 0xec
continue
bt
delete
goto start
# Who wrote this last?
tbreak io_submit_one
continue
watch ctx->reqs_available
watch ctx->tail if ctx->tail > 0
watch $rsp
disable 14
info breakpoints
continue
continue
bt
reverse-continue
reverse-continue
delete
info breakpoints
# A word of user memory, and one of the kernel stack.
goto start
tbreak io_submit_one
continue
watch *(u32 *)0x7ffe00000048
watch -l *(u64 *)($rsp - 8) if *(u64 *)0xffff888000087f48 != 0
info breakpoints
continue
delete

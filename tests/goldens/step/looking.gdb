# What can be looked at.
break io_submit_one
continue
backtrace
frame
frame 1
up
down
frame 0
print compat
up
print nr
print nr * 2 == 2 && ctx_id != 0
print/x ctx_id
print $1
print $
down
print *user_iocb
print ctx->ring->tail
whatis ctx->ring
whatis $rsp
print *ctx->ring
print current->pid
print $rsp
up
up
up
print *(struct pt_regs *)regs
frame 0
set print pretty on
print ctx->users
set print pretty off
display ctx->reqs_available
display/x $rip
info display
next
undisplay 2
next
display
undisplay
info display
x/4gx $rsp
x/3i entry_SYSCALL_64
x/2wx 0x7ffe00000040
info registers rip rsp rax
info tasks
info cpus
info locks
info files
info files 100
info kioctx
info ring
info plug
info requests
info syscalls io_submit
info memory
task 32767
backtrace
task
show
show grain
set width 60
info tasks
show width
echo done
help
help break
help x

# Every command that moves, and what goes wrong with it.
# run, continue, break at a system call
break syscall io_submit
run
continue
info breakpoints
delete 1
# step, next, finish by the three grains
tbreak __do_sys_io_submit
goto start
continue
step
step 3
next
next 2
finish
up
finish
set grain function
step
set grain instruction
step 2
set grain statement
stepi
stepi 3
nexti
nexti 2
until
until io_submit_one
# the same backwards
reverse-finish
reverse-stepi
reverse-stepi 4
reverse-nexti
reverse-step
reverse-step 2
reverse-next
reverse-next 3
reverse-until
reverse-until syscall io_setup
# places in the run
bookmark here
bookmark
info bookmarks
continue
goto here
goto b1
goto #4000
goto 3700
goto end
reverse-continue
stop
goto start
reverse-step

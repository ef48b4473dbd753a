# Lesson 6: how io_getevents works
#
# One read is on its way to the disk. The program calls io_getevents with min_nr 0.
tbreak aio_read_events_ring
run
info ring
finish
# Nothing is there, and not less than nothing is wanted: the call ends, without any sleep.
#
# The second call has min_nr 1. Question: how often will it look before it sleeps?
tbreak schedule
break aio_read_events_ring
continue
bt 4
continue
continue
# Twice. Before the second look it has entered itself in the list of those who wait, ctx->wait. So
# an event that came before that is seen, and one that comes after it wakes the task.
info breakpoints
print current->state
delete

# The program sleeps, the CPU has nothing to do. Question: who will store the event?
tbreak vring_interrupt
continue
bt
info tasks
# The disk interrupts, and what follows runs on top of whatever was there, here the idle task.
task 7
watch ctx->ring->tail
continue
bt 3
# The event is in the ring, and tail has moved. The ring is memory of the program, too: it begins
# at the address that is the context's handle.
# Question: what would a program see that looks there, without any system call?
task 7
x/8wx 0x7f0000000000
print *(struct io_event *)0x7f0000000020
# id, nr, head 0, tail 1, a magic number to know a ring by; then the events. The program could take
# this one and write 1 to head. To the kernel that is the same as io_getevents.

# This program sleeps, so it has to be told.
tbreak try_to_wake_up
continue
bt 7
finish
info tasks
# It may run, but does not yet: the interrupt has to end. When it runs, it looks again:
tbreak aio_read_events_ring
continue
bt 3
finish
# One. min_nr is reached; head has come up to tail. Question: what does the program see there now?
x/8wx 0x7f0000000000

# Lesson 4: the life of one iocb
#
# First of all there is io_setup: the program wants a context for 8 events.
tbreak ioctx_alloc
run
finish
# Question: for how many is there room?
info kioctx
# A ring fills its page. Each request takes one of reqs_available before it starts, so that there
# is a slot for its event whatever happens. Now io_submit has come to its first iocb:
tbreak io_submit_one
continue
print *(struct iocb *)user_iocb
# That is in the user's memory. The kernel copies all of it first: what the program writes there
# from now on changes nothing. Watch the count and the ring's tail:
watch ctx->reqs_available
watch ctx->ring->tail
continue
# Question: one request, and 31 are gone?
bt 3
info kioctx
# The CPU has taken a batch (req_batch) for itself. Its next requests take theirs from that, and do
# not write to what other CPUs write to. One of the 31 is for this request, soon "in flight".
tbreak fget
continue
finish
# The request holds the file from here on: REFS. If the program closes 3 now, the file stays.
info files
info kioctx

# The file is in memory, so reading it waits for nothing. Question: is there an event before
# io_submit has returned?
continue
bt 6
# Yes: this is still io_submit. (A watch stops at the first probe behind the write: aio_complete
# has written, and has called the next function.) Of the 512 bytes there were 26.
info ring

# When its event is in the ring, the request is done. Who frees it?
tbreak kmem_cache_free
continue
bt 3
# aio_complete, by dropping the last reference: io_submit_one must not touch it any more. The slot
# is not free. There is an event in it:
finish
info kioctx

# The program fetches the event. Its next call is io_destroy.
tbreak copy_to_user
continue
bt 5
tbreak syscall io_destroy
continue
info ring
# Question: head has moved, the ring is empty. Is the slot counted as free?
info kioctx
# No. A program may move head by itself, without a call, so the kernel compares head and tail when
# it needs to: at a later completion, or when a request finds none available.

# And now backwards. Who wrote the tail last?
reverse-continue
up
# And what had changed before that?
reverse-continue

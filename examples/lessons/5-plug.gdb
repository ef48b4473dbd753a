# Lesson 5: why three requests became one
#
# The program submits three reads of 4096 bytes, neighbours on the disk. Before the first of them,
# io_submit puts a plug in: what comes down to the device is to stay in it.
tbreak blk_start_plug
run
bt 2
finish
info plug

# The first read on its way down: iocb, file, bio. A bio says: these sectors, to these pages.
break blk_attempt_plug_merge
continue
bt 11
# Question: is there a request in the plug that this bio could join?
finish
# No, it is empty. So the bio gets a request of its own, with a tag: its number with the device.
# But the device does not get the request. This is when the second iocb begins:
tbreak io_submit_one
continue
info plug
info requests

# The second read comes to the plug. (bio=8: its first sector is 8.)
continue
# Question: the request in the plug has the sectors 0 to 7. How do the two fit?
tbreak blk_try_merge
continue
finish
# 2 is ELEVATOR_BACK_MERGE: the bio begins where the request ends, and is put behind it.
finish
# And the third:
continue
finish
# One request of 24 sectors, three bios in a chain:
print plug->mq_list
print plug->mq_list[0]->bio->bi_iter.bi_sector
print plug->mq_list[0]->bio->bi_next->bi_iter.bi_sector
print plug->mq_list[0]->bio->bi_next->bi_next->bi_iter.bi_sector
delete

# Question: when does the disk hear of it?
tbreak virtio_queue_rq
continue
bt 7
# When all three are submitted, and io_submit pulls the plug. Had the task gone to sleep before,
# then at that moment: nobody must wait for a request that is being held back.

# Question: in how many parts will the disk say that it is done?
break vring_interrupt
continue
info requests
tbreak aio_complete
continue
bt 6
# One: it was one request, of 12288 bytes. blk_update_request ends its bios, each ends its iocb:
tbreak syscall io_destroy
continue
info ring
info breakpoints
# Three events, and one stop ("Hits") in vring_interrupt.

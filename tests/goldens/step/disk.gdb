# A plug with requests, a disk, its interrupt.
break blk_finish_plug
continue
print plug.mq_list.size
print *plug.mq_list.first
info plug
info requests
delete
break virtblk_done
continue
backtrace
info requests
info cpus
info idt

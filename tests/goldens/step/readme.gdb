break syscall io_submit
continue
stepi 2
tbreak get_reqs_available
continue
watch ctx->reqs_available
continue
print *ctx->ring
goto end
reverse-continue

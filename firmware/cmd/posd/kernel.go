package main

import (
	"context"
	"os"
	"strings"
	"time"

	"swipewell/firmware/journal/kmsg"
)

// watchKernel takes the kernel's messages into the journal until ctx ends.
func (d *device) watchKernel(ctx context.Context) {
	if d.board.Kernel == nil {
		return
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		d.log.Warn("kernel", "err", err)
	}
	k, err := d.journal.Kernel(strings.TrimSpace(string(boot)))
	if err != nil {
		d.log.Warn("kernel", "err", err)
	}
	again := time.Duration(0)
	if d.board.KernelGrows {
		again = 200 * time.Millisecond
	}
	if err := kmsg.Read(ctx, d.board.Kernel, again, k.Take); err != nil && ctx.Err() == nil {
		d.log.Warn("kernel", "err", err)
	}
}

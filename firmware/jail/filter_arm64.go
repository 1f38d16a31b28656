package jail

import "golang.org/x/sys/unix"

// The calls of this machine. foreign is the first number of another ABI's calls,
// 0 if there is none.
const (
	arch    = unix.AUDIT_ARCH_AARCH64
	foreign = 0
	sysMmap = unix.SYS_MMAP
)

var (
	machine       = []uint32{}
	machineClocks = []uint32{}
	forks         = []uint32{}
)

package jail

import "golang.org/x/sys/unix"

// The calls of this machine. foreign is the first number of another ABI's calls,
// 0 if there is none.
const (
	arch    = unix.AUDIT_ARCH_X86_64
	foreign = 0x40000000
	sysMmap = unix.SYS_MMAP
)

var (
	machine       = []uint32{unix.SYS_MKNOD, unix.SYS_IOPL, unix.SYS_IOPERM, unix.SYS_MODIFY_LDT}
	machineClocks = []uint32{}
	forks         = []uint32{unix.SYS_FORK, unix.SYS_VFORK}
)

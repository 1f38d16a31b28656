package jail

import "golang.org/x/sys/unix"

// The calls of this machine. foreign is the first number of another ABI's calls,
// 0 if there is none.
const (
	arch    = unix.AUDIT_ARCH_ARM
	foreign = 0
	sysMmap = unix.SYS_MMAP2
)

var (
	machine = []uint32{unix.SYS_MKNOD, unix.SYS_PCICONFIG_WRITE, unix.SYS_SETUID32, unix.SYS_SETGID32, unix.SYS_SETREUID32, unix.SYS_SETREGID32,
		unix.SYS_SETRESUID32, unix.SYS_SETRESGID32, unix.SYS_SETGROUPS32, unix.SYS_SETFSUID32, unix.SYS_SETFSGID32}
	machineClocks = []uint32{unix.SYS_CLOCK_SETTIME64, unix.SYS_CLOCK_ADJTIME64}
	forks         = []uint32{unix.SYS_FORK, unix.SYS_VFORK}
)

package jail

import (
	"slices"

	"golang.org/x/sys/unix"
)

// Offsets in struct seccomp_data, on a little-endian machine. SECCOMP.
const (
	atNumber = 0
	atArch   = 4
	atArg    = 16 // 8 bytes each; the low half first
)

// denied to everybody: what reaches into another process, the kernel or the
// machine.
var denied = []uint32{
	unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_KCMP, unix.SYS_PIDFD_GETFD,
	unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_MOVE_MOUNT, unix.SYS_OPEN_TREE, unix.SYS_FSOPEN,
	unix.SYS_FSCONFIG, unix.SYS_FSMOUNT, unix.SYS_FSPICK, unix.SYS_MOUNT_SETATTR, unix.SYS_SETNS, unix.SYS_UNSHARE,
	unix.SYS_KEXEC_LOAD, unix.SYS_KEXEC_FILE_LOAD, unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE,
	unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD, unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER,
	unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_KEYCTL, unix.SYS_REBOOT, unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_ACCT,
	unix.SYS_QUOTACTL, unix.SYS_SYSLOG, unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME, unix.SYS_PERSONALITY,
	unix.SYS_NAME_TO_HANDLE_AT, unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_MKNODAT, unix.SYS_FANOTIFY_INIT, unix.SYS_VHANGUP,
	unix.SYS_SETUID, unix.SYS_SETGID, unix.SYS_SETREUID, unix.SYS_SETREGID, unix.SYS_SETRESUID, unix.SYS_SETRESGID, unix.SYS_SETGROUPS,
	unix.SYS_SETFSUID, unix.SYS_SETFSGID, unix.SYS_CAPSET,
}

// clocks are the calls that set the time.
var clocks = []uint32{unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_CLOCK_ADJTIME, unix.SYS_ADJTIMEX}

// programs are the calls that start one.
var programs = []uint32{unix.SYS_EXECVE, unix.SYS_EXECVEAT}

// servers are the calls that make a socket one that others reach.
var servers = []uint32{unix.SYS_BIND, unix.SYS_LISTEN}

// action is what a filter says.
type action = uint32

const (
	allow action = unix.SECCOMP_RET_ALLOW
	kill  action = unix.SECCOMP_RET_KILL_PROCESS
	eperm action = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	enoss action = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	eafno action = unix.SECCOMP_RET_ERRNO | uint32(unix.EAFNOSUPPORT)
)

func load(off uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: off}
}

// jump goes so many instructions on if the accumulator meets k, and so many if not.
func jump(test uint16, k uint32, met, not uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | test | unix.BPF_K, K: k, Jt: met, Jf: not}
}

func say(a action) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: a} }

func and(k uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: k}
}

// Filter is the program for this machine. Another machine's calls end the
// process (they would be numbered otherwise); what is denied fails with EPERM, so
// that a bug is an error in the log and not a dead terminal. What it denies:
//
//   - the calls of the lists above
//   - new processes and programs, unless Rules.Program is set: threads only
//   - sockets other than unix, IPv4 and IPv6 streams and datagrams; with
//     Rules.Program set, all of them
//   - bind and listen
//   - memory that can be run: mmap and mprotect with PROT_EXEC; not with a
//     program, whose loader needs it
//   - prctl(PR_SET_DUMPABLE, not 0)
func Filter(r Rules) []unix.SockFilter {
	f := []unix.SockFilter{load(atArch), jump(unix.BPF_JEQ, arch, 1, 0), say(kill), load(atNumber)}
	if foreign != 0 { // x32
		f = append(f, jump(unix.BPF_JGE, foreign, 0, 1), say(kill))
	}
	// on is what is done about one call; each way through it ends in an answer.
	on := func(n uint32, what ...unix.SockFilter) {
		f = append(append(f, jump(unix.BPF_JEQ, n, 0, uint8(len(what)))), what...)
	}
	list := slices.Concat(denied, machine, servers)
	if !r.Clock {
		list = slices.Concat(list, clocks, machineClocks)
	}
	if r.Program == "" {
		list = slices.Concat(list, programs, forks)
	}
	for _, n := range list {
		on(n, say(eperm))
	}
	on(unix.SYS_PRCTL, load(atArg), jump(unix.BPF_JEQ, unix.PR_SET_DUMPABLE, 1, 0), say(allow),
		load(atArg+8), jump(unix.BPF_JEQ, 0, 0, 1), say(allow), say(eperm))
	if r.Program != "" {
		on(unix.SYS_SOCKET, say(eafno))
		return append(f, say(allow))
	}
	on(unix.SYS_CLONE3, say(enoss)) // its flags are behind a pointer; who asks falls back to clone
	on(unix.SYS_CLONE, load(atArg), jump(unix.BPF_JSET, unix.CLONE_THREAD, 0, 1), say(allow), say(eperm))
	for _, n := range []uint32{sysMmap, unix.SYS_MPROTECT, unix.SYS_PKEY_MPROTECT} {
		on(n, load(atArg+16), jump(unix.BPF_JSET, unix.PROT_EXEC, 0, 1), say(eperm), say(allow))
	}
	on(unix.SYS_SOCKET, load(atArg),
		jump(unix.BPF_JEQ, unix.AF_UNIX, 2, 0), jump(unix.BPF_JEQ, unix.AF_INET, 1, 0), jump(unix.BPF_JEQ, unix.AF_INET6, 0, 3),
		load(atArg+8), and(0xF), jump(unix.BPF_JGE, unix.SOCK_RAW, 0, 1), say(eafno), say(allow))
	return append(f, say(allow))
}

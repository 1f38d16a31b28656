package jail

import (
	"testing"

	"golang.org/x/sys/unix"
)

// judge runs a filter as the kernel does. SECCOMP.
func judge(t *testing.T, f []unix.SockFilter, machine, nr uint32, args ...uint64) uint32 {
	t.Helper()
	word := func(off uint32) uint32 {
		switch {
		case off == atNumber:
			return nr
		case off == atArch:
			return machine
		case off >= atArg && int(off-atArg)/8 < len(args):
			return uint32(args[(off-atArg)/8] >> (8 * (off % 8)))
		}
		return 0
	}
	var a uint32
	for at := 0; at < len(f); at++ {
		i := f[at]
		met := false
		switch i.Code {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			a = word(i.K)
			continue
		case unix.BPF_ALU | unix.BPF_AND | unix.BPF_K:
			a &= i.K
			continue
		case unix.BPF_RET | unix.BPF_K:
			return i.K
		case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K:
			met = a == i.K
		case unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K:
			met = a >= i.K
		case unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K:
			met = a&i.K != 0
		default:
			t.Fatalf("instruction %d: code %#x", at, i.Code)
		}
		if met {
			at += int(i.Jt)
		} else {
			at += int(i.Jf)
		}
	}
	t.Fatal("the filter ends without an answer")
	return 0
}

func TestFilter(t *testing.T) {
	posd, judges, clock := Filter(Rules{}), Filter(Rules{Program: "/posd"}), Filter(Rules{Clock: true})
	for _, c := range []struct {
		name         string
		nr           uint32
		args         []uint64
		posd, judges uint32
	}{
		{"read", unix.SYS_READ, nil, allow, allow},
		{"execve", unix.SYS_EXECVE, nil, eperm, allow},
		{"execveat", unix.SYS_EXECVEAT, nil, eperm, allow},
		{"a thread", unix.SYS_CLONE, []uint64{unix.CLONE_VM | unix.CLONE_THREAD}, allow, allow},
		{"a process", unix.SYS_CLONE, []uint64{unix.CLONE_VM | unix.CLONE_VFORK}, eperm, allow},
		{"clone3", unix.SYS_CLONE3, nil, enoss, allow},
		{"a stream", unix.SYS_SOCKET, []uint64{unix.AF_INET, unix.SOCK_STREAM | unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK}, allow, eafno},
		{"a datagram", unix.SYS_SOCKET, []uint64{unix.AF_INET6, unix.SOCK_DGRAM}, allow, eafno},
		{"raw", unix.SYS_SOCKET, []uint64{unix.AF_INET, unix.SOCK_RAW}, eafno, eafno},
		{"raw6", unix.SYS_SOCKET, []uint64{unix.AF_INET6, unix.SOCK_RAW | unix.SOCK_CLOEXEC}, eafno, eafno},
		{"unix", unix.SYS_SOCKET, []uint64{unix.AF_UNIX, unix.SOCK_STREAM}, allow, eafno},
		{"netlink", unix.SYS_SOCKET, []uint64{unix.AF_NETLINK, unix.SOCK_DGRAM}, eafno, eafno},
		{"vsock", unix.SYS_SOCKET, []uint64{unix.AF_VSOCK, unix.SOCK_STREAM}, eafno, eafno},
		{"bind", unix.SYS_BIND, nil, eperm, eperm},
		{"listen", unix.SYS_LISTEN, nil, eperm, eperm},
		{"connect", unix.SYS_CONNECT, nil, allow, allow},
		{"ptrace", unix.SYS_PTRACE, nil, eperm, eperm},
		{"kexec", unix.SYS_KEXEC_LOAD, nil, eperm, eperm},
		{"mount", unix.SYS_MOUNT, nil, eperm, eperm},
		{"mmap", sysMmap, []uint64{0, 4096, unix.PROT_READ | unix.PROT_WRITE}, allow, allow},
		{"mmap exec", sysMmap, []uint64{0, 4096, unix.PROT_READ | unix.PROT_EXEC}, eperm, allow},
		{"mprotect exec", unix.SYS_MPROTECT, []uint64{0, 4096, unix.PROT_EXEC}, eperm, allow},
		{"undumpable", unix.SYS_PRCTL, []uint64{unix.PR_SET_DUMPABLE, 0}, allow, allow},
		{"dumpable", unix.SYS_PRCTL, []uint64{unix.PR_SET_DUMPABLE, 1}, eperm, eperm},
		{"another prctl", unix.SYS_PRCTL, []uint64{unix.PR_SET_NAME, 1}, allow, allow},
		{"the clock", unix.SYS_CLOCK_SETTIME, nil, eperm, eperm},
		{"setuid", unix.SYS_SETUID, nil, eperm, eperm},
	} {
		if have := judge(t, posd, arch, c.nr, c.args...); have != c.posd {
			t.Errorf("%s: %#x, want %#x", c.name, have, c.posd)
		}
		if have := judge(t, judges, arch, c.nr, c.args...); have != c.judges {
			t.Errorf("%s of the judges: %#x, want %#x", c.name, have, c.judges)
		}
		if have := judge(t, posd, arch+1, c.nr, c.args...); have != kill {
			t.Errorf("%s of another machine: %#x", c.name, have)
		}
	}
	if judge(t, clock, arch, unix.SYS_CLOCK_SETTIME) != allow {
		t.Error("the clock cannot be set")
	}
	if foreign != 0 && judge(t, posd, arch, foreign+unix.SYS_READ) != kill {
		t.Error("a call of x32 passes")
	}
	if len(posd) > unix.BPF_MAXINSNS {
		t.Errorf("%d instructions", len(posd))
	}
}

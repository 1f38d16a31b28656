package jail

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Nothing of a jail can be undone, so each is tried in a process of its own: this
// test binary again, with what to try in its environment.
func TestMain(m *testing.M) {
	if what := os.Getenv("JAIL_TRY"); what != "" {
		json.NewEncoder(os.Stdout).Encode(tries[what](os.Getenv("JAIL_DIR")))
		return
	}
	os.Exit(m.Run())
}

// tries give what each attempt ended with: "" it worked.
var tries = map[string]func(dir string) map[string]string{"locked": tryLocked, "program": tryProgram, "user": tryUser, "clock": tryClock, "open": tryOpen}

func word(err error) string {
	var e syscall.Errno
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return unix.ErrnoName(e)
	}
	return err.Error()
}

// common are the attempts that every kind of process makes.
func common(dir string) map[string]string {
	out := map[string]string{}
	try := func(name string, err error) { out[name] = word(err) }
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		ln.Close()
	}
	try("listen", err)
	lu, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err == nil {
		lu.Close()
	}
	try("bind", err)
	try("exec", exec.Command("/bin/true").Run())
	if what := os.Getenv("JAIL_TRY"); what == "locked" || what == "clock" { // elsewhere they would work
		_, _, e := syscall.RawSyscall(unix.SYS_CLONE, uintptr(unix.SIGCHLD), 0, 0)
		if e == 0 {
			os.Exit(7)
		}
		try("fork", e)
		try("ptrace", unix.PtraceAttach(os.Getppid()))
		try("mount", unix.Mount("none", dir, "tmpfs", 0, ""))
		try("unshare", unix.Unshare(unix.CLONE_NEWUTS))
	}
	_, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)
	try("raw socket", err)
	_, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM, 0)
	try("packet socket", err)
	_, err = unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANON)
	try("mmap exec", err)
	try("dumpable", unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0))
	try("write inside", os.WriteFile(filepath.Join(dir, "in", "f"), []byte("x"), 0o600))
	try("rename inside", os.Rename(filepath.Join(dir, "in", "f"), filepath.Join(dir, "in", "g")))
	try("write outside", os.WriteFile(filepath.Join(dir, "out", "f"), []byte("x"), 0o600))
	try("remove outside", os.Remove(filepath.Join(dir, "out", "old")))
	_, err = os.ReadFile(filepath.Join(dir, "out", "old"))
	try("read outside", err)
	for _, network := range []string{"tcp4", "tcp6"} {
		if addr := os.Getenv("JAIL_" + network); addr != "" {
			c, err := net.Dial(network, addr)
			if err == nil {
				c.Close()
			}
			try("dial "+network, err)
		}
	}
	// Threads go on being made, and every one has the filter.
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { runtime.LockOSThread() })
	}
	wg.Wait()
	for _, name := range []string{"NoNewPrivs", "Seccomp", "Uid", "CapEff", "CapPrm"} {
		out[name] = strings.Join(status(name), " ")
	}
	return out
}

// status is a line of each thread's status, those that differ.
func status(name string) (all []string) {
	seen := map[string]bool{}
	tasks, _ := filepath.Glob("/proc/self/task/*/status")
	for _, t := range tasks {
		b, _ := os.ReadFile(t)
		for line := range strings.Lines(string(b)) {
			if v, ok := strings.CutPrefix(line, name+":"); ok {
				v = strings.Join(strings.Fields(v), " ")
				if !seen[v] {
					seen[v] = true
					all = append(all, v)
				}
			}
		}
	}
	return all
}

func rules(dir string) Rules { return Rules{Write: []string{filepath.Join(dir, "in"), os.DevNull}} }

func tryLocked(dir string) map[string]string {
	Hush()
	s := Lock(rules(dir))
	out := common(dir)
	out["state"] = s.String()
	return out
}

func tryProgram(dir string) map[string]string {
	r := rules(dir)
	r.Program, _ = os.Executable()
	s := Lock(r)
	out := map[string]string{"state": s.String(), "other": word(exec.Command("/bin/true").Run())}
	cmd := exec.Command(r.Program, "-test.run", "^$")
	cmd.Env = append(os.Environ(), "JAIL_TRY=")
	out["own"] = word(cmd.Run())
	_, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	out["socket"] = word(err)
	return out
}

func tryUser(dir string) map[string]string {
	err := User{Name: "daemon", Own: []string{filepath.Join(dir, "in"), filepath.Join(dir, "no such")}}.Become()
	out := common(dir)
	out["become"] = word(err)
	out["chown back"] = word(os.Chown(filepath.Join(dir, "in"), 0, 0))
	return out
}

func tryClock(dir string) map[string]string {
	err := User{Name: "daemon", Time: true, Own: []string{filepath.Join(dir, "in")}}.Become()
	r := rules(dir)
	r.Clock = true
	Lock(r)
	out := common(dir)
	out["become"] = word(err)
	return out
}

func tryOpen(dir string) map[string]string { return common(dir) }

// try runs one of them.
func try(t *testing.T, what string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	os.Chmod(filepath.Dir(filepath.Dir(dir)), 0o755)
	for d := dir; strings.HasPrefix(d, os.TempDir()) && d != os.TempDir(); d = filepath.Dir(d) {
		os.Chmod(d, 0o755) // the other user must get there
	}
	for _, d := range []string{"in", "out"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "out", "old"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "JAIL_TRY="+what, "JAIL_DIR="+dir)
	for _, network := range []string{"tcp4", "tcp6"} {
		addr := "127.0.0.1:0"
		if network == "tcp6" {
			addr = "[::1]:0"
		}
		if ln, err := net.Listen(network, addr); err == nil {
			defer ln.Close()
			cmd.Env = append(cmd.Env, "JAIL_"+network+"="+ln.Addr().String())
		}
	}
	var errs strings.Builder
	cmd.Stderr = &errs
	b, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, errs.String())
	}
	out := map[string]string{}
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatalf("%v in %q", err, b)
	}
	return out
}

func want(t *testing.T, have map[string]string, rows ...string) {
	t.Helper()
	for _, row := range rows {
		name, word, _ := strings.Cut(row, " = ")
		got, there := have[name]
		if !there && strings.HasPrefix(name, "dial ") {
			continue // no such network here
		}
		if got != word {
			t.Errorf("%s: %q, want %q", name, got, word)
		}
	}
}

func TestLocked(t *testing.T) {
	have := try(t, "locked")
	if !strings.Contains(have["state"], "seccomp") || strings.Contains(have["state"], "missing: seccomp") {
		t.Skip("a kernel without filters: ", have["state"])
	}
	want(t, have, "listen = EPERM", "bind = EPERM", "exec = EPERM", "fork = EPERM", "ptrace = EPERM", "mount = EPERM", "unshare = EPERM", "raw socket = EAFNOSUPPORT",
		"packet socket = EAFNOSUPPORT", "mmap exec = EPERM", "dumpable = EPERM", "write inside = ", "rename inside = ", "read outside = ", "dial tcp4 = ", "dial tcp6 = ",
		"NoNewPrivs = 1", "Seccomp = 2")
	if strings.Contains(have["state"], "missing: landlock") {
		t.Skip("a kernel without landlock: ", have["state"])
	}
	want(t, have, "write outside = EACCES", "remove outside = EACCES", "state = no new privileges, landlock, seccomp")
}

// The attempts work where there is no jail: what TestLocked sees is the jail's.
func TestOpen(t *testing.T) {
	want(t, try(t, "open"), "listen = ", "bind = ", "exec = ", "mmap exec = ", "dumpable = ", "write inside = ", "write outside = ", "remove outside = ", "NoNewPrivs = 0", "Seccomp = 0")
}

// A process that may start one program starts that, and has no network at all.
func TestProgram(t *testing.T) {
	have := try(t, "program")
	if strings.Contains(have["state"], "missing") {
		t.Skip(have["state"])
	}
	want(t, have, "own = ", "other = EACCES", "socket = EAFNOSUPPORT")
}

func TestUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	have := try(t, "user")
	want(t, have, "become = ", "CapEff = 0000000000000000", "CapPrm = 0000000000000000", "write inside = ", "write outside = EACCES", "chown back = EPERM")
	if u := have["Uid"]; strings.Contains(u, "0 0") || u == "" {
		t.Errorf("uid %s", u)
	}
	have = try(t, "clock")
	want(t, have, "become = ", fmt.Sprintf("CapEff = %016x", 1<<unix.CAP_SYS_TIME), fmt.Sprintf("CapPrm = %016x", 1<<unix.CAP_SYS_TIME), "listen = EPERM")
}

func TestUserMistakes(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root")
	}
	for _, name := range []string{"root", "nobody-of-that-name"} {
		if err := (User{Name: name}).Become(); err == nil {
			t.Errorf("became %s", name)
		}
	}
}

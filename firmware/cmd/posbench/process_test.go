package main

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"swipewell/firmware/sim/world"
)

// fields of a file in /proc: "Seccomp" → "2".
func fields(t *testing.T, path string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(b)) {
		k, v, _ := strings.Cut(line, ":")
		out[k] = strings.Join(strings.Fields(v), " ")
	}
	return out
}

// inodes of a process's sockets.
func sockets(t *testing.T, pid int) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil || len(fds) == 0 {
		t.Skip("the process's files are not to be seen")
	}
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err == nil && strings.HasPrefix(to, "socket:[") {
			out[strings.Trim(to, "socket:[]")] = true
		}
	}
	return out
}

// listening names the sockets of a process that wait for others: network ones by
// their line, and unix ones by their path. proc(5).
func listening(t *testing.T, pid int) (network, local []string) {
	t.Helper()
	own := sockets(t, pid)
	for _, table := range []string{"tcp", "tcp6", "udp", "udp6", "raw", "raw6"} {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, table))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(b)) {
			// TCP: state 0A is LISTEN. A datagram socket that is connected has a peer.
			if f := strings.Fields(line); len(f) > 9 && own[f[9]] && (f[3] == "0A" || !strings.HasPrefix(table, "tcp") && strings.Trim(f[2], "0:") == "") {
				network = append(network, table+" "+f[1])
			}
		}
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/unix", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 7 && own[f[6]] && f[3] == "00010000" {
			local = append(local, filepath.Base(f[7]))
		}
	}
	return network, local
}

// writable are the files that a process has open for writing, without sockets,
// pipes and what is under the folders.
func writable(t *testing.T, pid int, but ...string) (out []string) {
	t.Helper()
	infos, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fdinfo/*", pid))
	for _, info := range infos {
		flags, err := strconv.ParseInt(fields(t, info)["flags"], 8, 64)
		if err != nil || flags&int64(os.O_WRONLY|os.O_RDWR) == 0 {
			continue
		}
		path, err := os.Readlink(strings.Replace(info, "fdinfo", "fd", 1))
		ok := err != nil || !strings.HasPrefix(path, "/")
		for _, dir := range but {
			ok = ok || strings.HasPrefix(path, dir)
		}
		if !ok {
			out = append(out, path)
		}
	}
	return out
}

// children of a process.
func children(pid int) (out []int) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, f := range files {
		b, _ := os.ReadFile(f)
		for _, s := range strings.Fields(string(b)) {
			if n, err := strconv.Atoi(s); err == nil {
				out = append(out, n)
			}
		}
	}
	return out
}

// The real posd in the middle of its work: in its jail, deaf to the network, and
// with no file open for writing outside its folders.
func TestProcess(t *testing.T) {
	for _, name := range []string{"", "daemon"} {
		t.Run("user "+name, func(t *testing.T) {
			if name != "" && os.Getuid() != 0 {
				t.Skip("needs root")
			}
			dir, err := os.MkdirTemp("", "posbench-process-")
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			s := real(t)
			for _, d := range []string{dir, filepath.Dir(s.posd)} { // the other user starts the judges from there
				if err := os.Chmod(d, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			o, err := s.opts(filepath.Join(dir, "w"))
			if err != nil {
				t.Fatal(err)
			}
			o.User = name
			w, err := world.New(o)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			sell := func() {
				t.Helper()
				if err := w.Shop(t.Context(), "12.80", "cup-debit-1", "123456", -1); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			sell()
			if err := w.Crash(t.Context()); err != nil { // its store is judged
				t.Fatal(err)
			}
			sell()
			if rows, err := w.Batch(t.Context()); err != nil || len(rows) == 0 {
				t.Fatalf("%d sales, %v", len(rows), err)
			}
			pid := w.Pid()
			uid := strconv.Itoa(os.Getuid())
			if name != "" {
				u, err := user.Lookup(name)
				if err != nil {
					t.Skip(err)
				}
				uid = u.Uid
			}
			judges := children(pid)
			if len(judges) != 1 {
				t.Fatalf("processes %v, want the judges'", judges)
			}
			for _, p := range append(judges, pid) {
				st := fields(t, fmt.Sprintf("/proc/%d/status", p))
				if st["NoNewPrivs"] != "1" || st["Seccomp"] != "2" || st["CoreDumping"] != "0" {
					t.Errorf("%s: no new privileges %s, filter %s, dumping %s", st["Name"], st["NoNewPrivs"], st["Seccomp"], st["CoreDumping"])
				}
				if f := strings.Fields(st["Uid"]); len(f) != 4 || f[0] != uid || f[1] != uid || f[2] != uid {
					t.Errorf("%s: uid %s, want %s", st["Name"], st["Uid"], uid)
				}
				if name != "" && (strings.Trim(st["CapEff"]+st["CapPrm"]+st["CapBnd"], "0") != "") {
					t.Errorf("%s: capabilities %s %s %s", st["Name"], st["CapEff"], st["CapPrm"], st["CapBnd"])
				}
				b, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", p))
				if err != nil || !strings.Contains(strings.Join(strings.Fields(string(b)), " "), "Max core file size 0 0") {
					t.Errorf("%s: a core may be written, %v", st["Name"], err)
				}
			}
			if env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid)); err != nil || !strings.Contains(string(env), "asyncpreemptoff=1\x00") {
				t.Errorf("the runtime keeps registers of what it stops: %v", err)
			}
			network, local := listening(t, pid)
			if len(network) != 0 || len(local) != 1 || !strings.HasPrefix(local[0], "posd.sock") {
				t.Errorf("listens on %v and %v", network, local)
			}
			if n, l := listening(t, judges[0]); len(n)+len(l) != 0 {
				t.Errorf("the judges listen on %v %v", n, l)
			}
			if out := writable(t, pid, w.Data(), "/dev/"); len(out) > 0 {
				t.Errorf("open for writing: %v", out)
			}
		})
	}
}

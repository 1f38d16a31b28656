package main

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"swipewell/firmware/image/plan"
)

func event(kind, code uint16, value uint32) []byte {
	b := make([]byte, eventSize)
	e := b[eventSize-8:]
	binary.NativeEndian.PutUint16(e, kind)
	binary.NativeEndian.PutUint16(e[2:], code)
	binary.NativeEndian.PutUint32(e[4:], value)
	return b
}

func TestPowerKey(t *testing.T) {
	for _, x := range []struct {
		b    []byte
		want bool
	}{
		{event(evKey, keyPower, 1), true}, {event(evKey, keyPower, 0), false}, {event(evKey, keyPower, 2), false}, {event(evKey, 30, 1), false},
		{event(0, keyPower, 1), false}, {event(evKey, keyPower, 1)[:eventSize-1], false}, {nil, false},
	} {
		if powerKey(x.b) != x.want {
			t.Errorf("% x: not %v", x.b, x.want)
		}
	}
}

func archive(t *testing.T, heads ...tar.Header) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range heads {
		h.Size = 0
		if h.Typeflag == tar.TypeReg {
			h.Size = 4
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			w.Write([]byte("text"))
		}
	}
	w.Close()
	path := filepath.Join(t.TempDir(), "bench.tar")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestUnpack(t *testing.T) {
	dir := t.TempDir()
	from := archive(t, tar.Header{Typeflag: tar.TypeReg, Name: "bench.toml"}, tar.Header{Typeflag: tar.TypeReg, Name: "a/b"}, tar.Header{Typeflag: tar.TypeSymlink, Name: "msr", Linkname: "/dev/ttyS0"})
	if err := unpack(from, dir); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "a/b")); err != nil || string(b) != "text" {
		t.Errorf("%q %v", b, err)
	}
	if to, err := os.Readlink(filepath.Join(dir, "msr")); err != nil || to != "/dev/ttyS0" {
		t.Errorf("%q %v", to, err)
	}
	for _, name := range []string{"../out", "a/../../out", ".."} {
		if err := unpack(archive(t, tar.Header{Typeflag: tar.TypeReg, Name: name}), t.TempDir()); err == nil {
			t.Errorf("%q was unpacked", name)
		}
	}
}

func TestSeedOnce(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "deep", "to")
	for _, step := range []struct{ write, want string }{{"first", "first"}, {"second", "first"}} {
		if err := os.WriteFile(from, []byte(step.write), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := seed(plan.Seed{From: from, To: to}); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(to); err != nil || string(b) != step.want {
			t.Errorf("%q, not %q: %v", b, step.want, err)
		}
	}
	if err := seed(plan.Seed{From: filepath.Join(dir, "none"), To: filepath.Join(dir, "new")}); err == nil {
		t.Error("a seed that is not there")
	}
}

func TestFindStream(t *testing.T) {
	dir := t.TempDir()
	for port, name := range map[string]string{"vport3p1": "panel.sock\n", "vport3p2": "icc.lines\n"} {
		if err := os.MkdirAll(filepath.Join(dir, port), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, port, "name"), []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"panel.sock": "vport3p1", "icc.lines": "vport3p2", "panel": "", "": ""} {
		if have := findStream(dir, name); have != want {
			t.Errorf("%q: %q, not %q", name, have, want)
		}
	}
}

// The console never makes anybody wait, and says what it lost.
func TestConsoleDrops(t *testing.T) {
	c := newConsole()
	for range queueLines + 7 {
		c.line("x")
	}
	if n := c.dropped.Load(); n != 7 {
		t.Errorf("%d dropped", n)
	}
}

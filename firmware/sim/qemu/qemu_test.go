package qemu

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"swipewell/firmware/image"
)

func TestPaths(t *testing.T) {
	have := paths(`socket = "/w/panel.sock"
file = "/w/keys.json"
dir = "/w/data/x"
tables = "/w/cards.tables"
other = "/else/keys.json"`, "/w")
	want := `socket = "/run/bench/panel.sock"
file = "/data/keys/keys.json"
dir = "/data/posd/x"
tables = "/run/bench/cards.tables"
other = "/else/keys.json"`
	if have != want {
		t.Error(have)
	}
}

func TestPack(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"bench.toml": `port = "` + dir + `/msr"`, "keys.json": "{}", "big": strings.Repeat("x", maxFile+1)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	b, err := pack(dir)
	if err != nil || len(b)%512 != 0 {
		t.Fatal(len(b), err)
	}
	have := map[string]string{}
	for r := tar.NewReader(bytes.NewReader(b)); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(r)
		have[h.Name] = string(text) + h.Linkname
	}
	for name, want := range map[string]string{"bench.toml": `port = "/run/bench/msr"`, "keys.json": "{}", "msr": "/dev/ttyS0", "icc": "/dev/ttyS1", "modem": "/dev/ttyS2",
		"service": "/dev/ttyS3", "panel.sock": "/run/port/panel.sock", "icc.lines": "/run/port/icc.lines"} {
		if have[name] != want {
			t.Errorf("%s: %q, not %q", name, have[name], want)
		}
		delete(have, name)
	}
	delete(have, image.ServiceStream)
	if len(have) > 0 {
		t.Errorf("and %v", have)
	}
}

func TestCopySparse(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	text := slices.Concat([]byte("front"), make([]byte, 200<<10), []byte("back"))
	if err := os.WriteFile(from, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := copySparse(from, to); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(to); err != nil || !bytes.Equal(b, text) {
		t.Errorf("%d bytes of %d, %v", len(b), len(text), err)
	}
}

// accept gives the next connection, with a limit.
func accept(t *testing.T, ln net.Listener) net.Conn {
	t.Helper()
	c, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(10 * time.Second))
	return c
}

func listen(t *testing.T, path string) net.Listener {
	t.Helper()
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

// What the device wrote before its program ended arrives, and then the end does.
func TestWireCarriesTheLastBytes(t *testing.T) {
	dir := t.TempDir()
	w := &wire{world: filepath.Join(dir, "world"), port: filepath.Join(dir, "port")}
	world, port := listen(t, w.world), listen(t, w.port)
	for range 20 {
		w.connect(context.Background())
		bench, device := accept(t, world), accept(t, port)
		if _, err := bench.Write([]byte("hello")); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 5)
		if _, err := io.ReadFull(device, b); err != nil || string(b) != "hello" {
			t.Fatalf("%q %v", b, err)
		}
		if _, err := device.Write([]byte("last words")); err != nil {
			t.Fatal(err)
		}
		w.hangUp()
		if all, err := io.ReadAll(bench); err != nil || string(all) != "last words" {
			t.Fatalf("%q %v", all, err)
		}
	}
}

// asked is a wire at which somebody may ask the device, and the device's port.
func asked(t *testing.T) (*wire, net.Listener) {
	t.Helper()
	dir := t.TempDir()
	w := &wire{world: filepath.Join(dir, "world"), port: filepath.Join(dir, "port")}
	port := listen(t, w.port)
	w.listen(t.Context())
	t.Cleanup(func() { w.ln.Close() })
	return w, port
}

// Who asks the device waits for its turn, one after the other.
func TestWireTakesTurns(t *testing.T) {
	ctx := t.Context()
	w, port := asked(t)
	for range 3 {
		c, err := net.Dial("unix", w.world)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write([]byte("who")); err != nil {
			t.Fatal(err)
		}
		w.changed(ctx, true) // the device opens its port
		device := accept(t, port)
		b := make([]byte, 3)
		if _, err := io.ReadFull(device, b); err != nil || string(b) != "who" {
			t.Fatalf("%q %v", b, err)
		}
		device.Write([]byte("me"))
		device.Close() // and closes it
		c.SetDeadline(time.Now().Add(10 * time.Second))
		if all, err := io.ReadAll(c); err != nil || string(all) != "me" {
			t.Fatalf("%q %v", all, err)
		}
		w.hangUp()
	}
}

// A device that starts again without having been asked leaves no turn behind: who
// asks then reaches the program that runs.
func TestWireForgetsATurn(t *testing.T) {
	ctx := t.Context()
	w, port := asked(t)
	for range 3 {
		w.changed(ctx, true)
		w.changed(ctx, false)
	}
	w.changed(ctx, true)
	w.changed(ctx, true) // no end was told of
	for i := range 2 {
		c, err := net.Dial("unix", w.world)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write([]byte("who")); err != nil {
			t.Fatal(err)
		}
		if i == 0 { // its turn
			device := accept(t, port)
			device.Close()
			continue
		}
		port.(*net.UnixListener).SetDeadline(time.Now().Add(100 * time.Millisecond))
		if early, err := port.Accept(); err == nil {
			early.Close()
			t.Fatal("the second asked before the device had opened its port again")
		}
	}
}

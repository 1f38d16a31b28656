package tty

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A named pipe behaves as a port whose host is not there yet: reads end at once.
// The port waits for the host, and takes its going for the end.
func TestPortWaitsForItsHost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "port")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	v := &vport{File: f}
	defer v.Close()
	go func() {
		time.Sleep(4 * look)
		host, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return
		}
		host.Write([]byte("hello"))
		host.Close()
	}()
	b := make([]byte, 16)
	if n, err := v.Read(b); err != nil || string(b[:n]) != "hello" {
		t.Fatalf("%q %v", b[:n], err)
	}
	began := time.Now()
	if n, err := v.Read(b); n != 0 || err != io.EOF || time.Since(began) > comes/2 {
		t.Fatalf("after the host had gone: %d %v, after %v", n, err, time.Since(began))
	}
}

func TestOpenStream(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sock")
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	s, err := OpenStream(path)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	for _, p := range []string{path + ".none", "/dev/null"} { // the second cannot be polled
		if s, err := OpenStream(p); err == nil {
			s.Close()
			t.Errorf("%s is a stream", p)
		}
	}
}

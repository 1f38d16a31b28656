package smp_test

import (
	"encoding/hex"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"swipewell/drivers/tty/ttysim"
	"swipewell/firmware/smp"
	"swipewell/firmware/update"
	"swipewell/firmware/update/bundle"
	"swipewell/firmware/update/updatesim"
)

// device has a running build in slot A; it takes bundles signed by key 7.
func device(t *testing.T) (*smp.Bundles, []byte, bundle.Sum) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	old, image := make([]byte, 30_000), make([]byte, 30_000)
	for i := range image {
		image[i] = byte(r.UintN(50))
		old[i] = byte(r.UintN(50))
	}
	b, err := updatesim.Bundle(image, updatesim.Board)
	if err != nil {
		t.Fatal(err)
	}
	dev, err := updatesim.Device(old, 1<<20, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &smp.Bundles{Device: dev, Inbox: update.NewInbox(dev, &updatesim.Memory{}, 1<<20), Running: update.A}, b.File(), b.Manifest.Sum
}

// TestSmpmgr: the client of others lists, uploads, tests and reads over a
// pseudo-terminal on which log lines come between the frames.
func TestSmpmgr(t *testing.T) {
	smpmgr := os.Getenv("SMPMGR")
	if smpmgr == "" {
		smpmgr = "../../out/smpmgr/bin/smpmgr" // where scripts/deps.sh puts it
		if _, err := os.Stat(smpmgr); err != nil {
			if smpmgr, err = exec.LookPath("smpmgr"); err != nil {
				t.Skip("needs smpmgr: by scripts/deps.sh, in PATH, or named by SMPMGR")
			}
		}
	}
	images, file, sum := device(t)
	pair, err := ttysim.Open(ttysim.Opts{})
	if err != nil {
		t.Skip(err)
	}
	defer pair.Close()
	s := &smp.Server{Images: images, Info: func(string) string { return "swipewell demo" }, Now: time.Now,
		Run: func(a []string) (string, int, bool) { return "ready", 0, a[0] == "status" }}
	go func() {
		var d smp.Demux
		b := make([]byte, 4096)
		for {
			n, err := pair.Read(b)
			if err != nil {
				return
			}
			packets, _ := d.Feed(b[:n])
			for _, p := range packets {
				out := []byte("a line of the log\r\n")
				pair.Write(smp.AppendFrames(out, s.Handle(p)))
			}
		}
	}()
	path := filepath.Join(t.TempDir(), "x.swb")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	do := func(want string, args ...string) {
		t.Helper()
		cmd := exec.Command(smpmgr, append([]string{"--port", pair.Path(), "--timeout", "5"}, args...)...)
		cmd.Env = append(os.Environ(), "COLUMNS=300", "TERM=dumb")
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(strings.ToLower(string(out)), strings.ToLower(want)) {
			t.Fatalf("%v: %v\n%s\nwant %q", args, err, out, want)
		}
	}
	do("hello", "os", "echo", "hello")
	do("1.0.0", "image", "state-read")
	do("", "image", "upload", "--format", "any", path)
	do("2.0.0", "image", "state-read")
	do("write... ok", "image", "state-write", hex.EncodeToString(sum[:]))
	if r, err := images.Device.Record(); err != nil || r.Trial != update.B {
		t.Errorf("%+v %v", r, err)
	}
}

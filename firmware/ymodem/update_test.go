package ymodem

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"swipewell/drivers/tty/ttysim"
	"swipewell/firmware/update"
	"swipewell/firmware/update/bundle"
	"swipewell/firmware/update/updatesim"
	"swipewell/hal"
)

// incoming is a file on its way into an inbox.
type incoming struct {
	in   *update.Inbox
	off  int64
	done bool
}

func (i *incoming) Write(b []byte) (n int, err error) {
	i.off, i.done, err = i.in.Put(i.off, b)
	return len(b), err
}

func (i *incoming) Close() error { return nil }

// TestSBFlashes: a technician with a terminal program and sb brings a bundle into
// the other slot; one for another board is refused while it is sent.
func TestSBFlashes(t *testing.T) {
	sb, err := exec.LookPath("sb")
	if err != nil {
		t.Skip("needs sb of lrzsz")
	}
	old, image := noise(40_000), append(noise(30_000), noise(9_000)...)
	for _, board := range []string{"demo", "other"} {
		b, err := updatesim.Bundle(image, board)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "new.swb")
		if err := os.WriteFile(path, b.File(), 0o600); err != nil {
			t.Fatal(err)
		}
		dev, err := updatesim.Device(old, 1<<20, nil)
		if err != nil {
			t.Fatal(err)
		}
		in := update.NewInbox(dev, &updatesim.Memory{}, 1<<20)
		pair, err := ttysim.Open(ttysim.Opts{})
		if err != nil {
			t.Skip(err)
		}
		tty, err := os.OpenFile(pair.Path(), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		cmd := exec.CommandContext(ctx, sb, "-k", path)
		cmd.Stdin, cmd.Stdout = tty, tty
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		_, err = Receive(ctx, Stream(pair), Opts{Clock: hal.SystemClock{}, Open: func(f File) (io.WriteCloser, error) {
			off, err := in.Begin(f.Size, bundle.Sum{})
			return &incoming{in: in, off: off}, err
		}})
		left := cmd.Wait()
		r, _ := dev.Record()
		if board == "demo" && (err != nil || left != nil || r.Images[update.B].Sum != b.Manifest.Sum || dev.Try() != nil) {
			t.Errorf("%v, sb %v, %+v", err, left, r)
		}
		if board == "other" && (err == nil || left == nil || r.Images[update.B].Size != 0) {
			t.Errorf("a bundle of another board: %v, sb %v", err, left)
		}
		cancel()
		tty.Close()
		pair.Close()
	}
}

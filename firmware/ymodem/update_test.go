package ymodem

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"swipewell/drivers/tty/ttysim"
	"swipewell/firmware/update"
	"swipewell/firmware/update/bundle"
	"swipewell/hal"
)

type memory struct{ b []byte }

func (m *memory) ReadAt(p []byte, off int64) (int, error) { return bytes.NewReader(m.b).ReadAt(p, off) }

func (m *memory) WriteAt(p []byte, off int64) (int, error) {
	if end := int(off) + len(p); end > len(m.b) {
		m.b = append(m.b, make([]byte, end-len(m.b))...)
	}
	return copy(m.b[off:], p), nil
}

func (m *memory) Sync() error { return nil }

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
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	pub, _ := key.Public().(ed25519.PublicKey)
	for _, board := range []string{"demo", "other"} {
		b, err := bundle.Make(image, bundle.Opts{Product: "swipewell", Board: board, Version: bundle.Version{Major: 2}, Schemas: bundle.Schemas{Lo: 1, Hi: 1}})
		if err != nil {
			t.Fatal(err)
		}
		b.Sign(key)
		path := filepath.Join(t.TempDir(), "new.swb")
		if err := os.WriteFile(path, b.File(), 0o600); err != nil {
			t.Fatal(err)
		}
		port := update.Plain{Copies: [2]update.Medium{&memory{}, &memory{}}}
		if err := port.Save(update.First(update.Image{Version: bundle.Version{Major: 1}, Size: 40_000, Sum: sha256.Sum256(old), Schemas: b.Manifest.Schemas})); err != nil {
			t.Fatal(err)
		}
		dev := update.New(update.Opts{Product: "swipewell", Board: "demo", Keys: bundle.Keyring{Production: []ed25519.PublicKey{pub}}, Port: port,
			Slots: [2]update.Medium{&memory{old}, &memory{}}, SlotSize: 1 << 20, Running: update.A, Schema: func() int { return 1 }})
		in := update.NewInbox(dev, &memory{}, 1<<20)
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

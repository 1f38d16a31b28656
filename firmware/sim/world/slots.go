package world

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"swipewell/drivers/tty/ttysim"
	"swipewell/hal"
)

// `board slots`: posd lies in two slots and is started by the real scripts/bootsel,
// as on a board without a boot loader that knows of slots. Whoever watches over it
// starts it again whenever it ends. A machine has its own slots and loader: there
// it is the technician's end of the cable, and the keys that sign builds.

// buildKey is the file with the private half of the key that signs bundles for the
// bench, secondKey that of another signer; wrongKey is one that the bench does not
// know.
const (
	buildKey  = "build.key"
	secondKey = "second.key"
	wrongKey  = "wrong.key"
)

// maxStarts in a row without a first screen: then something is wrong that no
// start mends.
const maxStarts = 10

// fitSlots makes the slots and the way to the cable for programs of others.
func (w *World) fitSlots() error {
	if err := w.layBuildKeys(); err != nil {
		return err
	}
	w.manned = true
	if w.o.Machine != nil {
		if w.o.Machine.Slots() == "" {
			return errors.New("board slots: this machine has no loader that knows of slots")
		}
		return nil
	}
	if w.o.Bootsel == "" || w.o.Boot == nil {
		return errors.New("board slots: scripts/bootsel was not found")
	}
	dir := w.path("boot")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	image, err := os.ReadFile(w.o.Posd)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "slot.a"), image, 0o755); err != nil {
		return err
	}
	text, err := w.o.Boot(image)
	if err != nil {
		return err
	}
	w.slots = dir
	return os.WriteFile(filepath.Join(dir, "boot.0"), text, 0o600)
}

// layBuildKeys writes the private keys of those who sign builds.
func (w *World) layBuildKeys() error {
	for _, k := range []string{buildKey, secondKey, wrongKey} {
		if err := os.WriteFile(filepath.Join(w.DeskDir(), k), []byte(base64.StdEncoding.EncodeToString(benchSeed(k))+"\n"), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// updateText is the board file's [update].
func (w *World) updateText() string {
	where := fmt.Sprintf("port = \"plain\"\ndir = %q\n", w.slots)
	switch {
	case w.o.Machine != nil:
		if where = w.o.Machine.Slots(); where == "" {
			return ""
		}
	case w.slots == "":
		return ""
	}
	text := fmt.Sprintf("[update]\n%sinbox = %q\n%s\n", where, w.path("data/inbox"), keyLines(w.slotKeys))
	for _, k := range []string{buildKey, secondKey} {
		pub, _ := ed25519.NewKeyFromSeed(benchSeed(k)).Public().(ed25519.PublicKey)
		text += fmt.Sprintf("[[update.key]]\nid = \"bench: TEST KEY %s\"\nkey = %q\n\n", k, base64.StdEncoding.EncodeToString(pub))
	}
	return text
}

// program is what runs posd.
func (w *World) program() *exec.Cmd {
	args := []string{"--board", w.path("bench.toml"), "--data", w.path("data")}
	if w.slots == "" {
		return exec.Command(w.o.Posd, args...)
	}
	return exec.Command("/bin/sh", append([]string{w.o.Bootsel, w.slots}, args...)...)
}

// again starts posd after it ended by itself, as init does on a device: at once,
// and in whatever slot the loader finds.
func (w *World) again() {
	w.mu.Lock()
	ok := w.slots != "" && !w.cut && !w.closed
	w.starts++
	n := w.starts
	w.mu.Unlock()
	if !ok || n > maxStarts {
		return
	}
	ctx := context.Background()
	err := w.waitFor(ctx, 5*time.Second, "the panel's connection to end", func() (bool, error) {
		v, _ := w.Panel.View()
		return !v.Connected, nil
	})
	if err == nil && !w.isCut() {
		err = w.start(ctx)
	}
	if err != nil {
		w.mu.Lock()
		w.log = append(w.log, "bench: "+err.Error())
		w.mu.Unlock()
		w.changed()
	}
}

func (w *World) isCut() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cut || w.closed
}

// ServicePath is a port that stands for the technician's end of the cable, for
// programs of others; it is there after `board slots`.
func (w *World) ServicePath() string { return w.path("cable") }

// plugCable makes that port, and carries bytes while somebody has it open.
func (w *World) plugCable() error {
	if !w.manned || w.far != nil {
		return nil
	}
	p, err := ttysim.Open(ttysim.Opts{Link: w.ServicePath(), Loose: true})
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.far = p
	w.mu.Unlock()
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := p.Read(buf)
			w.mu.Lock()
			device, closed := w.service, w.closed
			w.mu.Unlock()
			switch {
			case closed || errors.Is(err, io.EOF):
				return
			case n > 0 && device != nil:
				device.Write(buf[:n])
			case err != nil: // nobody has it open
				hal.Sleep(context.Background(), hal.SystemClock{}, 5*time.Millisecond)
			}
		}
	}()
	return nil
}

// toFar carries what the device says to whoever has the other end open. One who
// does not read loses it: a cable waits for nobody.
func (w *World) toFar(b []byte) {
	w.mu.Lock()
	p := w.far
	w.mu.Unlock()
	if p == nil {
		return
	}
	for range 100 {
		if !p.Held() {
			return
		}
		if b = b[p.Offer(b):]; len(b) == 0 {
			return
		}
		hal.Sleep(context.Background(), hal.SystemClock{}, 2*time.Millisecond)
	}
}

// firstScreen waits until the device shows something.
func (w *World) firstScreen(ctx context.Context) error {
	return w.waitFor(ctx, w.startTime(), "the device's first screen", func() (bool, error) {
		v, _ := w.Panel.View()
		w.mu.Lock()
		defer w.mu.Unlock()
		switch {
		case v.Connected && v.Caption.Code != "" && v.Frame != nil:
			w.starts = 0
			return true, nil
		case w.proc == nil && (w.slots == "" || w.starts > maxStarts):
			return false, fmt.Errorf("posd ended: %v; its last words: %s", w.exitErr, w.lastLogLocked())
		}
		return false, nil
	})
}

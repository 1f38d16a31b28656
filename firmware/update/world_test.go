package update

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"swipewell/firmware/sim/powercut"
	"swipewell/firmware/update/bundle"
	"swipewell/firmware/update/lzma"
)

// world is a device's disk: every write and sync of it is noted.
type world struct {
	files map[string][]byte
	ops   []powercut.Op
	uboot bool
	money error
}

type medium struct {
	w    *world
	name string
}

func (m medium) ReadAt(p []byte, off int64) (int, error) {
	b := m.w.files[m.name]
	if off >= int64(len(b)) {
		return 0, io.EOF
	}
	n := copy(p, b[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (m medium) WriteAt(p []byte, off int64) (int, error) {
	b := m.w.files[m.name]
	if end := int(off) + len(p); len(b) < end {
		b = append(b, make([]byte, end-len(b))...)
	}
	copy(b[off:], p)
	m.w.files[m.name] = b
	m.w.ops = append(m.w.ops, powercut.Op{Kind: powercut.OpWrite, Path: m.name, Off: off, Data: slices.Clone(p)})
	return len(p), nil
}

func (m medium) Sync() error {
	m.w.ops = append(m.w.ops, powercut.Op{Kind: powercut.OpSync, Path: m.name})
	return nil
}

func (w *world) port() Port {
	if w.uboot {
		return UBoot{M: medium{w, "env"}, Size: 1024}
	}
	return Plain{Copies: [2]Medium{medium{w, "boot.0"}, medium{w, "boot.1"}}, Kept: medium{w, "boot.2"}}
}

const slotSize = 256 << 10

// at is the device as the build in a slot sees it.
func (w *world) at(s Slot) *Device {
	return New(Opts{Product: "swipewell", Board: "demo", Keys: keyring(), Port: w.port(), Slots: [2]Medium{medium{w, "a"}, medium{w, "b"}}, SlotSize: slotSize,
		Running: s, Schema: func() int { return 3 }, Clear: func() error { return w.money }})
}

// boot is the loader: one try is taken, and the slot it starts holds what the record says.
func (w *world) boot() (Slot, error) {
	r, err := w.port().Load()
	if err != nil {
		return None, err
	}
	s, r := r.Boot()
	if s == None {
		return None, errors.New("no slot has a try left")
	}
	if err := w.port().Save(r); err != nil {
		return None, err
	}
	for _, may := range r.Order { // whichever may be started, now or at a later start
		i, b := r.Images[may], w.files[[2]string{"a", "b"}[may]]
		if may != s && r.Left[may] == 0 {
			continue
		}
		if i.Size == 0 || int64(len(b)) < i.Size || bundle.Sum(sha256.Sum256(b[:i.Size])) != i.Sum {
			return s, errors.New("the loader may start what was not verified: " + may.String())
		}
	}
	return s, nil
}

func signer() ed25519.PrivateKey { return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32)) }

func keyring() bundle.Keyring {
	pub, _ := signer().Public().(ed25519.PublicKey)
	return bundle.Keyring{Production: []ed25519.PublicKey{pub}, Need: 1}
}

// build n: 90,000 bytes like code, most of it as in build n-1.
func build(n int) []byte {
	r := rand.New(rand.NewPCG(1, 1))
	var b []byte
	for len(b) < 90_000 {
		v := r.Uint32N(600) * 2654435761
		b = append(b, byte(v), byte(v>>8), byte(v>>16), byte(r.Uint32N(4)))
	}
	r = rand.New(rand.NewPCG(uint64(n), 2))
	for range 40 {
		b[r.IntN(len(b))] ^= byte(n)
	}
	return b
}

func version(n int) bundle.Version { return bundle.Version{Major: 1, Minor: uint16(n)} }

type change func(*bundle.Opts)

var made sync.Map

// bundled is build n with a delta from build n-1.
func bundled(t testing.TB, n int, changes ...change) []byte {
	t.Helper()
	if b, ok := made.Load(n); ok && len(changes) == 0 {
		return b.([]byte)
	}
	o := bundle.Opts{Product: "swipewell", Board: "demo", Version: version(n), Floor: version(n - 1), Schemas: bundle.Schemas{Lo: 3, Hi: 3}, Filter: lzma.ARM, Bases: [][]byte{build(n - 1)}}
	for _, c := range changes {
		c(&o)
	}
	b, err := bundle.Make(build(n), o)
	if err != nil {
		t.Fatal(err)
	}
	b.Sign(signer())
	f := b.File()
	if len(changes) == 0 {
		made.Store(n, f)
	}
	return f
}

// factory is a new device with build 1 in slot A.
func factory(t testing.TB, uboot bool) *world {
	t.Helper()
	w := &world{files: map[string][]byte{}, uboot: uboot}
	for _, f := range []string{"env", "boot.0", "boot.1", "boot.2", "a", "b"} {
		w.ops = append(w.ops, powercut.Op{Kind: powercut.OpCreate, Path: f})
	}
	w.ops = append(w.ops, powercut.Op{Kind: powercut.OpSyncDir, Path: "."})
	medium{w, "a"}.WriteAt(build(1), 0)
	medium{w, "a"}.Sync()
	i := Image{Version: version(1), Floor: version(1), Size: 90_000, Sum: sha256.Sum256(build(1)), Schemas: bundle.Schemas{Lo: 3, Hi: 3}}
	if err := w.port().Save(First(i)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.port().Save(First(i)), w.port().Keep(First(i))); err != nil {
		t.Fatal(err)
	}
	return w
}

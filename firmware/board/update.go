package board

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"swipewell/firmware/update"
	"swipewell/firmware/update/bundle"
)

// Update is where builds lie, and whom the device believes about them.
type Update struct {
	Port    string      `toml:"port"`     // "plain" (default) or "uboot"
	Dir     string      `toml:"dir"`      // plain: slot.a slot.b boot.0 boot.1 boot.2, as scripts/bootsel has them
	State   string      `toml:"state"`    // uboot: where the two copies of its environment lie
	EnvSize int         `toml:"env_size"` // uboot: of a copy, bytes; 0 means 4096
	Slots   []string    `toml:"slots"`    // uboot: A and B
	Product string      `toml:"product"`  // "" means swipewell
	Inbox   string      `toml:"inbox"`    // a file, where a bundle lies until it is whole
	InboxMB int         `toml:"inbox_mb"` // 0 means 64
	Need    int         `toml:"need"`     // so many of the keys must have signed; 0 means 1
	Keys    []UpdateKey `toml:"key"`
}

// UpdateKey may sign builds.
type UpdateKey struct {
	ID          string `toml:"id"`          // whose it is, in words
	Key         string `toml:"key"`         // ed25519 public key, base64, made by postool keygen
	Development bool   `toml:"development"` // signs alone; only with bench = true
}

// Slots are the opened media of [Update].
type Slots struct {
	Product   string
	Keys      bundle.Keyring
	Port      update.Port
	Slots     [2]update.Medium
	SlotSize  int64
	Running   update.Slot
	Inbox     update.Medium
	InboxSize int64
}

// envSlot is how a loader tells a build which slot it was started from.
const envSlot = "SWIPEWELL_SLOT"

func (f *File) checkUpdate() {
	u := f.Update
	if u == nil {
		return
	}
	switch u.Port {
	case "", "plain":
		f.need("update", "dir", u.Dir)
	case "uboot":
		f.need("update", "state", u.State)
		if len(u.Slots) != 2 || u.Slots[0] == u.Slots[1] {
			f.fault("update.slots", "must be two, A and B")
		}
	default:
		f.fault("update.port", `must be "plain" or "uboot"`)
	}
	f.need("update", "inbox", u.Inbox)
	if u.EnvSize != 0 && (u.EnvSize < 1024 || u.EnvSize > 1<<20) {
		f.fault("update.env_size", "must be 1024 to 1048576")
	}
	if u.InboxMB < 0 || u.InboxMB > 1024 {
		f.fault("update.inbox_mb", "must be 1 to 1024")
	}
	if _, err := u.ring(f.Bench); err != nil {
		f.fault("update.key", err.Error())
	}
}

// ring is whom the device believes.
func (u *Update) ring(bench bool) (bundle.Keyring, error) {
	ring := bundle.Keyring{Need: max(u.Need, 1)}
	var seen []string
	for _, k := range u.Keys {
		pub, err := base64.StdEncoding.DecodeString(k.Key)
		switch {
		case err != nil || len(pub) != ed25519.PublicKeySize:
			return ring, fmt.Errorf("the key of %q must be 32 bytes in base64", k.ID)
		case slices.Contains(seen, string(pub)):
			return ring, fmt.Errorf("the key of %q stands twice: it would count twice", k.ID)
		case k.Development && !bench:
			return ring, fmt.Errorf("%q is a development key: on a bench only", k.ID)
		case k.Development:
			ring.Development = append(ring.Development, pub)
		default:
			ring.Production = append(ring.Production, pub)
		}
		seen = append(seen, string(pub))
	}
	if len(ring.Development) == 0 && len(ring.Production) < ring.Need {
		return ring, fmt.Errorf("%d must have signed, and there are %d keys", ring.Need, len(ring.Production))
	}
	return ring, nil
}

// update opens slots, boot record and inbox while posd may: later it is another
// user, and in a jail.
func (op *opener) update() (driver string, err error) {
	u := op.f.Update
	s := &Slots{Product: u.Product, InboxSize: int64(u.InboxMB) << 20, SlotSize: bundle.MaxImage}
	if s.Product == "" {
		s.Product = "swipewell"
	}
	if s.InboxSize == 0 {
		s.InboxSize = 64 << 20
	}
	if s.Keys, err = u.ring(op.f.Bench); err != nil {
		return "slots", err
	}
	switch slot := os.Getenv(envSlot); slot {
	case "A":
		s.Running = update.A
	case "B":
		s.Running = update.B
	default:
		return "slots", fmt.Errorf("%s is %q: posd was not started by the loader", envSlot, slot)
	}
	paths := u.Slots
	plain := u.Port != "uboot"
	if plain {
		paths = []string{filepath.Join(u.Dir, "slot.a"), filepath.Join(u.Dir, "slot.b")}
	}
	for i, p := range paths {
		flags := os.O_RDWR | syscall.O_CLOEXEC
		switch {
		case update.Slot(i) == s.Running: // what runs cannot be written, and need not be
			flags = os.O_RDONLY | syscall.O_CLOEXEC
		case plain:
			flags |= os.O_CREATE
		}
		f, err := os.OpenFile(p, flags, 0o755)
		if err != nil {
			return "slots", err
		}
		op.keep(f)
		s.Slots[i] = f
		if !plain {
			end, err := f.Seek(0, io.SeekEnd)
			if err != nil {
				return "slots", err
			}
			s.SlotSize = min(s.SlotSize, end)
		}
	}
	if plain {
		s.Port, err = op.plain(u.Dir)
	} else {
		s.Port, err = op.uboot(u)
	}
	if err != nil {
		return "slots", err
	}
	if err := os.MkdirAll(filepath.Dir(u.Inbox), 0o700); err != nil {
		return "slots", err
	}
	box, err := op.medium(u.Inbox, os.O_CREATE)
	if err != nil {
		return "slots", err
	}
	s.Inbox = box
	r, err := s.Port.Load()
	if err != nil {
		return "slots", err
	}
	if r.Images[s.Running].Size == 0 {
		return "slots", fmt.Errorf("the boot record knows nothing of slot %v, which runs", s.Running)
	}
	op.r.Update = s
	return fmt.Sprintf("slots %s, %v runs", map[bool]string{true: "plain", false: "uboot"}[plain], s.Running), nil
}

func (op *opener) medium(path string, flags int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_CLOEXEC|flags, 0o600)
	if err != nil {
		return nil, err
	}
	op.keep(f)
	return f, nil
}

func (op *opener) plain(dir string) (update.Port, error) {
	a, err1 := op.medium(filepath.Join(dir, "boot.0"), os.O_CREATE)
	b, err2 := op.medium(filepath.Join(dir, "boot.1"), os.O_CREATE)
	kept, err3 := op.medium(filepath.Join(dir, "boot.2"), os.O_CREATE)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return update.Plain{Copies: [2]update.Medium{a, b}, Kept: kept}, d.Sync() // files that were made
}

func (op *opener) uboot(u *Update) (update.Port, error) {
	m, err := op.medium(u.State, 0)
	if err != nil {
		return nil, err
	}
	size := u.EnvSize
	if size == 0 {
		size = 4096
	}
	return update.UBoot{M: m, Size: size}, nil
}

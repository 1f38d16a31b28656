package softkeys

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"swipewell/firmware/keys/dukpt"
	"swipewell/firmware/keys/key"
	"swipewell/hal"
)

// file is the format on disk. Its sum is against accidents, not against an
// attacker, who has the keys anyway. Version 1 had keys only, and a sum over them.
type file struct {
	Version int                `json:"version"`
	Keys    map[string]fileKey `json:"keys"`
	DUKPT   *fileDUKPT         `json:"dukpt,omitempty"`
	Spent   []string           `json:"spent,omitempty"` // initial keys: "1:FFFF9876543210E00000"
	Erased  bool               `json:"erased,omitempty"`
	Sum     []byte             `json:"sum,omitempty"`
}

type fileKey struct {
	Alg   hal.KeyAlg `json:"alg"`
	Bytes []byte     `json:"bytes"`
}

// fileDUKPT is the state for the next transaction; an empty register is null.
type fileDUKPT struct {
	Scheme  dukpt.Scheme `json:"scheme"`
	ID      []byte       `json:"id"`
	Counter uint32       `json:"counter"`
	Regs    [][]byte     `json:"registers"`
}

const version = 2

// load reads the file; none is an empty ring.
func load(path string) (ring, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return ring{keys: map[hal.KeySlot]key.Key{}}, nil
	} else if err != nil {
		return ring{}, fmt.Errorf("softkeys: %w", err)
	}
	defer clear(b)
	return parse(b)
}

// parse takes over nothing of b.
func parse(b []byte) (r ring, err error) {
	var f file
	if err := json.Unmarshal(b, &f); err != nil {
		return ring{}, fmt.Errorf("%w: not readable", ErrDamaged)
	}
	if f.Version != version && f.Version != 1 {
		return ring{}, fmt.Errorf("softkeys: key file of version %d, this build reads %d", f.Version, version)
	}
	if subtle.ConstantTimeCompare(f.sum(), f.Sum) != 1 {
		return ring{}, fmt.Errorf("%w: check sum", ErrDamaged)
	}
	if f.Erased {
		return ring{erased: true}, nil
	}
	r.keys, r.spent = map[hal.KeySlot]key.Key{}, f.Spent
	for slot, k := range f.Keys {
		if r.keys[hal.KeySlot(slot)], err = key.New(k.Alg, k.Bytes); err != nil {
			return ring{}, fmt.Errorf("%w: key length", ErrDamaged)
		}
	}
	if d := f.DUKPT; d != nil {
		alg := hal.AlgTDES2
		if d.Scheme == dukpt.AES128 {
			alg = hal.AlgAES
		}
		regs := make([]key.Key, len(d.Regs))
		for i, b := range d.Regs {
			if len(b) == 0 {
				continue
			}
			if regs[i], err = key.New(alg, b); err != nil {
				return ring{}, fmt.Errorf("%w: transaction key length", ErrDamaged)
			}
		}
		if r.dukpt, err = dukpt.Restore(d.Scheme, d.ID, d.Counter, regs); err != nil {
			return ring{}, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	return r, nil
}

// sum is SHA-256 over all else.
func (f file) sum() []byte {
	f.Sum = nil
	what := any(f)
	if f.Version == 1 {
		what = f.Keys
	}
	b, err := json.Marshal(what) // maps marshal in key order
	if err != nil {
		return nil // of these types nothing fails; and nil equals no sum
	}
	defer clear(b)
	if f.Version == 1 {
		b = append([]byte{1}, b...)
	}
	h := sha256.Sum256(b)
	return h[:]
}

// bytesOf is a copy of a key for the file; save clears it.
func bytesOf(k key.Key) (out []byte) {
	k.Use(func(b []byte) { out = bytes.Clone(b) })
	return out
}

// save writes the file whole: temp, sync, rename, sync of the folder, so that
// a power cut leaves the old keys or the new ones.
func save(path string, r ring) error {
	f := file{Version: version, Keys: map[string]fileKey{}, Spent: r.spent, Erased: r.erased}
	for slot, k := range r.keys {
		f.Keys[string(slot)] = fileKey{k.Alg(), bytesOf(k)}
	}
	if d := r.dukpt; d != nil {
		f.DUKPT = &fileDUKPT{Scheme: d.Scheme(), ID: d.ID(), Counter: d.Counter()}
		for _, k := range d.Registers() {
			f.DUKPT.Regs = append(f.DUKPT.Regs, bytesOf(k))
		}
	}
	f.Sum = f.sum()
	b, err := json.Marshal(f)
	for _, k := range f.Keys {
		clear(k.Bytes)
	}
	if f.DUKPT != nil {
		for _, k := range f.DUKPT.Regs {
			clear(k)
		}
	}
	if err != nil {
		return fmt.Errorf("softkeys: %w", err)
	}
	defer clear(b)
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, ".keys-*")
	if err != nil {
		return fmt.Errorf("softkeys: %w", err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(b)
	err = errors.Join(err, tmp.Chmod(0o600), tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err == nil {
		var d *os.File
		if d, err = os.Open(dir); err == nil {
			err = errors.Join(d.Sync(), d.Close())
		}
	}
	if err != nil {
		return fmt.Errorf("softkeys: %w", err)
	}
	return nil
}

// overwrite fills the file with zeros where it lies. No file is fine.
func overwrite(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("softkeys: %w", err)
	}
	st, err := f.Stat()
	if err == nil {
		_, err = f.Write(make([]byte, st.Size()))
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("softkeys: %w", err)
	}
	return nil
}

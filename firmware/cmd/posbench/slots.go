package main

import (
	"crypto/sha256"
	"os"
	"os/exec"
	"path/filepath"

	"swipewell/firmware/store"
	upd "swipewell/firmware/update"
	"swipewell/firmware/update/bundle"
)

// bootRecord is that of a device that left the factory with image, build 1.0.0, in
// slot A: for `board slots`.
func bootRecord(image []byte) ([]byte, error) {
	lo, hi := store.Schemas()
	r := upd.First(upd.Image{Version: bundle.Version{Major: 1}, Size: int64(len(image)), Sum: sha256.Sum256(image), Schemas: bundle.Schemas{Lo: uint16(lo), Hi: uint16(hi)}})
	r.Counter = 1
	return upd.AppendText(r)
}

// bootsel finds scripts/bootsel: in this folder or one above it, as in a checkout.
func bootsel() string {
	dir, err := os.Getwd()
	for err == nil {
		if p := filepath.Join(dir, "scripts", "bootsel"); isFile(p) {
			return p
		}
		up := filepath.Dir(dir)
		if up == dir {
			break
		}
		dir = up
	}
	return ""
}

// smpmgr is where a client of SMP is: as SMPMGR says, where scripts/deps.sh puts it,
// or in PATH; "" there is none.
func smpmgr() string {
	if p := os.Getenv("SMPMGR"); p != "" {
		return p
	}
	if b := bootsel(); b != "" {
		if p := filepath.Join(filepath.Dir(b), "..", "out", "smpmgr", "bin", "smpmgr"); isFile(p) {
			return p
		}
	}
	p, err := exec.LookPath("smpmgr")
	if err != nil {
		return ""
	}
	return p
}

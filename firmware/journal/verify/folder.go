package verify

import (
	"os"
	"path/filepath"

	"swipewell/firmware/journal/seal"
	"swipewell/firmware/journal/shelf"
)

// Folder is the stream in a folder. With own the folder's key tells how far it
// has signed: only on the device, and not of an export.
func Folder(dir string) (src Source, err error) {
	// The key first: a journal that is being written may then be ahead of it, and never behind.
	if b, err := os.ReadFile(filepath.Join(dir, "seal.key")); err == nil {
		if k, err := seal.ParseKey(b); err == nil {
			src.KeyEra, src.KeyN = k.Era, k.N
		}
	}
	segs, err := shelf.List(dir)
	if err != nil {
		return src, err
	}
	for _, m := range segs {
		path := filepath.Join(dir, m.Name)
		src.Files = append(src.Files, File{m.Name, func() ([]byte, error) { return os.ReadFile(path) }})
	}
	if src.Removals, err = shelf.Removals(dir); err != nil {
		return src, err
	}
	if src.Claimed, err = shelf.Root(dir); err != nil && !os.IsNotExist(err) {
		return src, err
	}
	return src, nil
}

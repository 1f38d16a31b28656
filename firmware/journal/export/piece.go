package export

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Piece is one file of an export, as it was when it was listed: what a line that breaks has
// carried whole is not carried again.
type Piece struct {
	Name string `json:"name"` // "info/00000001.seg"
	Size int64  `json:"size"`
	Sum  string `json:"sum"` // SHA-256, in hex
}

// Pieces lists what a journal's folder has.
func Pieces(dir string, streams []string) (ps []Piece, err error) {
	names, err := list(dir, streams)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		ps = append(ps, Piece{name, int64(len(b)), Sum(b)})
	}
	return ps, nil
}

// Sum is a piece's sum.
func Sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// ReadPiece reads of a piece, from an offset, at most len(b) bytes; 0 at its end. No other file
// of the folder can be read by it.
func ReadPiece(dir, name string, off int64, b []byte) (int, error) {
	base := name[strings.LastIndexByte(name, '/')+1:]
	if !safe(name) || off < 0 || !strings.HasSuffix(base, ".seg") && base != "root" && base != "gone" {
		return 0, fmt.Errorf("export: no such piece: %q", name)
	}
	f, err := os.Open(filepath.Join(dir, filepath.FromSlash(name)))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil // retention took it meanwhile
	}
	if err != nil {
		return 0, err
	}
	defer f.Close()
	n, err := f.ReadAt(b, off)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// Safe tells that a piece's name leads nowhere but into its own folder.
func Safe(name string) bool { return safe(name) }

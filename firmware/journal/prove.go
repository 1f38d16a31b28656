package journal

import (
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"path/filepath"

	"swipewell/firmware/journal/export"
	"swipewell/firmware/journal/shelf"
	"swipewell/firmware/journal/verify"
)

// Verify checks the journal on disk, with the key's own word on how far it
// signed, and with anchors that somebody kept outside.
func (j *Journal) Verify(kept []Anchor) (map[string]verify.Report, error) {
	if j == nil {
		return nil, nil
	}
	if err := j.Sync(true); err != nil {
		return nil, err
	}
	rs, err := VerifyFolder(j.o.Dir, kept)
	for try := 0; errors.Is(err, fs.ErrNotExist) && try < 3; try++ { // retention took a segment meanwhile
		rs, err = VerifyFolder(j.o.Dir, kept)
	}
	return rs, err
}

// VerifyFolder checks a journal's folder.
func VerifyFolder(dir string, kept []Anchor) (map[string]verify.Report, error) {
	out := map[string]verify.Report{}
	for _, name := range StreamNames {
		src, err := verify.Folder(filepath.Join(dir, name))
		if err != nil {
			return out, err
		}
		for _, a := range kept {
			if a.Stream == name {
				src.Anchors = append(src.Anchors, a.Anchor)
			}
		}
		if out[name], err = verify.Run(src); err != nil {
			return out, err
		}
	}
	return out, nil
}

// Behind tells, by stream, why the journal on disk was behind a checkpoint that was kept
// outside when it was opened: its end had been cut off, or it is another one.
func (j *Journal) Behind(kept []Anchor) map[string]string {
	out := map[string]string{}
	if j == nil {
		return out
	}
	for i, name := range StreamNames {
		for _, a := range kept {
			if a.Stream != name {
				continue
			}
			if why := j.shelves[i].Behind(a.Anchor); why != "" {
				out[name] = why
			}
		}
	}
	return out
}

// Export writes the journal as one file. It is sealed first.
func (j *Journal) Export(w io.Writer, m export.Manifest) error {
	if j == nil {
		return nil
	}
	m, err := j.sealed(m)
	if err != nil {
		return err
	}
	return export.Write(w, j.o.Dir, StreamNames[:], m)
}

// sealed seals the journal and says so in a manifest.
func (j *Journal) sealed(m export.Manifest) (export.Manifest, error) {
	if err := j.Sync(true); err != nil {
		return m, err
	}
	m.Made, m.Boot, m.Anchors = j.o.Clock.Now().Wall, j.boot, map[string]export.Point{}
	for _, a := range j.Anchors() {
		m.Anchors[a.Stream] = export.PointOf(a.Anchor)
	}
	return m, nil
}

// Pieces lists what an export now would have, for a line that carries it piece by piece. The
// journal is sealed first.
func (j *Journal) Pieces(m export.Manifest) (export.Manifest, []export.Piece, error) {
	if j == nil {
		return m, nil, nil
	}
	m, err := j.sealed(m)
	if err != nil {
		return m, nil, err
	}
	ps, err := export.Pieces(j.o.Dir, StreamNames[:])
	return export.Rooted(j.o.Dir, StreamNames[:], m), ps, err
}

// ReadPiece reads of a piece, from an offset; 0 at its end.
func (j *Journal) ReadPiece(name string, off int64, b []byte) (int, error) {
	if j == nil {
		return 0, fs.ErrNotExist
	}
	return export.ReadPiece(j.o.Dir, name, off, b)
}

// Root is the first public key of a stream's chain: who knows it can check the
// journal without the device.
func Root(dir, stream string) (string, error) {
	k, err := shelf.Root(filepath.Join(dir, stream))
	return hex.EncodeToString(k[:]), err
}

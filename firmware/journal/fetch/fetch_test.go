package fetch

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"swipewell/firmware/journal"
	"swipewell/firmware/journal/export"
	"swipewell/firmware/journal/verify"
	"swipewell/ui/prompt"

	"swipewell/firmware/journal/seal"
)

// device is a journal at the end of a line that breaks after so many bytes.
type device struct {
	j       *journal.Journal
	most    int // bytes before the next break; <0 never
	carried int
	between func()
}

var errLine = errors.New("the line broke")

func (d *device) Pieces(context.Context) (export.Manifest, []export.Piece, error) {
	return d.j.Pieces(export.Manifest{Terminal: "20260001"})
}

func (d *device) Read(_ context.Context, name string, off int64, fn func([]byte) error) error {
	if d.between != nil {
		d.between()
		d.between = nil
	}
	b := make([]byte, 700)
	n, err := d.j.ReadPiece(name, off, b)
	if err != nil {
		return err
	}
	if d.most >= 0 && n > d.most {
		n = d.most
		err = errLine
	}
	d.most -= n
	d.carried += n
	return errors.Join(fn(b[:n]), err)
}

func open(t *testing.T) *journal.Journal {
	t.Helper()
	j, err := journal.Open(journal.Opts{Dir: filepath.Join(t.TempDir(), "j"), Rate: -1, NoSync: true, MaxBytes: 256 << 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	say(j, 5000)
	return j
}

func say(j *journal.Journal, n int) {
	for i := range n {
		j.Record(journal.Event{Code: prompt.LogLink, Source: "link", Fields: []journal.Field{journal.Count("n", i*7919+1)}})
		if i%200 == 199 {
			j.Sync(false)
		}
	}
	j.Sync(false)
}

func whole(t *testing.T, file string) *export.Archive {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	a, err := export.Read(b)
	if err != nil || !a.Whole {
		t.Fatalf("%v %+v", err, a)
	}
	for _, s := range a.Streams() {
		r, err := verify.Run(a.Source(s, seal.Public{}))
		if err != nil || !r.Whole() {
			t.Errorf("%s: %+v %v", s, r.Findings, err)
		}
	}
	return a
}

// A line that breaks every few kilobytes carries everything once, and little of it twice.
func TestBreaks(t *testing.T) {
	d := &device{j: open(t)}
	file := filepath.Join(t.TempDir(), "x.swjx")
	var all int64
	tries := 0
	for {
		d.most = 9000
		err := Into(t.Context(), d, file, func(have, _, of int64) {
			if all = of; have > of || have < 0 {
				t.Errorf("%d of %d", have, of)
			}
		})
		if tries++; err == nil {
			break
		}
		if !errors.Is(err, errLine) || tries > 100 {
			t.Fatal(err)
		}
		if _, err := os.Stat(file); err == nil {
			t.Fatal("the file is there before it is whole")
		}
	}
	if a := whole(t, file); a.Manifest.Terminal != "20260001" {
		t.Errorf("%+v", a.Manifest)
	}
	if tries < 3 || int64(d.carried) > all+all/4 {
		t.Errorf("%d tries carried %d bytes for %d", tries, d.carried, all)
	}
	if _, err := os.Stat(file + ".part"); !os.IsNotExist(err) {
		t.Error("pieces are left", err)
	}
}

// The log goes on while it is carried: segments are packed, others taken away.
func TestMoves(t *testing.T) {
	d := &device{j: open(t), most: -1}
	d.between = func() { say(d.j, 20000) }
	file := filepath.Join(t.TempDir(), "x.swjx")
	if err := Into(t.Context(), d, file, nil); err != nil {
		t.Fatal(err)
	}
	whole(t, file)
}

// A device cannot write beside the folder.
func TestNames(t *testing.T) {
	for _, name := range []string{"../x.seg", "/etc/passwd", "info/../../x", "", "x.seg"} {
		if err := Into(t.Context(), liar{name}, filepath.Join(t.TempDir(), "x"), nil); err == nil {
			t.Errorf("%q was taken", name)
		}
	}
	if _, err := export.ReadPiece(t.TempDir(), "info/seal.key", 0, make([]byte, 9)); err == nil || os.IsNotExist(err) {
		t.Error("the key can be asked for: ", err)
	}
}

type liar struct{ name string }

func (l liar) Pieces(context.Context) (export.Manifest, []export.Piece, error) {
	return export.Manifest{}, []export.Piece{{Name: l.name, Size: 1, Sum: export.Sum([]byte("x"))}}, nil
}

func (l liar) Read(_ context.Context, _ string, _ int64, fn func([]byte) error) error {
	return fn([]byte("x"))
}

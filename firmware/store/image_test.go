package store

import (
	"errors"
	"path/filepath"
	"testing"

	"swipewell/firmware/pos"
)

// An image for recovery is in the commit of its record, or neither is; it stays as it
// was until there is one to another key.
func TestImage(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"), Opts{NoSync: true})
	r, seal := reversal(1, pos.RecordArmed), &plainSealer{failImage: errors.New("no")}
	if err := s.Commit(Change{State: []byte(`{}`), PutRecord: []pos.Record{r}}, seal); err == nil || !errors.Is(err, seal.failImage) {
		t.Errorf("a record without its image: %v", err)
	}
	if rows, err := s.Records(); err != nil || len(rows) != 0 {
		t.Fatalf("%v %v", rows, err)
	}
	seal.failImage = nil
	script, advice := r, r
	script.Class, script.STAN, script.State = pos.ClassScript, 2, pos.RecordQueued
	advice.Class, advice.STAN, advice.State = pos.ClassAdvice, 3, pos.RecordQueued
	if err := s.Commit(Change{PutRecord: []pos.Record{r, script, advice}}, seal); err != nil {
		t.Fatal(err)
	}
	images := func() (out [3]string) {
		rows, err := s.Records()
		if err != nil || len(rows) != 3 {
			t.Fatalf("%d %v", len(rows), err)
		}
		for i, x := range rows {
			out[i] = string(x.Image)
		}
		return out
	}
	if got := images(); got != [3]string{"image of 000001 1280", "", "image of 000003 1280"} {
		t.Errorf("%q", got)
	}
	r.State, r.Tries = pos.RecordQueued, 4
	if err := s.Commit(Change{PutRecord: []pos.Record{r}}, nil); err != nil {
		t.Fatal(err)
	}
	if got := images()[0]; got != "image of 000001 1280" {
		t.Errorf("after a try: %q", got)
	}
	if err := s.Commit(Change{PutImage: []Image{{revKey(r.RecordID), []byte("newer")}}}, nil); err != nil {
		t.Fatal(err)
	}
	if got := images()[0]; got != "newer" {
		t.Errorf("%q", got)
	}
	if rows, _ := s.Records(); rows[0].Tries != 4 || len(rows[0].Sealed) == 0 {
		t.Errorf("the record beside its new image: %+v", rows[0])
	}
	if err := s.Commit(Change{PutImage: []Image{{revKey(pos.RecordID{Context: "cup", Batch: 1, STAN: 99}), []byte("x")}}}, nil); !errors.Is(err, ErrInvariant) {
		t.Errorf("an image of nothing: %v", err)
	}
	to := pos.CardRef{9}
	if err := s.Commit(Change{Rename: &Rename{To: Names{Generation: 1}, Names: map[pos.CardRef]pos.CardRef{r.Card: to}}}, nil); err != nil {
		t.Fatal(err)
	}
	if got := images(); got[0] != "newer" || got[2] != "image of 000003 1280" {
		t.Errorf("after new names: %q", got)
	}
}

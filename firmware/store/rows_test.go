package store

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
)

// Plain rows come with the money or not at all, in order, and survive.
func TestRows(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Opts{})
	var rows []Row
	for i := range 600 { // more than one read transaction fetches
		rows = append(rows, Row{History, NumberKey(uint64(i + 1)), fmt.Appendf(nil, "event %d", i+1)})
	}
	commit(t, s, Change{State: testState(1), Rows: append(rows, Row{Velocity, []byte("card"), []byte("ring")})})
	if n, err := s.LastNumber(History); n != 600 || err != nil {
		t.Fatal(n, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, Opts{})
	next := 101
	if err := s.Rows(History, NumberKey(100), func(k, v []byte) error {
		if !bytes.Equal(k, NumberKey(uint64(next))) || string(v) != fmt.Sprintf("event %d", next) {
			return fmt.Errorf("row %x %s where %d is wanted", k, v, next)
		}
		next++
		return nil
	}); err != nil || next != 601 {
		t.Fatal(next, err)
	}
	commit(t, s, Change{Rows: []Row{{Velocity, []byte("card"), nil}, {Orders, []byte("7"), []byte("paid")}}})
	if _, err := s.Get(Velocity, []byte("card")); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if v, err := s.Get(Orders, []byte("7")); string(v) != "paid" || err != nil {
		t.Error(string(v), err)
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
	for _, bad := range []Row{{rooms, []byte("k"), nil}, {Care, nil, []byte("v")}, {Care, bytes.Repeat([]byte("k"), 65), nil}, {Care, []byte("k"), make([]byte, maxRow+1)}} {
		if err := s.Commit(Change{Rows: []Row{bad}}, nil); !errors.Is(err, ErrInvariant) {
			t.Errorf("%v: %v", bad.Room, err)
		}
	}
}

// A refused commit leaves no row of it.
func TestRowsGoWithTheMoney(t *testing.T) {
	fail := false
	s := open(t, t.TempDir(), Opts{FaultFn: func() string {
		if fail {
			return "eio"
		}
		return ""
	}})
	commit(t, s, Change{State: testState(1)})
	fail = true
	if err := s.Commit(Change{State: testState(2), Rows: []Row{{Velocity, []byte("card"), []byte("ring")}}}, nil); err == nil {
		t.Fatal("a commit that must fail did not")
	}
	if _, err := s.Get(Velocity, []byte("card")); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

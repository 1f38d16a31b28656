package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"

	"swipewell/firmware/pos"
)

// ofSchema writes a store as a build of that schema left it: for 1, one class
// of records, and records that name none.
func ofSchema(t *testing.T, schema uint32) (path string, rec pos.Record, row pos.Sale) {
	t.Helper()
	dir := t.TempDir()
	path = filepath.Join(dir, "state.db")
	s := open(t, dir, Opts{})
	rec, row = reversal(2, pos.RecordQueued), sale(1)
	commit(t, s, Change{State: testState(2), PutRecord: []pos.Record{rec}, PutSale: []pos.Sale{row}})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, cleanFile)); err != nil { // its hash would tell
		t.Fatal(err)
	}
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Update(func(tx *bolt.Tx) error {
		if schema == 1 {
			for _, c := range pos.Classes[1:] {
				if err := tx.DeleteBucket(classBucket(c)); err != nil {
					return err
				}
			}
		}
		for _, name := range roomNames {
			if schema < 3 || schema < 4 && string(name) == "tables" {
				if err := tx.DeleteBucket(name); err != nil {
					return err
				}
			}
		}
		return put(tx.Bucket(metaBucket), metaBucket, schemaKey, binary.BigEndian.AppendUint32(nil, schema))
	})
	if err != nil {
		t.Fatal(err)
	}
	return path, rec, row
}

func TestMigration(t *testing.T) {
	for from := oldest; from < Schema; from++ {
		migration(t, from)
	}
}

func migration(t *testing.T, from uint32) {
	t.Helper()
	path, rec, row := ofSchema(t, from)
	// Twice: what was brought up to date stays so.
	for range 2 {
		s, err := Open(path, Opts{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Check(); err != nil {
			t.Fatal(err)
		}
		got, err := s.Records()
		if err != nil || len(got) == 0 {
			t.Fatal(got, err)
		}
		if diff := cmp.Diff(rec, got[0].Record); diff != "" {
			t.Error(diff)
		}
		back, err := s.Sale(row.RecordID)
		if err != nil || back != row {
			t.Error(back, err)
		}
		// Every class can be used.
		r := reversal(3, pos.RecordQueued)
		r.Class = pos.ClassUpload
		commit(t, s, Change{PutRecord: []pos.Record{r}, Rows: []Row{{Velocity, []byte("k"), []byte("v")}}})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	// Another version is refused, and both are named.
	for _, v := range []uint32{0, Schema + 1} {
		path, _, _ := ofSchema(t, v)
		_, err := Open(path, Opts{})
		var se *SchemaError
		if !errors.As(err, &se) || se.Have != v || se.Want != Schema {
			t.Errorf("schema %d: %v", v, err)
		}
	}
}

func TestClasses(t *testing.T) {
	s := open(t, t.TempDir(), Opts{})
	// One number may stand in several classes; each has its own card and order.
	var change Change
	change.State = testState(1)
	for i, c := range pos.Classes {
		r := reversal(7, pos.RecordQueued)
		r.Class = c
		r.Amount = pos.Fen(int64(100 + i))
		change.PutRecord = append(change.PutRecord, r)
	}
	commit(t, s, change)
	got, err := s.Records()
	if err != nil || len(got) != len(pos.Classes) {
		t.Fatal(len(got), err)
	}
	seen := map[string]bool{}
	for i, r := range got {
		if r.Class != pos.Classes[i] || r.Amount.Minor != int64(100+i) {
			t.Errorf("%d: class %v amount %v", i, r.Class, r.Amount)
		}
		seen[string(r.Sealed[1:])] = true
	}
	if len(seen) != len(pos.Classes) {
		t.Error("two classes share a seal")
	}
	commit(t, s, Change{DropRecord: []RecordKey{{pos.ClassAdvice, got[0].RecordID}}})
	if _, err := s.Sealed(RecordKey{pos.ClassAdvice, got[0].RecordID}); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
	if _, err := s.Sealed(RecordKey{pos.ClassReversal, got[0].RecordID}); err != nil {
		t.Error("another class lost its record:", err)
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
	bad := reversal(8, pos.RecordQueued)
	bad.Class = pos.ClassUpload + 1
	if err := s.Commit(Change{PutRecord: []pos.Record{bad}}, &plainSealer{}); !errors.Is(err, ErrInvariant) {
		t.Error(err)
	}
}

func TestCloseBatch(t *testing.T) {
	s := open(t, t.TempDir(), Opts{})
	for n := range pos.STAN(20) {
		commit(t, s, Change{State: testState(int(n)), PutSale: []pos.Sale{sale(n + 1)}})
	}
	next := sale(21)
	next.Batch = 2
	commit(t, s, Change{State: testState(21), PutSale: []pos.Sale{next}, PutRecord: []pos.Record{reversal(5, pos.RecordQueued)}, CloseBatch: &BatchID{"cup", 1}})
	c, err := s.Counts()
	if err != nil || c.Sales != 1 || c.Queued != 1 {
		t.Errorf("%+v %v", c, err)
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
	// A batch that is not there is closed already.
	commit(t, s, Change{CloseBatch: &BatchID{"cup", 1}})
}

// A side log that cannot write fails the commit, and the store with it: what
// was not logged first is not done.
func TestSideLogComesFirst(t *testing.T) {
	s := open(t, t.TempDir(), Opts{})
	log := &logBook{}
	s.SetLog(log)
	commit(t, s, Change{State: testState(1), PutSale: []pos.Sale{sale(1)}})
	commit(t, s, Change{State: testState(1), Aside: true})
	commit(t, s, Change{State: testState(2)})
	var seqs []uint64
	for _, e := range log.entries {
		seqs = append(seqs, e.Seq)
	}
	if diff := cmp.Diff([]uint64{1, 1, 2}, seqs); diff != "" {
		t.Error(diff)
	}
	if n, err := s.Seq(); n != 2 || err != nil {
		t.Error(n, err)
	}
	log.fail = errors.New("the second partition is gone")
	if err := s.Commit(Change{State: testState(3)}, nil); !errors.Is(err, log.fail) {
		t.Error(err)
	}
	if st, err := s.State(); string(st) != string(testState(2)) {
		t.Errorf("%s %v", st, err)
	}
	if err := s.Commit(Change{State: testState(4)}, nil); !errors.Is(err, ErrFailed) {
		t.Error(err)
	}
}

type logBook struct {
	entries []Entry
	fail    error
}

func (l *logBook) Append(e Entry) error {
	if l.fail != nil {
		return l.fail
	}
	l.entries = append(l.entries, e)
	return nil
}
func (l *logBook) Reserve() error { return l.fail }

// TestMigrationWaits: while a build that reads the old schema may be started
// again, the file stays as it is, byte for byte.
func TestMigrationWaits(t *testing.T) {
	for from := oldest; from < Schema; from++ {
		path, _, _ := ofSchema(t, from)
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		asked := uint32(0)
		_, err = Open(path, Opts{Migrate: func(have uint32) bool { asked = have; return false }})
		var waits *WaitsError
		if !errors.As(err, &waits) || waits.Have != from || waits.Want != Schema || asked != from {
			t.Errorf("schema %d: %v, asked about %d", from, err, asked)
		}
		after, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(before, after) {
			t.Errorf("schema %d: the file was changed, %v", from, err)
		}
		s, err := Open(path, Opts{Migrate: func(uint32) bool { return true }})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Check(); err != nil {
			t.Error(err)
		}
		s.Close()
	}
	path, _, _ := ofSchema(t, Schema)
	s, err := Open(path, Opts{Migrate: func(uint32) bool { t.Error("nothing is to be brought up to date"); return false }})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

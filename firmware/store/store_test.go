package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"

	"swipewell/firmware/pos"
)

// plainSealer seals nothing: it makes a blob that can be told apart, and counts.
type plainSealer struct {
	n               int
	fail, failImage error
}

func (p *plainSealer) Seal(card pos.CardRef, aad []byte) ([]byte, error) {
	if p.fail != nil {
		return nil, p.fail
	}
	p.n++
	sum := sha256.Sum256(append(card[:], aad...))
	return append([]byte{byte(p.n)}, sum[:]...), nil
}

func (p *plainSealer) Image(r pos.Record, aad []byte) ([]byte, error) {
	return fmt.Appendf(nil, "image of %v %d", r.STAN, r.Amount.Minor), p.failImage
}

func revKey(id pos.RecordID) RecordKey { return RecordKey{pos.ClassReversal, id} }

func reversal(stan pos.STAN, st pos.RecordState) pos.Record {
	return pos.Record{Class: pos.ClassReversal, RecordID: pos.RecordID{Context: "cup", Batch: 1, STAN: stan}, Kind: pos.KindSale, State: st, Amount: pos.Fen(1280),
		Card: pos.CardRef{1, 2, 3}, Masked: "622588******1234", Process: "000000", Entry: "021", Condition: "00", Type60: "22000001000",
		Reason: "98", At: pos.Time{Wall: 1_767_000_000_000, Logical: 1000 * 1e9}}
}

func sale(stan pos.STAN) pos.Sale {
	return pos.Sale{RecordID: pos.RecordID{Context: "cup", Batch: 1, STAN: stan}, Kind: pos.KindSale, Amount: pos.Fen(1280), Asked: pos.Fen(1280),
		Card: pos.CardRef{1, 2, 3}, Masked: "622588******1234", Entry: "021", RC: "00", RRN: "000000000123", AuthCode: "A1B2C3", HostTime: "0301140322",
		Issuer: "01020000", Org: "CUP", At: pos.Time{Wall: 1_767_000_000_000, Logical: 1000 * 1e9}, PINUsed: true}
}

func testState(n int) []byte { return fmt.Appendf(nil, `{"STAN":%d,"Batch":1,"SignedOn":true}`, n) }

func open(t testing.TB, dir string, o Opts) *Store {
	t.Helper()
	s, err := Open(filepath.Join(dir, "state.db"), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func commit(t testing.TB, s *Store, c Change) {
	t.Helper()
	if err := s.Commit(c, &plainSealer{}); err != nil {
		t.Fatal(err)
	}
}

// sellOne is what a sale writes: intent, outcome, printed.
func sellOne(s *Store, n pos.STAN) error {
	row := sale(n)
	printed := row
	printed.Printed = true
	for _, c := range []Change{
		{State: testState(int(n)), PutRecord: []pos.Record{reversal(n, pos.RecordArmed)}},
		{State: testState(int(n)), DropRecord: []RecordKey{revKey(row.RecordID)}, PutSale: []pos.Sale{row}},
		{State: testState(int(n)), PutSale: []pos.Sale{printed}},
	} {
		if err := s.Commit(c, &plainSealer{}); err != nil {
			return err
		}
	}
	return nil
}

func TestCommitAndReadBack(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Opts{})
	if st, err := s.State(); st != nil || err != nil {
		t.Fatalf("a fresh store has state %q, %v", st, err)
	}
	for n := pos.STAN(1); n <= 3; n++ {
		if err := sellOne(s, n); err != nil {
			t.Fatal(err)
		}
	}
	commit(t, s, Change{PutRecord: []pos.Record{reversal(4, pos.RecordQueued)}})
	id := s.ID()
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	s = open(t, dir, Opts{Judge: mustNotJudge(t)}) // a clean close spares the judge
	if s.ID() != id || len(id) != 32 {
		t.Errorf("id %q, was %q", s.ID(), id)
	}
	st, err := s.State()
	if err != nil || !bytes.Equal(st, testState(3)) {
		t.Errorf("state %s, %v", st, err)
	}
	want := sale(2)
	want.Printed = true
	got, err := s.Sale(want.RecordID)
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("row: %v %s", err, d)
	}
	last, ok, err := s.LastSale()
	if !ok || last.STAN != 3 || err != nil {
		t.Errorf("last sale %v %v %v", last.STAN, ok, err)
	}
	c, err := s.Counts()
	if d := cmp.Diff(Counts{Sales: 3, Queued: 1}, c); d != "" || err != nil {
		t.Errorf("counts: %v %s", err, d)
	}
	if _, err := s.Sale(pos.RecordID{Context: "cup", Batch: 1, STAN: 9}); !errors.Is(err, ErrNotFound) {
		t.Errorf("a row that is not there: %v", err)
	}
	if _, err := s.Sealed(revKey(pos.RecordID{Context: "cup", Batch: 1, STAN: 9})); !errors.Is(err, ErrNotFound) {
		t.Errorf("a record that is not there: %v", err)
	}
	ids, err := s.Batches()
	if d := cmp.Diff([]BatchID{{"cup", 1}}, ids); d != "" || err != nil {
		t.Errorf("batches: %v %s", err, d)
	}
}

// The card is sealed with the armed record, in the same commit, and stays as it
// is while the record changes.
func TestSealedOnce(t *testing.T) {
	s, seal := open(t, t.TempDir(), Opts{}), &plainSealer{}
	r := reversal(1, pos.RecordArmed)
	if err := s.Commit(Change{State: testState(1), PutRecord: []pos.Record{r}}, seal); err != nil {
		t.Fatal(err)
	}
	first, err := s.Sealed(revKey(r.RecordID))
	if err != nil || len(first) != 33 {
		t.Fatalf("sealed %x, %v", first, err)
	}
	want, _ := (&plainSealer{}).Seal(r.Card, s.AAD(pos.ClassReversal, r.RecordID))
	if !bytes.Equal(first, want) {
		t.Error("sealed without the record's AAD")
	}
	r.State, r.Tries = pos.RecordQueued, 2
	if err := s.Commit(Change{PutRecord: []pos.Record{r}}, nil); err != nil {
		t.Fatal(err)
	}
	rows, err := s.Records()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]RecordRow{{r, first, []byte("image of 000001 1280")}}, rows); d != "" {
		t.Error(d)
	}
	if seal.n != 1 {
		t.Errorf("sealed %d times", seal.n)
	}
}

func TestRefusedChangesLeaveTheStoreAsItWas(t *testing.T) {
	boom := errors.New("no such card")
	armed, other := reversal(1, pos.RecordArmed), reversal(2, pos.RecordArmed)
	swapped := reversal(1, pos.RecordQueued)
	swapped.Card = pos.CardRef{9}
	clear := sale(3)
	clear.Masked = "4111111111111111"
	clearRev := reversal(3, pos.RecordQueued)
	clearRev.Masked = "4111111111111111"
	noSTAN := sale(0)
	tests := []struct {
		name   string
		c      Change
		sealer Sealer
		want   error
	}{
		{"two armed", Change{PutRecord: []pos.Record{other}}, &plainSealer{}, ErrInvariant},
		{"no sealer", Change{PutRecord: []pos.Record{reversal(2, pos.RecordQueued)}}, nil, ErrInvariant},
		{"sealer fails", Change{State: testState(7), PutRecord: []pos.Record{reversal(2, pos.RecordQueued)}}, &plainSealer{fail: boom}, boom},
		{"another card", Change{PutRecord: []pos.Record{swapped}}, &plainSealer{}, ErrInvariant},
		{"clear number in a row", Change{PutSale: []pos.Sale{clear}}, nil, ErrInvariant},
		{"clear number in a record", Change{PutRecord: []pos.Record{clearRev}}, &plainSealer{}, ErrInvariant},
		{"no STAN", Change{PutSale: []pos.Sale{noSTAN}}, nil, ErrInvariant},
		{"state is no JSON", Change{State: []byte("{")}, nil, ErrInvariant},
	}
	s := open(t, t.TempDir(), Opts{})
	commit(t, s, Change{State: testState(1), PutRecord: []pos.Record{armed}})
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			if err := s.Commit(tc.c, tc.sealer); !errors.Is(err, tc.want) {
				t.Fatalf("got %v", err)
			}
			if st, _ := s.State(); !bytes.Equal(st, testState(1)) {
				t.Errorf("state became %s", st)
			}
			if rows, _ := s.Records(); len(rows) != 1 || rows[0].State != pos.RecordArmed {
				t.Errorf("outbox became %v", rows)
			}
			if c, _ := s.Counts(); c.Sales != 0 {
				t.Errorf("%d rows", c.Sales)
			}
		})
	}
	commit(t, s, Change{DropRecord: []RecordKey{revKey(armed.RecordID)}, PutRecord: []pos.Record{other}}) // and it still works
}

// A batch keeps the order of its numbers over the wrap of the STAN.
func TestBatchOrderOverTheWrap(t *testing.T) {
	s := open(t, t.TempDir(), Opts{})
	order := []pos.STAN{999_990, 999_999, 1, 7, 999_995, 3, 8}
	for _, n := range order {
		commit(t, s, Change{State: testState(1), PutSale: []pos.Sale{sale(n)}})
	}
	again := sale(999_995)
	again.Printed = true
	commit(t, s, Change{PutSale: []pos.Sale{again}})
	var got []pos.STAN
	err := s.Sales(BatchID{"cup", 1}, func(r pos.Sale) error {
		got = append(got, r.STAN)
		return nil
	})
	if d := cmp.Diff([]pos.STAN{999_990, 999_995, 999_999, 1, 3, 7, 8}, got); d != "" || err != nil {
		t.Error(err, d)
	}
	if row, err := s.Sale(again.RecordID); err != nil || !row.Printed {
		t.Error(row, err)
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
}

// fn may commit: no read transaction is open while it runs.
func TestSalesLetsItsFunctionCommit(t *testing.T) {
	s := open(t, t.TempDir(), Opts{})
	var c Change
	c.State = testState(1)
	for n := pos.STAN(1); n <= salesChunk*2; n++ {
		c.PutSale = append(c.PutSale, sale(n))
	}
	commit(t, s, c)
	n := 0
	err := s.Sales(BatchID{"cup", 1}, func(r pos.Sale) error {
		n++
		if n%200 != 0 {
			return nil
		}
		r.Printed = true
		return s.Commit(Change{PutSale: []pos.Sale{r}}, nil)
	})
	if err != nil || n != salesChunk*2 {
		t.Errorf("%d rows, %v", n, err)
	}
	stop := errors.New("enough")
	if err := s.Sales(BatchID{"cup", 1}, func(pos.Sale) error { return stop }); err != stop {
		t.Errorf("got %v", err)
	}
}

func TestFaultsOfTheBench(t *testing.T) {
	for word, want := range map[string]error{"full": ErrFull, "readonly": ErrReadOnly, "eio": ErrIO} {
		t.Run(word, func(t *testing.T) {
			fault, dir := "", t.TempDir()
			s := open(t, dir, Opts{FaultFn: func() string { return fault }})
			commit(t, s, Change{State: testState(1)})
			fault = word
			if err := s.Room(); !errors.Is(err, want) {
				t.Errorf("room: %v", err)
			}
			if err := s.Commit(Change{State: testState(2)}, nil); !errors.Is(err, want) {
				t.Errorf("commit: %v", err)
			}
			fault = ""
			if err := s.Commit(Change{State: testState(3)}, nil); !errors.Is(err, ErrFailed) || !errors.Is(err, want) {
				t.Errorf("a commit after a failed one: %v", err)
			}
			if err := s.Room(); !errors.Is(err, ErrFailed) {
				t.Errorf("room after a failed commit: %v", err)
			}
			s.Close()
			s = open(t, dir, Opts{})
			if st, _ := s.State(); !bytes.Equal(st, testState(1)) {
				t.Errorf("state %s", st)
			}
			commit(t, s, Change{State: testState(4)})
		})
	}
}

// What Stats says is what the process really hands to the kernel.
func TestStatsCountRealWrites(t *testing.T) {
	s := open(t, t.TempDir(), Opts{})
	before, ok := written()
	if !ok {
		t.Skip("needs /proc/self/io")
	}
	_, b0 := s.Stats()
	for n := pos.STAN(1); n <= 50; n++ {
		if err := sellOne(s, n); err != nil {
			t.Fatal(err)
		}
	}
	after, _ := written()
	commits, b1 := s.Stats()
	if commits != 150 {
		t.Errorf("%d commits", commits)
	}
	// The kernel's own count runs a page ahead now and then.
	if real, told := after-before, b1-b0; told > real || told*105/100 < real {
		t.Errorf("told %d bytes, wrote %d", told, real)
	}
}

// written is what this process has passed to write calls.
func written() (n uint64, ok bool) {
	raw, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0, false
	}
	for line := range bytes.Lines(raw) {
		if k, err := fmt.Sscanf(string(line), "wchar: %d", &n); k == 1 && err == nil {
			return n, true
		}
	}
	return 0, false
}

// The free tail is there after opening, and grows before it is used up.
func TestRoomIsReserved(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Opts{})
	tail := func() int64 {
		st, err := os.Stat(filepath.Join(dir, "state.db"))
		if err != nil {
			t.Fatal(err)
		}
		used := int64(0)
		s.db.View(func(tx *bolt.Tx) error { used = tx.Size(); return nil })
		return st.Size() - used
	}
	for n := pos.STAN(1); n <= 400; n++ {
		if err := s.Room(); err != nil {
			t.Fatal(err)
		}
		if tail() < reserveMin {
			t.Fatalf("sale %d starts with %d bytes", n, tail())
		}
		var c Change
		c.State = testState(int(n))
		for i := range pos.STAN(8) { // many rows, few commits
			c.PutSale = append(c.PutSale, sale(n*8+i))
		}
		commit(t, s, c)
	}
}

func TestStateIsKeptAsItCame(t *testing.T) {
	s := open(t, t.TempDir(), Opts{})
	raw, _ := json.Marshal(map[string]any{"zh": "存储", "n": 1})
	commit(t, s, Change{State: raw})
	got, err := s.State()
	if err != nil || !bytes.Equal(got, raw) {
		t.Errorf("%s %v", got, err)
	}
	got[0] = 'x' // a copy: the store keeps its own
	if again, _ := s.State(); !bytes.Equal(again, raw) {
		t.Error("State aliases the file")
	}
}

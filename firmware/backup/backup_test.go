package backup

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"swipewell/firmware/pos"
	"swipewell/firmware/store"
)

// gcm is a key store's seal without a key store.
type gcm struct{ cipher.AEAD }

func newGCM() gcm {
	b, _ := aes.NewCipher(make([]byte, 16))
	a, _ := cipher.NewGCM(b)
	return gcm{a}
}

func (g gcm) Seal(dst, plain, aad []byte) ([]byte, error) {
	nonce := make([]byte, 12)
	rand.Read(nonce)
	return g.AEAD.Seal(append(dst, nonce...), nonce, plain, aad), nil
}

func (g gcm) Open(dst, sealed, aad []byte) ([]byte, error) {
	if len(sealed) < 12 {
		return nil, errors.New("short")
	}
	return g.AEAD.Open(dst, sealed[:12], sealed[12:], aad)
}

type cards struct{}

func (cards) Seal(pos.CardRef, []byte) ([]byte, error) { return []byte("sealed"), nil }
func (cards) Image(pos.Record, []byte) ([]byte, error) { return []byte("image"), nil }

// bench is a device's folder.
type bench struct {
	t    testing.TB
	data string
	dir  string
	st   *store.Store
	log  *Log
	k    *Keeper
	stan pos.STAN
}

func newBench(t testing.TB) *bench {
	data := t.TempDir()
	b := &bench{t: t, data: data, dir: filepath.Join(data, "backup")}
	b.start()
	return b
}

func (b *bench) start() {
	b.t.Helper()
	st, err := store.Open(filepath.Join(b.data, "state.db"), store.Opts{NoSync: true})
	if err != nil {
		b.t.Fatal(err)
	}
	seq, err := st.Seq()
	if err != nil {
		b.t.Fatal(err)
	}
	if b.log, err = NewLog(b.dir, st.ID(), seq, newGCM()); err != nil {
		b.t.Fatal(err)
	}
	st.SetLog(b.log)
	b.st, b.k = st, &Keeper{Dir: b.dir, Store: st, Log: b.log, Keys: newGCM()}
}

func (b *bench) stop() {
	b.log.Close()
	b.st.Close()
}

func state(n pos.STAN) []byte { return fmt.Appendf(nil, `{"STAN":%d}`, n) }

// sell is a sale: intent, outcome, printed.
func (b *bench) sell() {
	b.t.Helper()
	b.stan++
	id := pos.RecordID{Context: "cup", Batch: 1, STAN: b.stan}
	rec := pos.Record{Class: pos.ClassReversal, RecordID: id, State: pos.RecordArmed, Card: pos.CardRef{1}, Amount: pos.Fen(100)}
	row := pos.Sale{RecordID: id, Kind: pos.KindSale, Card: pos.CardRef{1}, Amount: pos.Fen(100), State: pos.RowBooked}
	printed := row
	printed.Printed = true
	for _, c := range []store.Change{
		{State: state(b.stan), PutRecord: []pos.Record{rec}},
		{State: state(b.stan), DropRecord: []store.RecordKey{{Class: rec.Class, ID: id}}, PutSale: []pos.Sale{row}},
		{PutSale: []pos.Sale{printed}, Aside: true},
	} {
		if err := b.st.Commit(c, cards{}); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *bench) copy(at pos.Time) Note {
	b.t.Helper()
	n, err := b.k.Copy(context.Background(), at)
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// image is all that a store holds, for comparison.
func image(t testing.TB, st *store.Store) string {
	t.Helper()
	var buf bytes.Buffer
	s, err := st.State()
	if err != nil {
		t.Fatal(err)
	}
	recs, err := st.Records()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&buf, "%s\n", s)
	json.NewEncoder(&buf).Encode(recs)
	ids, _ := st.Batches()
	for _, id := range ids {
		if err := st.Sales(id, func(r pos.Sale) error { return json.NewEncoder(&buf).Encode(r) }); err != nil {
			t.Fatal(err)
		}
	}
	return buf.String()
}

func (b *bench) restore(last uint64) (string, Restore, error) {
	b.t.Helper()
	scratch := filepath.Join(b.t.TempDir(), "scratch")
	st, r, err := Into(context.Background(), scratch, b.dir, newGCM(), last, nil)
	if err != nil {
		return "", r, err
	}
	if err := st.Check(); err != nil {
		b.t.Fatal(err)
	}
	img := image(b.t, st)
	if err := st.Close(); err != nil {
		b.t.Fatal(err)
	}
	again, err := store.Open(filepath.Join(scratch, "state.db"), store.Opts{})
	if err != nil {
		b.t.Fatal("the restored file does not open:", err)
	}
	again.Close()
	return img, r, nil
}

func (b *bench) lastTx() uint64 {
	n, ok := store.LastTx(filepath.Join(b.data, "state.db"))
	if !ok {
		b.t.Fatal("no last transaction")
	}
	return n
}

func TestRestoreIsTheStore(t *testing.T) {
	b := newBench(t)
	b.sell() // before any copy: in a log only
	b.copy(pos.Time{})
	for range 3 {
		b.sell()
	}
	b.stop()
	b.start() // a second life, a second log
	b.sell()
	b.copy(pos.Time{})
	b.sell()
	if err := b.st.Commit(store.Change{State: state(99), CloseBatch: &store.BatchID{Context: "cup", Batch: 1}}, cards{}); err != nil {
		t.Fatal(err)
	}
	want := image(t, b.st)
	last := b.lastTx()
	got, r, err := b.restore(last)
	if err != nil || r.Missing != "" {
		t.Fatal(err, r.Missing)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// The newest copy is bad: the older one and more of the logs give the same.
	have, _ := list(b.dir)
	flip(t, copyPath(b.dir, have.lastCopy()), 5000)
	got, r, err = b.restore(last)
	if err != nil || r.Missing != "" || r.Skipped != 1 {
		t.Fatal(err, r)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	flip(t, copyPath(b.dir, have.copies[0]), 5000)
	if _, _, err = b.restore(last); !errors.Is(err, ErrNoCopy) {
		t.Error("restored from two bad copies:", err)
	}
}

func flip(t testing.TB, path string, at int) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw[at] ^= 1
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// An entry that the store never took is not redone once a later life wrote on.
func TestOrphans(t *testing.T) {
	b := newBench(t)
	b.copy(pos.Time{})
	b.sell()
	before := image(t, b.st)
	seq, _ := b.st.Seq()
	ghost := store.Entry{Seq: seq + 1, TxID: b.lastTx() + 1, Ops: []store.Op{{Bucket: []byte("outbox/1"), Key: []byte("ghost")}, {Bucket: []byte("batch/cup/000001")}}}
	if err := b.log.Append(ghost); err != nil {
		t.Fatal(err)
	}
	b.stop()
	b.start()
	got, r, err := b.restore(b.lastTx())
	if err != nil {
		t.Fatal(err)
	}
	if got == before {
		t.Error("the last entry of the last log is what counts as done, and was not redone")
	}
	b.sell()
	got, r, err = b.restore(b.lastTx())
	if err != nil || r.Missing != "" || r.Orphans != 1 {
		t.Fatal(err, r)
	}
	if diff := cmp.Diff(image(t, b.st), got); diff != "" {
		t.Error(diff)
	}
}

// Whatever tail of the last log is gone, a restore either has the whole store
// or says that something may be missing.
func TestNoSilentLoss(t *testing.T) {
	b := newBench(t)
	b.copy(pos.Time{})
	for range 4 {
		b.sell()
	}
	want, last := image(t, b.st), b.lastTx()
	b.stop()
	have, _ := list(b.dir)
	path := logPath(b.dir, have.logs[len(have.logs)-1])
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	end := len(bytes.TrimRight(whole, "\x00"))
	rapid.Check(t, func(rt *rapid.T) {
		at := rapid.IntRange(0, end-1).Draw(rt, "at")
		raw := bytes.Clone(whole)
		switch rapid.SampledFrom([]string{"cut", "zero", "flip"}).Draw(rt, "how") {
		case "cut":
			raw = raw[:at]
		case "zero":
			clear(raw[at:])
		case "flip":
			raw[at] ^= byte(rapid.IntRange(1, 255).Draw(rt, "x"))
		}
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			rt.Fatal(err)
		}
		scratch, err := os.MkdirTemp("", "scratch")
		if err != nil {
			rt.Fatal(err)
		}
		defer os.RemoveAll(scratch)
		st, r, err := Into(context.Background(), scratch, b.dir, newGCM(), last, nil)
		if err != nil {
			rt.Fatal(err)
		}
		defer st.Close()
		if err := st.Check(); err != nil {
			rt.Fatal(err)
		}
		if r.Missing == "" && image(b.t, st) != want {
			rt.Fatalf("a tail is missing at %d of %d and nobody says so", at, end)
		}
	})
	// A log that is gone whole.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	for _, tx := range []uint64{last, 0} {
		if _, r, err := b.restore(tx); err != nil || r.Missing == "" {
			t.Error("the log is gone and nothing is missing:", r, err)
		}
	}
}

func TestPrune(t *testing.T) {
	b := newBench(t)
	for range 4 {
		b.copy(pos.Time{})
		b.sell()
	}
	have, err := list(b.dir)
	if err != nil || len(have.copies) != keep || have.logs[0] < have.copies[0] {
		t.Fatal(have, err)
	}
	if _, r, err := b.restore(b.lastTx()); err != nil || r.Missing != "" {
		t.Fatal(r, err)
	}
}

func TestDue(t *testing.T) {
	const day = 24 * 3600 * 1000
	const hour = 3600 * 1000
	midnight := int64(1_767_024_000_000)
	midnight -= midnight % day
	midnight -= 8 * hour // 00:00 in +08:00
	at := func(h float64, logical float64) pos.Time {
		return pos.Time{Wall: midnight + int64(h*hour), Logical: 100*time.Hour + time.Duration(logical*float64(time.Hour))}
	}
	b := newBench(t)
	if !b.k.Due(at(12, 0)) {
		t.Error("no copy, and none is due")
	}
	b.copy(at(12, 0))
	for _, c := range []struct {
		name string
		now  pos.Time
		want bool
	}{
		{"a moment later", at(12.1, 0.1), false},
		{"in the evening", at(22, 10), false},
		{"at night", at(24+3.5, 15.5), true},
		{"the device was off at night", at(24+11, 5), false},
		{"it was, and a day is over", at(24+12, 5), true},
		{"a day is over, and the power has just come", at(24+12, 0.5), false},
		{"a day of running", at(24+12.5, 24.5), true},
		{"the clock was set back, a day of running", at(-1000, 24.5), true},
	} {
		if got := b.k.Due(c.now); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	if !b.k.DrillDue(at(12, 0)) {
		t.Error("never tried, and not due")
	}
}

func FuzzLog(f *testing.F) {
	b := newBench(f)
	b.sell()
	b.stop()
	have, _ := list(b.dir)
	raw, _ := os.ReadFile(logPath(b.dir, have.logs[0]))
	f.Add(bytes.TrimRight(raw, "\x00"))
	f.Add(encode(store.Entry{Seq: 1, Ops: []store.Op{{Bucket: []byte("b"), Key: []byte{}, Value: nil}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		for rest := b; ; {
			sealed, r, err := nextFrame(rest)
			if err != nil || sealed == nil {
				break
			}
			rest = r
		}
		e, err := decode(b)
		if err != nil {
			return
		}
		again, err := decode(encode(e))
		if err != nil || !cmp.Equal(e, again) {
			t.Errorf("%v: %s", err, cmp.Diff(e, again))
		}
	})
}

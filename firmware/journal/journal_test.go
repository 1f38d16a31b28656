package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"swipewell/firmware/pos"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, pos.CST)

func testOpen(t testing.TB, o Opts) *Journal {
	t.Helper()
	if o.Path == "" {
		o.Path = filepath.Join(t.TempDir(), "journal.jsonl")
	}
	if o.Clock == nil {
		o.Clock = hal.NewSteppedClock(nil, noon)
	}
	j, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func event(n int) Event {
	return Event{Code: prompt.LogOutcome, Source: "txn", Tx: fmt.Sprintf("cup-000001-%06d", n), Fields: []Field{
		Amount("amount", pos.Fen(1280)), Card("card", "622588******1234"), RC("rc", "00"), Code("why", prompt.Approved), Count("n", n)}}
}

func TestLineOnDisk(t *testing.T) {
	clock := hal.NewSteppedClock(nil, noon)
	dir := t.TempDir()
	j := testOpen(t, Opts{Path: filepath.Join(dir, "j"), Clock: clock})
	clock.Jump(2 * time.Second)
	j.SetLogical(time.Hour, clock.Now())
	clock.Jump(1500 * time.Millisecond)
	j.Record(event(7))
	j.Record(Event{Code: prompt.LogLink, Level: slog.LevelWarn, Source: "link.4g", Fields: []Field{
		Duration("took", 1500*time.Millisecond), Word("cause", "no-signal"), Err(errors.New(`cannot "dial"`)), Flag("up", false),
		STAN("stan", 12), Batch("batch", 3), RRN("rrn", "411111111111"), // empty ones are left out:
		Amount("a", pos.Amount{}), Card("c", ""), RC("r", ""), Code("w", ""), Count("k", 0), Err(nil), STAN("s", 0), Word("x", ""), Duration("d", 0)}})
	boot := j.BootID()
	j.Close()
	raw, err := os.ReadFile(filepath.Join(dir, "j"))
	if err != nil {
		t.Fatal(err)
	}
	want := strings.ReplaceAll(`{"seq":1,"t":"2026-03-01T12:00:03.500+08:00","boot":"BOOT","up":3500,"log":3601500,"lvl":"INFO","code":"E-TXN-04","src":"txn","tx":"cup-000001-000007","f":{"amount":"12.80","card":"622588******1234","rc":"00","why":"A-SAL-01","n":7}}
{"seq":2,"t":"2026-03-01T12:00:03.500+08:00","boot":"BOOT","up":3500,"log":3601500,"lvl":"WARN","code":"E-NET-01","src":"link.4g","f":{"took":"1.5s","cause":"no-signal","err":"cannot \"dial\"","up":false,"stan":"000012","batch":"000003","rrn":"411111111111"}}
`, "BOOT", boot)
	if d := cmp.Diff(want, string(raw)); d != "" {
		t.Error(d)
	}
	es, err := Read(filepath.Join(dir, "j"), Filter{})
	if err != nil || len(es) != 2 {
		t.Fatal(es, err)
	}
	again, err := json.Marshal(es[0])
	if err != nil || string(again)+"\n" != strings.SplitAfter(want, "\n")[0] {
		t.Errorf("read and written again: %s %v", again, err)
	}
}

func TestQueryAndFilters(t *testing.T) {
	clock := hal.NewSteppedClock(nil, noon)
	j := testOpen(t, Opts{Clock: clock})
	for i := 1; i <= 300; i++ { // more than the ring holds
		e := event(i)
		if i%3 == 0 {
			e.Code = prompt.NetNoSignal
		}
		j.Record(e)
		clock.Jump(time.Second)
	}
	seqs := func(f Filter) (out []uint64) {
		es, err := j.Query(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range es {
			out = append(out, e.Seq)
		}
		return out
	}
	tests := []struct {
		name string
		f    Filter
		want []uint64
	}{
		{"last", Filter{Last: 2}, []uint64{299, 300}},
		{"tx in full", Filter{Tx: "cup-000001-000042"}, []uint64{42}},
		{"tx by STAN", Filter{Tx: "000042"}, []uint64{42}},
		{"not part of a STAN", Filter{Tx: "42"}, nil},
		{"code", Filter{Code: prompt.NetNoSignal, Last: 1}, []uint64{300}},
		{"class of codes", Filter{Code: "F-NET", Last: 2}, []uint64{297, 300}},
		{"since", Filter{Since: noon.Add(297 * time.Second)}, []uint64{298, 299, 300}},
		{"after", Filter{AfterSeq: 298}, []uint64{299, 300}},
	}
	for _, tc := range tests {
		if d := cmp.Diff(tc.want, seqs(tc.f)); d != "" {
			t.Error(tc.name, d)
		}
	}
	if n := len(seqs(Filter{})); n != 300 {
		t.Errorf("%d entries", n)
	}
}

// Numbers go on after a restart, over a torn last line and foreign ones.
func TestTornLastLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j := testOpen(t, Opts{Path: path})
	for i := range 3 {
		j.Record(event(i + 1))
	}
	j.Close()
	raw, _ := os.ReadFile(path)
	raw = append([]byte("not json\n\x00\x00\n{}\n[1]\n"), raw...)
	os.WriteFile(path, raw[:len(raw)-30], 0o600)
	j = testOpen(t, Opts{Path: path})
	j.Record(event(4))
	j.Close()
	es, err := Read(path, Filter{})
	if err != nil {
		t.Fatal(err)
	}
	var seqs []uint64
	boots := map[string]bool{}
	for _, e := range es {
		seqs = append(seqs, e.Seq)
		boots[e.Boot] = true
	}
	if d := cmp.Diff([]uint64{1, 2, 3}, seqs); d != "" || len(boots) != 2 { // the torn one had been 3, too
		t.Error(d, boots)
	}
}

func TestRotationKeepsTheBound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	j := testOpen(t, Opts{Path: path, MaxBytes: 4000})
	for i := range 200 {
		j.Record(event(i + 1))
	}
	j.Close()
	for _, p := range []string{path, path + ".1"} {
		st, err := os.Stat(p)
		if err != nil || st.Size() > 4000 || st.Size() == 0 {
			t.Errorf("%s: %v %v", p, st.Size(), err)
		}
	}
	es, err := Read(path, Filter{})
	if err != nil || len(es) < 20 || es[len(es)-1].Seq != 200 {
		t.Fatalf("%d entries, %v", len(es), err)
	}
	for i := 1; i < len(es); i++ {
		if es[i].Seq != es[i-1].Seq+1 {
			t.Fatalf("%d follows %d", es[i].Seq, es[i-1].Seq)
		}
	}
	if n := lastSeq(path); n != 200 {
		t.Errorf("last number %d", n)
	}
}

// A disk that takes nothing costs lines, never a sale; the loss is told of
// when it works again.
func TestDiskThatFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "not", "yet", "there")
	clock := hal.NewSteppedClock(nil, noon)
	j, err := Open(Opts{Path: path, Clock: clock})
	if err == nil || j == nil {
		t.Fatal("opened in a directory that is not there")
	}
	for i := range 3 {
		j.Record(event(i + 1))
	}
	for j.Dropped() < 3 { // the writer has met them
		time.Sleep(time.Millisecond)
	}
	if es, err := j.Query(Filter{}); err != nil || len(es) != 3 {
		t.Errorf("memory has %d (%v)", len(es), err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	j.Record(event(4))
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	es, err := Read(path, Filter{})
	if err != nil || len(es) != 2 || es[0].Msg != "lines dropped" || es[0].Get("n") != int64(3) || es[1].Get("n") != int64(4) {
		t.Errorf("%+v %v", es, err)
	}
}

// ENOSPC from the kernel itself.
func TestFullDevice(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("needs /dev/full")
	}
	j, err := Open(Opts{Path: "/dev/full"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		j.Record(event(i))
	}
	j.Close()
	if j.Dropped() != 50 {
		t.Errorf("dropped %d", j.Dropped())
	}
}

// A writer that hangs fills the queue and blocks nobody.
func TestRecordNeverBlocks(t *testing.T) {
	r, w := io.Pipe() // nobody reads
	path := filepath.Join(t.TempDir(), "j")
	j, err := Open(Opts{Path: path, Mirror: w, Queue: 8})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		j.Record(event(i + 1))
	}
	if n := j.Dropped(); n < 91 || n > 92 {
		t.Errorf("dropped %d", n)
	}
	go io.Copy(io.Discard, r)
	j.Close()
	es, _ := Read(path, Filter{Code: prompt.LogMessage})
	if len(es) != 1 || es[0].Get("n").(int64) < 91 {
		t.Errorf("told of %+v", es)
	}
}

func TestFollow(t *testing.T) {
	j := testOpen(t, Opts{})
	for i := range 5 {
		j.Record(event(i + 1))
	}
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan uint64, 2000)
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		err := j.Follow(ctx, Filter{Last: 2, Code: prompt.LogOutcome}, func(e Entry) error { got <- e.Seq; return nil })
		if err != nil {
			t.Error(err)
		}
	}()
	for want := uint64(4); want <= 5; want++ {
		if n := <-got; n != want {
			t.Fatalf("got %d, want %d", n, want)
		}
	}
	for i := range 1000 { // faster than one at a time; some go by way of the file
		j.Record(event(i))
		if i%100 == 0 {
			j.Record(Event{Code: prompt.LogBoot})
		}
	}
	last := uint64(5)
	for count := 0; count < 1000; count++ {
		n := <-got
		if n <= last {
			t.Fatalf("%d after %d", n, last)
		}
		last = n
	}
	cancel()
	wg.Wait()
	stop := errors.New("enough")
	if err := j.Follow(t.Context(), Filter{}, func(Entry) error { return stop }); err != stop {
		t.Errorf("got %v", err)
	}
}

func TestNilJournal(t *testing.T) {
	var j *Journal
	j.Record(event(1))
	j.SetLogical(0, hal.Instant{})
	if es, err := j.Query(Filter{}); es != nil || err != nil || j.Dropped() != 0 || j.Close() != nil {
		t.Error("a nil journal is not silent")
	}
	slog.New(j.Handler()).Info("nobody hears this")
}

func TestSlog(t *testing.T) {
	var mirror bytes.Buffer
	path := filepath.Join(t.TempDir(), "j")
	j := testOpen(t, Opts{Path: path, Mirror: &mirror})
	l := slog.New(j.Handler()).With("src", "board", "unit", 3).WithGroup("dev")
	l.Debug("not kept")
	l.Warn("opened 4111111111111111", "name", "msr", "took", time.Second, "pan", "x", "track2", "y", "sub.pin", 1, "raw", []byte{1, 2},
		"n", int64(4111111111111111), "err", errors.New("bad ;6225880112345674=2512101"), "secret", "s", "s", hal.NewSecret([]byte("1234")),
		slog.Group("g", "a", true), "st", struct{ PAN string }{"4111111111111111"}, "f", 4111111111111111.0, "list", []string{"a", "b"})
	slog.New(j.Handler()).Info("x", "code", prompt.LogBoot, "tx", "cup-000001-000001")
	j.Close()
	es, err := Read(path, Filter{})
	if err != nil || len(es) != 2 {
		t.Fatal(es, err)
	}
	e := es[0]
	if e.Source != "board" || e.Level != "WARN" || e.Code != prompt.LogMessage || e.Msg != "opened ********" {
		t.Errorf("%+v", e)
	}
	want := []Pair{{"unit", int64(3)}, {"dev.name", "msr"}, {"dev.took", "1s"}, {"dev.pan", stars}, {"dev.track2", stars}, {"dev.sub.pin", stars},
		{"dev.raw", stars}, {"dev.n", stars}, {"dev.err", "bad ;********"}, {"dev.secret", stars}, {"dev.s", "[secret]"}, {"dev.g.a", true},
		{"dev.st", "(struct { PAN string })"}, {"dev.f", stars}, {"dev.list", "a b"}}
	if d := cmp.Diff(want, e.Fields); d != "" {
		t.Error(d)
	}
	if es[1].Code != prompt.LogBoot || es[1].Tx != "cup-000001-000001" {
		t.Errorf("%+v", es[1])
	}
	file, _ := os.ReadFile(path)
	if !bytes.Equal(file, mirror.Bytes()) {
		t.Error("the mirror shows something else")
	}
}

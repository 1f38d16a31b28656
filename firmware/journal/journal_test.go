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
	if o.Dir == "" {
		o.Dir = filepath.Join(t.TempDir(), "journal")
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

func pairs(kv ...any) (ps []Pair) {
	for i := 0; i < len(kv); i += 2 {
		ps = append(ps, Pair{Key: kv[i].(string), Value: kv[i+1]})
	}
	return ps
}

func event(n int) Event {
	return Event{Code: prompt.LogOutcome, Source: "txn", Tx: fmt.Sprintf("cup-000001-%06d", n), Fields: []Field{
		Amount("amount", pos.Fen(1280)), Card("card", "622588******1234"), RC("rc", "00"), Code("why", prompt.Approved), Count("n", n)}}
}

// What goes to disk comes back, as the line that the mirror shows.
func TestLineAndDisk(t *testing.T) {
	clock := hal.NewSteppedClock(nil, noon)
	dir := t.TempDir()
	var raw bytes.Buffer
	j := testOpen(t, Opts{Dir: filepath.Join(dir, "j"), Clock: clock, Mirror: &raw})
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
	want := strings.ReplaceAll(`{"seq":1,"t":"2026-03-01T12:00:03.500+08:00","boot":"BOOT","up":3500,"log":3601500,"lvl":"INFO","code":"E-TXN-04","src":"txn","tx":"cup-000001-000007","f":{"amount":"12.80","card":"622588******1234","rc":"00","why":"A-SAL-01","n":7}}
{"seq":2,"t":"2026-03-01T12:00:03.500+08:00","boot":"BOOT","up":3500,"log":3601500,"lvl":"WARN","code":"E-NET-01","src":"link.4g","f":{"took":"1.5s","cause":"no-signal","err":"cannot \"dial\"","up":false,"stan":"000012","batch":"000003","rrn":"411111111111"}}
`, "BOOT", boot)
	if d := cmp.Diff(want, raw.String()); d != "" {
		t.Error(d)
	}
	es, err := Read(filepath.Join(dir, "j"), Filter{})
	if err != nil || len(es) != 2 {
		t.Fatal(es, err)
	}
	for i, e := range es {
		again, err := json.Marshal(e)
		if err != nil || string(again)+"\n" != strings.SplitAfter(want, "\n")[i] {
			t.Errorf("read and written again: %s %v", again, err)
		}
		var parsed Entry
		if err := json.Unmarshal(again, &parsed); err != nil || cmp.Diff(e, parsed, cmp.Comparer(time.Time.Equal)) != "" {
			t.Errorf("its line read: %v %s", err, cmp.Diff(e, parsed, cmp.Comparer(time.Time.Equal)))
		}
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

// Numbers go on after a restart, over a write that a power cut tore, and the
// next start tells of it.
func TestTornEnd(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "j")
	j := testOpen(t, Opts{Dir: dir, Flush: time.Millisecond})
	for i := range 3 {
		j.Record(event(i + 1))
		if err := j.Sync(false); err != nil {
			t.Fatal(err)
		}
	}
	copied := filepath.Join(t.TempDir(), "j") // as SIGKILL leaves it
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	live := filepath.Join(copied, "info", "00000001.seg")
	raw, err := os.ReadFile(live)
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(live, raw[:len(raw)-10], 0o600)
	j = testOpen(t, Opts{Dir: copied})
	j.Record(event(4))
	j.Close()
	es, err := Read(copied, Filter{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range es {
		got = append(got, fmt.Sprint(e.Seq, " ", e.Code, " ", e.Get("what"), " ", e.Get("n"), " ", e.Boot == j.boot))
	}
	want := []string{"1 E-TXN-04 <nil> 1 false", "2 E-TXN-04 <nil> 2 false", "3 E-LOG-02 unclean-end <nil> true", "4 E-TXN-04 <nil> 4 true"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func size(t *testing.T, dir string) (n int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			st, err := d.Info()
			if err != nil {
				return err
			}
			n += st.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestBound(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "j")
	j := testOpen(t, Opts{Dir: dir, MaxBytes: 128 << 10, Rate: -1, NoSync: true})
	for i := range 10000 {
		j.Record(event(i + 1))
		if i%200 == 0 {
			j.Sync(false)
		}
	}
	j.Close()
	if n := size(t, dir); n > 128<<10 {
		t.Errorf("%d bytes", n)
	}
	if j.Dropped() > 0 {
		t.Errorf("dropped %d", j.Dropped())
	}
	es, err := Read(dir, Filter{})
	if err != nil || len(es) < 1400 || len(es) > 9500 || es[len(es)-1].Seq != 10000 {
		t.Fatalf("%d entries, %v", len(es), err)
	}
	for i := 1; i < len(es); i++ {
		if es[i].Seq != es[i-1].Seq+1 {
			t.Fatalf("%d follows %d", es[i].Seq, es[i-1].Seq)
		}
	}
}

// An entry of an open money case stays, however old; the age of the others counts.
func TestOpenCasesStay(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "j")
	clock := hal.NewSteppedClock(nil, noon)
	open := []string{"cup-000001-000777"}
	j := testOpen(t, Opts{Dir: dir, MaxBytes: 128 << 10, Rate: -1, NoSync: true, Clock: clock, Age: 24 * time.Hour, Open: func() ([]string, bool) { return open, true }})
	for i := range 20000 {
		e := event(i + 1)
		if i == 50 {
			e = Event{Code: prompt.LogOutcome, Tx: open[0]}
		} else if i > 50 {
			e.Tx = fmt.Sprintf("cup-000002-%06d", 800+i%500)
		}
		j.Record(e)
		if i%200 == 0 {
			j.Sync(false)
		}
		clock.Jump(20 * time.Second)
	}
	j.Close()
	es, err := Read(dir, Filter{Tx: "000777"})
	if err != nil || len(es) != 1 {
		t.Errorf("%d entries of the open case, %v", len(es), err)
	}
	if es, _ = Read(dir, Filter{Tx: "cup-000001-000001"}); len(es) != 1 { // of the same segment
		t.Errorf("%d", len(es))
	}
	if es, _ = Read(dir, Filter{Until: noon.Add(48 * time.Hour), Since: noon.Add(24 * time.Hour)}); len(es) != 0 {
		t.Errorf("%d entries older than a day", len(es))
	}
}

// A disk that takes nothing costs entries, never a sale; the loss is told of when
// it works again, and nothing of errors is lost.
func TestDiskThatFails(t *testing.T) {
	parent := filepath.Join(t.TempDir(), "not")
	if err := os.WriteFile(parent, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(parent, "yet")
	j, err := Open(Opts{Dir: dir, Clock: hal.NewSteppedClock(nil, noon)})
	if err == nil || j == nil {
		t.Fatal("opened in a file")
	}
	for i := range 3 {
		j.Record(event(i + 1))
	}
	j.Record(Event{Code: prompt.LogDevice, Level: slog.LevelError, Fields: []Field{Count("n", 77)}})
	j.Sync(false)
	if j.Dropped() != 3 {
		t.Errorf("dropped %d", j.Dropped())
	}
	if es, err := j.Query(Filter{}); err != nil || len(es) != 4 {
		t.Errorf("memory has %d (%v)", len(es), err)
	}
	if err := os.Remove(parent); err != nil {
		t.Fatal(err)
	}
	j.Record(event(4))
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	es, err := Read(dir, Filter{})
	if err != nil || len(es) != 3 || es[0].Get("n") != int64(77) || es[1].Get("n") != int64(4) || es[2].Msg != "lines dropped" || es[2].Get("n") != int64(3) {
		t.Errorf("%+v %v", es, err)
	}
}

// A writer that hangs fills the queue and blocks nobody.
func TestRecordNeverBlocks(t *testing.T) {
	r, w := io.Pipe() // nobody reads
	dir := filepath.Join(t.TempDir(), "j")
	j, err := Open(Opts{Dir: dir, Mirror: w, Queue: 8})
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
	es, _ := Read(dir, Filter{Code: prompt.LogMessage})
	if len(es) != 1 || es[0].Get("n").(int64) < 91 {
		t.Errorf("told of %+v", es)
	}
}

// A source that says too much is held back and told of; money is not.
func TestRate(t *testing.T) {
	clock := hal.NewSteppedClock(nil, noon)
	j := testOpen(t, Opts{Clock: clock, Rate: 10, Queue: 4096})
	for i := range 150 {
		j.Record(Event{Code: prompt.LogLink, Source: "link.4g", Fields: []Field{Count("n", i+1)}})
		j.Record(event(i + 1))
	}
	clock.Jump(5 * time.Second)
	j.Record(Event{Code: prompt.LogLink, Source: "link.4g", Fields: []Field{Count("n", 1000)}})
	es, err := j.Query(Filter{})
	if err != nil {
		t.Fatal(err)
	}
	n := map[prompt.Code]int{}
	for _, e := range es {
		n[e.Code]++
	}
	if d := cmp.Diff(map[prompt.Code]int{prompt.LogLink: 101, prompt.LogOutcome: 150, prompt.LogJournal: 1}, n); d != "" {
		t.Error(d)
	}
	if e := es[len(es)-2]; e.Get("what") != "held-back" || e.Get("of") != "link.4g" || e.Get("n") != int64(50) {
		t.Errorf("%+v", e)
	}
}

// A wall clock that is set is an entry; time that passes is none.
func TestClockStep(t *testing.T) {
	clock := hal.NewSteppedClock(nil, noon)
	j := testOpen(t, Opts{Clock: clock})
	j.Record(event(1))
	clock.Jump(48 * time.Hour)
	j.Record(event(2))
	clock.StepWall(-time.Hour)
	j.Record(event(3))
	es, _ := j.Query(Filter{Code: prompt.LogJournal})
	if len(es) != 1 || es[0].Get("what") != "clock-step" || es[0].Get("by") != "-1h0m0s" || es[0].Seq != 3 {
		t.Errorf("%+v", es)
	}
}

// A card's name is in an entry of its own, and finds its transactions.
func TestCardRef(t *testing.T) {
	j := testOpen(t, Opts{})
	r := Ref{1, 2, 3, 4, 5, 6, 7, 8}
	for i := range 3 {
		j.Record(event(i + 1))
	}
	j.RecordCard("cup-000001-000002", r)
	j.RecordCard("cup-000001-000003", Ref{}) // no card: nothing
	es, err := j.Query(Filter{Card: r.String()})
	if err != nil || len(es) != 2 || es[0].Tx != "cup-000001-000002" || es[0].Get("card") == nil || es[1].Ref != "j.0102030405060708" || len(es[1].Fields) != 0 {
		t.Errorf("%+v %v", es, err)
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
	j := testOpen(t, Opts{Dir: path, Mirror: &mirror})
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
	want := pairs("unit", int64(3), "dev.name", "msr", "dev.took", "1s", "dev.pan", stars, "dev.track2", stars, "dev.sub.pin", stars,
		"dev.raw", stars, "dev.n", stars, "dev.err", "bad ;********", "dev.secret", stars, "dev.s", "[secret]", "dev.g.a", true,
		"dev.st", "(struct { PAN string })", "dev.f", stars, "dev.list", "a b")
	if d := cmp.Diff(want, e.Fields); d != "" {
		t.Error(d)
	}
	if es[1].Code != prompt.LogBoot || es[1].Tx != "cup-000001-000001" {
		t.Errorf("%+v", es[1])
	}
	for _, e := range es {
		line, _ := json.Marshal(e)
		if !bytes.Contains(mirror.Bytes(), line) {
			t.Errorf("the mirror does not show %s", line)
		}
	}
}

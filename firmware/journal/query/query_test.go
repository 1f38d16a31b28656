package query_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"swipewell/firmware/journal"
	"swipewell/firmware/journal/entry"
	"swipewell/firmware/journal/query"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// shop is a journal of three lives of 1000 entries, a second each, in many segments.
func shop(t testing.TB) (query.Set, []entry.Entry) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "j")
	clock := hal.NewSteppedClock(nil, noon)
	for life := range 3 {
		j, err := journal.Open(journal.Opts{Dir: dir, Clock: clock, Rate: -1, NoSync: true, MaxBytes: 256 << 10})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 1000 {
			n := life*1000 + i
			e := journal.Event{Code: []prompt.Code{prompt.LogIntent, prompt.LogLink, prompt.LogOutcome, prompt.NetNoSignal}[n%4], Source: []string{"txn", "link.4g", "link", "linker"}[n%4],
				Tx: fmt.Sprintf("cup-%06d-%06d", life+1, n/6), Fields: []journal.Field{journal.Count("n", n), journal.Word("what", "so it was")}}
			if n%10 == 3 {
				e.Level = slog.LevelWarn
			}
			if n%100 == 77 {
				e.Level = slog.LevelError
				e.Fields = append(e.Fields, journal.Code("why", "F-NET-03"))
			}
			j.Record(e)
			if n%50 == 0 {
				j.RecordCard(e.Tx, journal.Ref{byte(n / 500), 1})
			}
			if n%200 == 199 {
				if err := j.Sync(false); err != nil {
					t.Fatal(err)
				}
			}
			clock.Jump(time.Second)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s, err := journal.Folder(dir)
	if err != nil {
		t.Fatal(err)
	}
	all, err := s.All(query.Filter{})
	if err != nil || len(all) != 3060 {
		t.Fatalf("%d entries, %v", len(all), err)
	}
	return s, all
}

// Whatever is asked for, the index gives what looking at each entry gives.
func TestIndexIsTheTruth(t *testing.T) {
	s, all := shop(t)
	boots := s.Boots()
	if len(boots) != 3 || boots[0].First != 1 {
		t.Fatalf("%+v", boots)
	}
	rapid.Check(t, func(t *rapid.T) {
		var f query.Filter
		maybe := func(name string) bool { return rapid.IntRange(0, 3).Draw(t, name) == 0 }
		if maybe("since") {
			f.Since = noon.Add(time.Duration(rapid.IntRange(-10, 3100).Draw(t, "s")) * time.Second)
		}
		if maybe("until") {
			f.Until = noon.Add(time.Duration(rapid.IntRange(-10, 3100).Draw(t, "u")) * time.Second)
		}
		if maybe("after") {
			f.AfterSeq = rapid.Uint64Range(0, 3100).Draw(t, "a")
		}
		if maybe("tx") {
			f.Tx = rapid.SampledFrom([]string{"000100", "cup-000001-000100", "000499", "999999"}).Draw(t, "t")
		}
		if maybe("code") {
			f.Code = prompt.Code(rapid.SampledFrom([]string{"E-TXN", "F-NET-03", "E-", "X"}).Draw(t, "c"))
		}
		if maybe("source") {
			f.Source = rapid.SampledFrom([]string{"link", "link.4g", "txn", "nobody"}).Draw(t, "src")
		}
		if maybe("level") {
			f.Level = rapid.SampledFrom([]string{"debug", "info", "warn", "error"}).Draw(t, "l")
		}
		if maybe("boot") {
			f.Boot = rapid.SampledFrom([]string{boots[1].ID, boots[2].ID[:4], "nothing"}).Draw(t, "b")
		}
		if maybe("grep") {
			f.Grep = rapid.SampledFrom([]string{"n=77", `n=.*7$`, `"so it was"`, "link.4g", "WARN", "E-TXN-01 txn", "(?i)WAS"}).Draw(t, "g")
		}
		if maybe("cause") {
			f.Cause = rapid.SampledFrom([]string{"NET", "net", "HST"}).Draw(t, "cause")
		}
		if maybe("last") {
			f.Last = rapid.IntRange(1, 50).Draw(t, "n")
		}
		var want []uint64
		for i := range all {
			if f.Fits(&all[i]) {
				want = append(want, all[i].Seq)
			}
		}
		if f.Last > 0 && len(want) > f.Last {
			want = want[len(want)-f.Last:]
		}
		es, err := s.All(f)
		if err != nil {
			t.Fatal(err)
		}
		var got []uint64
		for _, e := range es {
			got = append(got, e.Seq)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%+v: %d entries %v…, want %d %v…", f, len(got), got[:min(5, len(got))], len(want), want[:min(5, len(want))])
		}
		if len(got) == 0 && s.Empty(f) == "" {
			t.Fatalf("%+v: nothing is in the way", f)
		}
	})
}

func TestCardAndCountedBoots(t *testing.T) {
	s, all := shop(t)
	es, err := s.All(query.Filter{Card: journal.Ref{1, 1}.String()})
	if err != nil || len(es) == 0 {
		t.Fatal(err)
	}
	txs := map[string]bool{}
	for _, e := range es {
		txs[e.Tx] = true
	}
	for _, e := range all {
		if txs[e.Tx] {
			es = es[1:]
		}
	}
	if len(es) != 0 || len(txs) != 10 {
		t.Errorf("%d too many, %d transactions", len(es), len(txs))
	}
	boots := s.Boots()
	for n, want := range map[string]string{"0": boots[2].ID, "-1": boots[1].ID, "-2": boots[0].ID} {
		es, err := s.All(query.Filter{Boot: n, Last: 1})
		if err != nil || len(es) != 1 || es[0].Boot != want {
			t.Errorf("boot %s: %+v %v", n, es, err)
		}
	}
	if es, _ := s.All(query.Filter{Boot: "-3"}); len(es) > 0 {
		t.Error("a fourth life")
	}
}

// A query that finds nothing says which condition is in the way.
func TestEmpty(t *testing.T) {
	s, _ := shop(t)
	tests := []struct {
		f    query.Filter
		want string
	}{
		{query.Filter{Tx: "000100"}, ""},
		{query.Filter{Tx: "777777", Level: "error"}, "nothing fits --tx 777777"},
		{query.Filter{Tx: "000100", Source: "printer"}, "nothing fits -u printer"},
		{query.Filter{Tx: "000100", Boot: "0"}, "nothing of --boot 0 fits --tx 000100 as well"},
		{query.Filter{Since: noon.Add(time.Hour * 2)}, "nothing fits --since 2026-03-01T14:00:00Z"},
		{query.Filter{Level: "error", Code: "E-TXN-01", Grep: "n=3"}, "nothing of --code E-TXN-01 fits -p error as well"},
	}
	for _, tc := range tests {
		if d := cmp.Diff(tc.want, s.Empty(tc.f)); d != "" {
			t.Error(d)
		}
	}
	if got := (query.Set{}).Empty(query.Filter{Tx: "1"}); got != "the journal is empty" {
		t.Error(got)
	}
	if _, err := s.All(query.Filter{Grep: "("}); err == nil {
		t.Error("no expression, and no error")
	}
}

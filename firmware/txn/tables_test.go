package txn

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// fetch begins a download and gives what was sent for it.
func fetch(t *testing.T) *desk {
	t.Helper()
	d := newDesk(t)
	for _, k := range MenuKeys(prompt.MenuTables) {
		d.do(Event{Kind: KeyPressed, Key: Key(k)})
	}
	return d
}

func (d *desk) sentTables() (SendTables, bool) {
	for _, x := range d.fx {
		if s, ok := x.(SendTables); ok {
			return s, true
		}
	}
	return SendTables{}, false
}

func (d *desk) tables(f TablesFacts) {
	d.do(Event{Kind: TablesDone, Reply: Reply{Kind: Answered, RC: "00"}, Tables: f})
}

func TestTables(t *testing.T) {
	d := fetch(t)
	var got []SendTables
	var puts, keeps int
	for _, f := range []TablesFacts{
		{More: true}, {Want: 2}, {Got: true}, {Refused: 1}, {}, // keys: two pages, two records, end
		{Want: 0}, {}, // applications: nothing wanted, end
	} {
		s, ok := d.sentTables()
		if !ok {
			t.Fatalf("nothing was sent; the screen says %s", d.s.Code)
		}
		got = append(got, s)
		d.tables(f)
		for _, x := range d.fx {
			switch x.(type) {
			case PutTables:
				puts++
			case KeepTable:
				keeps++
			}
		}
	}
	want := []SendTables{{KeyTable, TablesList, 0, 0}, {KeyTable, TablesList, 1, 0}, {KeyTable, TablesGet, 1, 0}, {KeyTable, TablesGet, 1, 1}, {KeyTable, TablesEnd, 1, 2},
		{AppTable, TablesList, 0, 0}, {AppTable, TablesEnd, 0, 0}}
	if len(got) != len(want) {
		t.Fatalf("sent %v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("message %d is %v, want %v", i, got[i], want[i])
		}
	}
	if d.s.Code != prompt.TablesPartly || d.s.Args.N != 1 || d.s.Args.Seconds != 1 || puts != 2 || keeps != 1 {
		t.Errorf("%s %+v, %d in force, %d kept", d.s.Code, d.s.Args, puts, keeps)
	}
}

func TestTablesEnds(t *testing.T) {
	silent := Event{Kind: TablesDone, Reply: Reply{Kind: NoAnswer}}
	for _, c := range []struct {
		name string
		do   func(d *desk)
		want prompt.Code
	}{
		{"not readable", func(d *desk) { d.tables(TablesFacts{Bad: true}) }, prompt.TablesBad},
		{"without end", func(d *desk) { d.tables(TablesFacts{More: true, Endless: true}) }, prompt.TablesEndless},
		{"a hundred pages", func(d *desk) {
			for range maxPage + 1 {
				d.tables(TablesFacts{More: true})
			}
		}, prompt.TablesEndless},
		{"silent", func(d *desk) { d.do(silent) }, prompt.NetHostSilent},
		{"not sent", func(d *desk) { d.do(Event{Kind: TablesDone, Reply: Reply{Kind: NotSent, Code: prompt.NetBusy}}) }, prompt.NetBusy},
		{"refused", func(d *desk) { d.do(Event{Kind: TablesDone, Reply: Reply{Kind: Answered, RC: "40"}}) }, prompt.Declined("40")},
		{"silent at a record", func(d *desk) { d.tables(TablesFacts{Want: 1}); d.do(silent) }, prompt.NetHostSilent},
		{"ended by a person", func(d *desk) { d.do(Event{Kind: KeyPressed, Key: "cancel"}); d.tables(TablesFacts{Want: 3}) }, prompt.TablesStopped},
		{"the end is lost", func(d *desk) {
			d.tables(TablesFacts{})
			d.do(silent)
			d.tables(TablesFacts{})
			d.do(silent)
		}, prompt.TablesDone},
	} {
		d := fetch(t)
		c.do(d)
		if d.s.Code != c.want || d.s.Phase != Result || d.s.Tables != (TablesRun{}) {
			t.Errorf("%s: %v %s %+v", c.name, d.s.Phase, d.s.Code, d.s.Tables)
		}
		if d.do(Event{Kind: KeyPressed, Key: "1"}); d.s.Phase != Keying {
			t.Errorf("%s: no sale begins after it: %v", c.name, d.s.Phase)
		}
	}
}

// TestTablesAfterMoney: a reversal that is due goes between two messages.
func TestTablesAfterMoney(t *testing.T) {
	d := fetch(t)
	d.s.Durable.SignedOn = true
	id := pos.RecordID{Context: "a", Batch: 1, STAN: 9}
	d.rows[id] = pos.Record{RecordID: id, Class: pos.ClassReversal, Kind: pos.KindSale, State: pos.RecordQueued}
	d.now += time.Minute
	d.s.Durable.Reversals = 1
	d.tables(TablesFacts{Want: 1})
	if _, ok := has[SendRecord](d.fx); !ok || d.s.Phase != Fetching {
		t.Fatalf("%v: %v", d.s.Phase, d.fx)
	}
	delete(d.rows, id)
	d.s.Durable.Reversals = 0
	d.do(Event{Kind: RecordDone})
	if s, ok := d.sentTables(); !ok || s.Step != TablesGet {
		t.Errorf("%v", d.fx)
	}
}

// TestTablesHalt: a device that halts forgets its download.
func TestTablesHalt(t *testing.T) {
	d := fetch(t)
	d.do(Event{Kind: Faulted, Code: prompt.BoardMoney})
	d.tables(TablesFacts{Want: 3})
	d.do(Event{Kind: Mended})
	if _, ok := d.sentTables(); ok || d.s.Phase != Ready || d.s.Tables != (TablesRun{}) {
		t.Errorf("%v %+v", d.s.Phase, d.s.Tables)
	}
}

// TestTablesBounded: whatever a host answers, a download ends, and each table is
// put in force at most once.
func TestTablesBounded(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := fetch(t)
		puts := 0
		for range 2*(maxPage+1+128+1) + 1 {
			if _, ok := d.sentTables(); !ok {
				break
			}
			d.tables(TablesFacts{More: rapid.Bool().Draw(rt, "more"), Want: rapid.IntRange(0, 128).Draw(rt, "want"), Got: rapid.Bool().Draw(rt, "got"), Refused: rapid.IntRange(0, 1).Draw(rt, "refused")})
			if _, ok := has[PutTables](d.fx); ok {
				puts++
			}
		}
		if d.s.Phase != Result || puts > 2 {
			rt.Fatalf("%v, %d times in force", d.s.Phase, puts)
		}
	})
}

package terminal

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"swipewell/firmware/emv"
	"swipewell/firmware/emv/table"
	"swipewell/firmware/journal"
	"swipewell/firmware/pos"
	"swipewell/firmware/store"
	"swipewell/ui/prompt"
)

// tabler is what this terminal has of tables for chip cards: the board's file,
// what was downloaded over it, and a download under way.
type tabler struct {
	file *table.File // of the board; nil: none, or one that is older than one before
	held table.Set   // downloaded and in force
	came table.Set   // downloaded, of a table that is not whole yet; on flash as well
	bad  []store.Row // rows that cannot be read: they go with the next commit

	config *emv.Config // of the day; nil: to be made
	day    string

	keys []table.Listed // what the host lists, in its order
	apps [][]byte
	want []int     // of the list, those that must be fetched
	row  store.Row // the record that came last
	sent int       // messages of this download
}

// Keys of the store's rows: a record in force is key/A0000003330B or app/AID, one
// of a table that is not whole yet has new/ before it; file is the highest version
// of a file that the board has had.
const (
	newPrefix = "new/"
	fileKey   = "file"
)

func keyRow(id table.KeyID) string { return fmt.Sprintf("key/%X%02X", id.RID, id.Index) }

func appRow(aid []byte) string { return fmt.Sprintf("app/%X", aid) }

// loadTables reads what was downloaded. A row that is not in order is left out,
// named in the log, and removed with the next commit.
func (t *Terminal) loadTables() error {
	b := &t.tables
	*b = tabler{file: t.o.Tables}
	have := 0
	err := t.o.Store.Rows(store.Tables, nil, func(k, v []byte) error {
		name, into := string(k), &b.held
		if rest, ok := strings.CutPrefix(name, newPrefix); ok {
			name, into = rest, &b.came
		}
		var err error
		switch sort, _, _ := strings.Cut(name, "/"); sort {
		case fileKey:
			have, err = strconv.Atoi(string(v))
		case "key":
			var x table.Key
			if x, err = table.ParseKey(v); err == nil {
				err = into.PutKey(x)
			}
		case "app":
			var x table.App
			if x, err = table.ParseApp(v); err == nil {
				err = into.PutApp(x)
			}
		default:
			err = errors.New("not a row of tables")
		}
		if err != nil {
			t.logTables(slog.LevelWarn, "store", err)
			b.bad = append(b.bad, store.Row{Room: store.Tables, Key: append([]byte(nil), k...)})
		}
		return nil
	})
	if err != nil || b.file == nil {
		return err
	}
	for _, why := range b.file.Refused {
		t.logTables(slog.LevelWarn, "file", why)
	}
	switch {
	case b.file.Version < have:
		t.logTables(slog.LevelError, "file", fmt.Errorf("%w: version %d, had %d", table.ErrOlder, b.file.Version, have))
		b.file = nil
	case b.file.Version > have: // known before it is used
		err = t.o.Store.Commit(store.Change{Aside: true, Rows: []store.Row{{Room: store.Tables, Key: []byte(fileKey), Value: []byte(strconv.Itoa(b.file.Version))}}}, nil)
	}
	return err
}

// logTables names what was not taken.
func (t *Terminal) logTables(lvl slog.Level, from string, why error) {
	t.o.Journal.Record(journal.Event{Code: prompt.LogTables, Level: lvl, Source: "tables", Fields: []journal.Field{journal.Word("from", from), journal.Err(why)}})
}

// today is the day at the terminal, YYYYMMDD.
func (t *Terminal) today() string {
	return time.UnixMilli(t.now().Wall).In(pos.CST).Format("20060102")
}

// CardTables is what the chip kernel works with: the board's file, and over it
// what was downloaded; keys that may not be used today are left out. base are the
// terminal's own data (9F1A, 9F33, 9F35, 9F40 …), the same at every call. Ask for it
// at the start of a transaction and keep the pointer until its end: what it points
// to never changes; a download or a new day make another one. Without an application
// its Check fails: no card can be read. For the loop only.
func (t *Terminal) CardTables(base emv.Values) *emv.Config {
	b := &t.tables
	if day := t.today(); b.config == nil || b.day != day {
		var file *table.Set
		if b.file != nil {
			file = &b.file.Set
		}
		merged := file.Merge(&b.held)
		for _, why := range merged.Unused(day) {
			t.logTables(slog.LevelWarn, "today", why)
		}
		b.config, b.day = merged.Config(base, day), day
	}
	return b.config
}

package terminal_test

import (
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"swipewell/firmware/emv"
	"swipewell/firmware/emv/table"
	"swipewell/firmware/sim/stage"
	"swipewell/firmware/sim/world"
	"swipewell/firmware/store"
	"swipewell/firmware/terminal"
	"swipewell/firmware/txn"
	"swipewell/ui/prompt"
)

var chipBase = emv.Values{0x9F1A: {1, 0x56}, 0x9F33: {0xE0, 0xF8, 0xC8}, 0x9F35: {0x22}, 0x9F40: {0xFA, 0, 0xF0, 0xA3, 0xFF}}

// tableHouse is a terminal whose board has a file of tables; nil: none.
func tableHouse(t *testing.T, file **table.File) house {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "terminal-test-")
	if err != nil {
		dir = t.TempDir()
	}
	w := &wire{}
	h, err := stage.New(stage.Opts{Dir: dir, Seed: 1, Wires: []stage.NamedWire{{Name: "a", Wire: w}}, Wall: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC),
		Term: func(o *terminal.Opts) { o.Tables = *file }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close(); os.RemoveAll(dir) })
	x := house{h, t, w}
	x.must(h.Do(func() { x.must(h.Boot()) }))
	return x
}

func (h house) config() (c *emv.Config) {
	h.t.Helper()
	h.must(h.Do(func() { c = h.Term.CardTables(chipBase) }))
	return c
}

// fetch downloads the tables, to its end.
func (h house) fetch() prompt.Code {
	h.t.Helper()
	if h.State().Phase == txn.Result {
		h.must(h.Press("cancel"))
	}
	for _, k := range txn.MenuKeys(prompt.MenuTables) {
		h.must(h.Press(txn.Key(k)))
	}
	for range 300 {
		if h.State().Phase != txn.Fetching {
			return h.State().Code
		}
		h.must(h.Wait(time.Second))
	}
	h.t.Fatal("the download has no end")
	return ""
}

func (h house) host(words string) {
	h.t.Helper()
	_, err := h.Host.Command(strings.Fields(words)...)
	h.must(err)
}

func floors(c *emv.Config) (out []string) {
	for _, a := range c.Apps {
		out = append(out, hex.EncodeToString(a.AID[6:])+":"+hex.EncodeToString(a.Data[0x9F1B]))
	}
	return out
}

// benchFile is the bench's file without its first key and with another floor limit.
func benchFile(t *testing.T, version int) *table.File {
	t.Helper()
	text, err := world.Tables(version)
	if err != nil {
		t.Fatal(err)
	}
	f, err := table.ParseFile(strings.Replace(text, "floor_limit = 10000", "floor_limit = 1", -1))
	if err != nil || len(f.Refused) > 0 {
		t.Fatal(err, f.Refused)
	}
	return f
}

func TestTablesInForce(t *testing.T) {
	var file *table.File
	h := tableHouse(t, &file)
	none := h.config()
	if err := none.Check(); !errors.Is(err, emv.ErrConfig) || h.config() != none {
		t.Errorf("without tables: %v; asked twice, two answers: %v", err, h.config() != none)
	}
	h.host("tables floor A000000333010102 5000")
	if c := h.fetch(); c != prompt.TablesDone {
		t.Fatal(c)
	}
	c := h.config()
	if c == none || c.Check() != nil || len(c.Keys) != 2 || len(none.Apps) != 0 {
		t.Errorf("downloaded: %d keys, %v; before %d applications", len(c.Keys), c.Check(), len(none.Apps))
	}
	want := []string{"0101:00002710", "0102:00001388", "0103:00002710"}
	if got := floors(c); !slices.Equal(got, want) {
		t.Errorf("floor limits %v, want %v", got, want)
	}
	// Over a file, after another start: what was downloaded counts, record by record.
	file = benchFile(t, 1)
	h.host("tables drop A000000333010101")
	if c := h.fetch(); c != prompt.TablesDone {
		t.Fatal(c)
	}
	h.must(h.Restart())
	want[0] = "0101:00000001"
	if got := floors(h.config()); !slices.Equal(got, want) {
		t.Errorf("over a file %v, want %v", got, want)
	}
	// A day on which the keys are past their last is another configuration.
	before := h.config()
	h.must(h.Wait(24 * 365 * 24 * time.Hour))
	if after := h.config(); len(after.Keys) != 0 || len(before.Keys) != 2 {
		t.Errorf("%d keys in 2050, and %d of before", len(after.Keys), len(before.Keys))
	}
}

// TestTablesKeep: a record that is refused leaves the one of before; a list that is
// empty takes nothing away; rows that are damaged are left out.
func TestTablesKeep(t *testing.T) {
	var file *table.File
	h := tableHouse(t, &file)
	if c := h.fetch(); c != prompt.TablesDone {
		t.Fatal(c)
	}
	h.host("tables tag A000000333010101")
	h.host("tables floor A000000333010101 1")
	h.host("tables floor A000000333010102 2")
	if c := h.fetch(); c != prompt.TablesPartly {
		t.Fatal(c)
	}
	want := []string{"0101:00002710", "0102:00000002", "0103:00002710"}
	if got := floors(h.config()); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for _, name := range []string{"A000000333/C1", "A000000333/C2", "A000000333010101", "A000000333010102", "A000000333010103"} {
		h.host("tables drop " + name)
	}
	if c := h.fetch(); c != prompt.TablesDone || len(h.config().Keys) != 2 || len(h.config().Apps) != 3 {
		t.Errorf("an empty list: %s, %d keys, %d applications", c, len(h.config().Keys), len(h.config().Apps))
	}
	h.must(h.Do(func() {
		h.must(h.Store.Commit(store.Change{Rows: []store.Row{{Room: store.Tables, Key: []byte("app/A000000333010103"), Value: []byte("damaged")}}}, nil))
	}))
	h.must(h.Restart())
	if got := floors(h.config()); !slices.Equal(got, want[:2]) {
		t.Errorf("with a damaged row: %v", got)
	}
}

// TestTablesFileVersion: no file below a version that the device has had.
func TestTablesFileVersion(t *testing.T) {
	file := benchFile(t, 2)
	h := tableHouse(t, &file)
	for _, c := range []struct{ version, apps int }{{2, 3}, {1, 0}, {2, 3}, {5, 3}, {4, 0}, {5, 3}} {
		file = benchFile(t, c.version)
		h.must(h.Restart())
		if n := len(h.config().Apps); n != c.apps {
			t.Errorf("version %d: %d applications, want %d", c.version, n, c.apps)
		}
	}
}

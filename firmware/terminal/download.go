package terminal

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"

	"swipewell/firmware/emv/table"
	"swipewell/firmware/hostlink"
	"swipewell/firmware/journal"
	"swipewell/firmware/pos"
	"swipewell/firmware/store"
	"swipewell/firmware/txn"
	"swipewell/ui/prompt"
)

// sendTables sends one message of a download.
func (t *Terminal) sendTables(x txn.SendTables) {
	b := &t.tables
	var de62 []byte
	switch x.Step {
	case txn.TablesList:
		if x.Page == 0 && x.Of == txn.KeyTable {
			b.sent = 0
		}
		if x.Page == 0 {
			b.keys, b.apps, b.want = nil, nil, nil
		}
		de62 = fmt.Appendf(nil, "1%02d", x.Page)
	case txn.TablesGet:
		if x.Of == txn.KeyTable {
			de62 = b.keys[b.want[x.N]].AppendID(nil)
		} else {
			de62 = table.AppendAID(nil, b.apps[b.want[x.N]])
		}
	}
	b.sent++
	t.point("tables:" + strconv.Itoa(b.sent))
	t.exchange(pos.RecordID{}, t.o.Line.Tables(x.Of, x.Step, de62), func(r hostlink.Reply) {
		e := txn.Event{Kind: txn.TablesDone, Reply: t.reply(r)}
		if r.Kind == txn.Answered {
			e.Tables = t.tablesAnswer(x, r.Answer)
		}
		t.handle(e)
	})
}

func (t *Terminal) tablesAnswer(x txn.SendTables, a hostlink.Answer) (f txn.TablesFacts) {
	switch {
	case x.Step == txn.TablesList && a.RC == "00":
		return t.tableList(x.Of, a.Table)
	case x.Step == txn.TablesGet:
		if err := t.tableRecord(x, a); err != nil {
			t.logTables(slog.LevelWarn, "host", err)
			f.Refused = 1
			return f
		}
		f.Got = true
	}
	return f
}

// Flags before a list or a record, in ASCII. WIRE.
const (
	flagNone = '0'
	flagMore = '2'
)

// tableList takes a page of the host's list, and after the last one finds what
// must be fetched: of the keys, those that are not held with the last day that is
// listed; of the applications all, since a list tells nothing of what is in them.
func (t *Terminal) tableList(of txn.TableSort, b []byte) (f txn.TablesFacts) {
	d := &t.tables
	if len(b) == 0 || b[0] < flagNone || b[0] > '3' || b[0] == flagNone && len(b) > 1 {
		f.Bad = true
		return f
	}
	before := len(d.keys) + len(d.apps)
	var refused []error
	var err error
	if of == txn.KeyTable {
		var page []table.Listed
		page, refused, err = table.ParseKeyList(b[1:])
		for _, l := range page {
			if !slices.ContainsFunc(d.keys, func(k table.Listed) bool { return k.KeyID == l.KeyID }) {
				d.keys = append(d.keys, l)
			}
		}
	} else {
		var page [][]byte
		page, refused, err = table.ParseAppList(b[1:])
		for _, aid := range page {
			if !slices.ContainsFunc(d.apps, func(a []byte) bool { return string(a) == string(aid) }) {
				d.apps = append(d.apps, aid)
			}
		}
	}
	for _, why := range refused {
		t.logTables(slog.LevelWarn, "host", why)
	}
	if err != nil {
		t.logTables(slog.LevelWarn, "host", err)
	}
	f.Refused, f.More = len(refused), b[0] == flagMore
	f.Bad = err != nil || len(d.keys) > table.MaxKeys || len(d.apps) > table.MaxApps
	f.Endless = f.More && len(d.keys)+len(d.apps) == before
	if f.More || f.Bad {
		return f
	}
	for i, l := range d.keys {
		if !has(&d.held, l) && !has(&d.came, l) {
			d.want = append(d.want, i)
		}
	}
	for i := range d.apps {
		d.want = append(d.want, i)
	}
	f.Want = len(d.want)
	return f
}

// has: the set has that key, with that last day.
func has(s *table.Set, l table.Listed) bool {
	k, ok := s.Key(l.KeyID)
	return ok && l.Expiry != "" && k.Expiry == l.Expiry
}

// refusedAs is a *table.Refused of the host's making.
func refusedAs(name, why string) error { return &table.Refused{Name: name, Err: errors.New(why)} }

// tableRecord takes one record: the one that was asked for, in order, and usable
// today.
func (t *Terminal) tableRecord(x txn.SendTables, a hostlink.Answer) error {
	d, b := &t.tables, a.Table
	if len(b) > 0 && b[0] == '1' {
		b = b[1:]
	}
	none := a.RC != "00" || len(b) == 0 || b[0] == flagNone
	if x.Of == txn.AppTable {
		aid := d.apps[d.want[x.N]]
		if none {
			return refusedAs(fmt.Sprintf("%X", aid), "listed, and the host does not give it ("+string(a.RC)+")")
		}
		app, err := table.ParseApp(b)
		if err != nil {
			return err
		}
		if string(app.AID) != string(aid) {
			return refusedAs(fmt.Sprintf("%X", aid), "the host gave "+app.Name())
		}
		d.row = store.Row{Room: store.Tables, Key: []byte(appRow(aid)), Value: app.Append(nil)}
		return d.came.PutApp(app)
	}
	l := d.keys[d.want[x.N]]
	if none {
		return refusedAs(l.String(), "listed, and the host does not give it ("+string(a.RC)+")")
	}
	k, err := table.ParseKey(b)
	switch {
	case err != nil:
		return err
	case k.KeyID != l.KeyID:
		return refusedAs(l.String(), "the host gave "+k.String())
	case k.Expiry == "":
		k.Expiry = l.Expiry // that, too, is from the acquirer
	case l.Expiry != "" && k.Expiry != l.Expiry:
		return refusedAs(l.String(), "its last day is "+k.Expiry+", the list says "+l.Expiry)
	}
	if err := k.Usable(t.today()); err != nil {
		return err
	}
	d.row = store.Row{Room: store.Tables, Key: []byte(keyRow(k.KeyID)), Value: k.Append(nil)}
	return d.came.PutKey(k)
}

// tableRows adds to a commit what a step ordered.
func (t *Terminal) tableRows(c *store.Change, fx []txn.Effect) {
	for _, x := range fx {
		switch x := x.(type) {
		case txn.KeepTable:
			r := t.tables.row
			r.Key = append([]byte(newPrefix), r.Key...)
			c.Rows = append(c.Rows, r)
		case txn.PutTables:
			c.Rows = append(c.Rows, t.switchRows(x.Of)...)
			c.Rows = append(c.Rows, t.tables.bad...)
		}
	}
}

// switchRows put a table in force: what came goes over what is held, and what the
// host no longer lists goes. A host that lists nothing takes nothing away.
func (t *Terminal) switchRows(of txn.TableSort) (rows []store.Row) {
	row := func(key string, value []byte) {
		rows = append(rows, store.Row{Room: store.Tables, Key: []byte(key), Value: value})
	}
	d := &t.tables
	next := d.next(of)
	if of == txn.KeyTable {
		for _, k := range d.held.Keys() {
			if _, ok := next.Key(k.KeyID); !ok {
				row(keyRow(k.KeyID), nil)
			}
		}
		for _, k := range next.Keys() {
			row(keyRow(k.KeyID), k.Append(nil))
		}
		for _, k := range d.came.Keys() {
			row(newPrefix+keyRow(k.KeyID), nil)
		}
		return rows
	}
	for _, a := range d.held.Apps() {
		if _, ok := next.App(a.AID); !ok {
			row(appRow(a.AID), nil)
		}
	}
	for _, a := range next.Apps() {
		row(appRow(a.AID), a.Append(nil))
	}
	for _, a := range d.came.Apps() {
		row(newPrefix+appRow(a.AID), nil)
	}
	return rows
}

// next is the set once a table of it is switched.
func (d *tabler) next(of txn.TableSort) *table.Set {
	next := d.held.Merge(nil)
	if of == txn.KeyTable && len(d.keys) > 0 {
		for _, k := range d.held.Keys() {
			next.DropKey(k.KeyID)
		}
		for _, l := range d.keys {
			for _, from := range []*table.Set{&d.held, &d.came} { // the later over the earlier
				if k, ok := from.Key(l.KeyID); ok {
					_ = next.PutKey(k) // it is in order: it is in a set
				}
			}
		}
	}
	if of == txn.AppTable && len(d.apps) > 0 {
		for _, a := range d.held.Apps() {
			next.DropApp(a.AID)
		}
		for _, aid := range d.apps {
			for _, from := range []*table.Set{&d.held, &d.came} {
				if a, ok := from.App(aid); ok {
					_ = next.PutApp(a)
				}
			}
		}
	}
	return next
}

// switched follows the commit of a switch.
func (t *Terminal) switched(of txn.TableSort) {
	d := &t.tables
	d.held = *d.next(of)
	left := table.Set{}
	if of == txn.KeyTable {
		for _, a := range d.came.Apps() {
			_ = left.PutApp(a)
		}
	} else {
		for _, k := range d.came.Keys() {
			_ = left.PutKey(k)
		}
	}
	d.came, d.bad, d.config = left, nil, nil
	t.o.Journal.Record(journal.Event{Code: prompt.LogTables, Source: "tables", Fields: []journal.Field{journal.Word("in-force", of.String()),
		journal.Count("keys", len(d.held.Keys())), journal.Count("apps", len(d.held.Apps()))}})
}

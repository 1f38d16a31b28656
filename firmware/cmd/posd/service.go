package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"path/filepath"
	"slices"
	"time"

	"swipewell/firmware/board"
	"swipewell/firmware/console"
	"swipewell/firmware/journal"
	"swipewell/firmware/pos"
	"swipewell/firmware/recovery"
	"swipewell/firmware/role"
	"swipewell/firmware/role/challenge"
	"swipewell/firmware/role/lockout"
	"swipewell/firmware/store"
	"swipewell/firmware/terminal"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// errNoTerminal says that the device sells nothing at the moment.
var errNoTerminal = errors.New("the terminal is not in service")

// listen opens the service socket and the console on the cable.
func (d *device) listen(ctx context.Context) (err error) {
	o := console.Opts{Backend: backend{d}, Journal: d.journal, Clock: d.board.Clock, Lang: d.file.Lang}
	if s := d.file.Service; s != nil {
		if d.file.Bench {
			o.Logins = map[console.Role]string{console.Cashier: s.Cashier, console.Supervisor: s.Supervisor}
		}
		if o.Desk, err = d.desk(s); err != nil {
			d.log.Error("service", "err", err) // nobody gets in by key
		}
	}
	locks, err := lockout.Open(filepath.Join(d.data, "lockout.json"), d.board.Clock)
	if err != nil {
		d.log.Error("service", "err", err) // nobody gets in for half an hour
	}
	o.Locks = locks
	srv, err := console.Listen(filepath.Join(d.data, "posd.sock"), o)
	if err != nil {
		return err
	}
	go srv.Serve(ctx)
	if d.board.Service != nil {
		d.cable(ctx, o)
	}
	return nil
}

// answerTime is how long a challenge is good.
const answerTime = 5 * time.Minute

// desk lets in who has a key of the board file.
func (d *device) desk(s *board.Service) (*challenge.Desk, error) {
	var people []challenge.Technician
	for _, k := range s.Keys {
		pub, err := base64.StdEncoding.DecodeString(k.Key)
		if err != nil {
			return nil, err // the file's reader has closed the section
		}
		people = append(people, challenge.Technician{Name: k.Name, Number: k.Number, Role: role.Role(k.Role), Key: pub})
	}
	if len(people) == 0 {
		return nil, nil
	}
	return challenge.NewDesk(d.number(), people, answerTime, rand.Reader)
}

// number is the device's number, or what stands for it.
func (d *device) number() string {
	serial := d.file.Name
	if a := d.file.Acquirer; a != nil && a.TID != "" {
		serial = a.TID
	}
	for _, a := range d.file.Assets {
		if a.Kind == "serial" {
			serial = a.Value
		}
	}
	return serial
}

// Recovery is what an export holds.
func (b backend) Recovery(ctx context.Context) (h recovery.Head, items []recovery.Item, err error) {
	d := b.d
	_, st := b.current()
	if st == nil {
		return h, nil, errNoTerminal
	}
	if items, err = terminal.RecoveryItems(st); err != nil {
		return h, nil, err
	}
	h = recovery.Head{Store: st.ID(), At: d.board.Clock.Now().Wall.Unix()}
	if a := d.file.Acquirer; a != nil {
		h.Terminal, h.Merchant = pos.TerminalID(a.TID), pos.MerchantID(a.MID)
	}
	d.journal.Record(journal.Event{Code: prompt.LogRecovery, Source: "console", Fields: []journal.Field{journal.Word("what", "exported"), journal.Count("records", len(items))}})
	return h, items, nil
}

// backend answers the service from between two steps of the loop.
type backend struct{ d *device }

func (b backend) current() (*terminal.Terminal, *store.Store) {
	b.d.mu.Lock()
	defer b.d.mu.Unlock()
	return b.d.term, b.d.store
}

// look runs f in the loop.
func (b backend) look(ctx context.Context, f func(txn.State, []pos.Record)) error {
	t, _ := b.current()
	if t == nil {
		return errNoTerminal
	}
	return t.Look(ctx, f)
}

func (b backend) Status(ctx context.Context) (console.Status, error) {
	d := b.d
	now := d.board.Clock.Now()
	s := console.Status{Version: version, Board: d.file.Name, Bench: d.file.Bench, MerchantName: d.file.Merchant.Name, Devices: console.DevicesOf(d.board.Report),
		Up: now.Boot - d.start.Boot, LogDropped: d.journal.Dropped(), Time: pos.Time{Wall: now.Wall.UnixMilli()}, Phase: "halted"}
	if a := d.file.Acquirer; a != nil {
		s.Terminal, s.Merchant, s.Context = pos.TerminalID(a.TID), pos.MerchantID(a.MID), a.Context
	}
	d.mu.Lock()
	s.Store.Fault, s.Screen = d.fault, d.fault
	for _, l := range d.board.Links {
		st := d.links[l.Name].state
		if st == "" {
			st = "unknown"
		}
		link := console.Link{Name: l.Name, Driver: l.String(), State: st}
		if r, ok := l.Dialer.(hal.Signaler); ok {
			sig := r.Signal()
			link.Signal = &sig
		}
		s.Links = append(s.Links, link)
	}
	st := d.store
	d.mu.Unlock()
	if st != nil {
		s.Store.ID = st.ID()
		s.Store.Commits, s.Store.Bytes = st.Stats()
	}
	err := b.look(ctx, func(x txn.State, rows []pos.Record) {
		du := x.Durable
		s.Phase, s.Screen, s.SignedOn = x.Phase.String(), x.Code, du.SignedOn
		s.Batch, s.Sales, s.Total, s.STAN = du.Batch, du.Totals.DebitN+du.Totals.CreditN, pos.Fen(du.Totals.Debit-du.Totals.Credit), du.STAN
		s.Open = du.Open.Open()
		for _, r := range rows {
			switch {
			case r.State == pos.RecordUnresolved:
				s.Unresolved++
			case r.State == pos.RecordRefused:
				s.Refused++
			case r.State == pos.RecordQueued && r.Class == pos.ClassReversal:
				s.Reversals++
			case r.State == pos.RecordQueued:
				s.Advices++
			}
		}
		if l := du.Last; l.ID.STAN != 0 {
			s.Last = &console.LastSale{ID: l.ID, Kind: l.Kind, Amount: l.Amount, Masked: l.Masked, Auth: l.Auth, RRN: l.RRN, Code: l.Code, Unprinted: l.Unprinted}
		}
	})
	if err != nil && !errors.Is(err, errNoTerminal) {
		return s, err
	}
	return s, nil
}

func (b backend) Queue(ctx context.Context) (out []pos.Record, err error) {
	err = b.look(ctx, func(_ txn.State, rows []pos.Record) {
		out = append(out, rows...)
	})
	slices.SortFunc(out, func(a, b pos.Record) int { return int(a.At.Wall - b.At.Wall) })
	return out, err
}

func (b backend) Batch(ctx context.Context, fn func(pos.Sale) error) error {
	_, st := b.current()
	if st == nil {
		return errNoTerminal
	}
	var id store.BatchID
	if err := b.look(ctx, func(x txn.State, _ []pos.Record) {
		id = store.BatchID{Context: x.Profile.Context, Batch: x.Durable.Batch}
	}); err != nil {
		return err
	}
	return st.Sales(id, fn)
}

func (b backend) CloseRecord(ctx context.Context, stan pos.STAN, reason string) (pos.Record, error) {
	return b.byHand(ctx, func(t *terminal.Terminal) (pos.Record, error) { return t.CloseRecord(stan, reason) })
}

func (b backend) ParkRecord(ctx context.Context, stan pos.STAN, reason string) (pos.Record, error) {
	return b.byHand(ctx, func(t *terminal.Terminal) (pos.Record, error) { return t.ParkRecord(stan, reason) })
}

// byHand does a supervisor's word in the loop.
func (b backend) byHand(ctx context.Context, do func(*terminal.Terminal) (pos.Record, error)) (rec pos.Record, err error) {
	t, _ := b.current()
	if t == nil {
		return rec, errNoTerminal
	}
	if derr := t.Do(ctx, func() { rec, err = do(t) }); derr != nil {
		return rec, derr
	}
	return rec, err
}

func (b backend) Check(context.Context) error {
	_, st := b.current()
	if st == nil {
		return errNoTerminal
	}
	return st.Check()
}

package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"swipewell/firmware/board"
	"swipewell/firmware/console"
	"swipewell/firmware/diagnose"
	"swipewell/firmware/hostlink"
	"swipewell/firmware/iso8583"
	"swipewell/firmware/iso8583/tpdu"
	"swipewell/firmware/journal"
	"swipewell/firmware/keys"
	"swipewell/firmware/pos"
	"swipewell/firmware/recovery"
	"swipewell/firmware/store"
	"swipewell/firmware/terminal"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/prompt"
	"swipewell/ui/receipt"
	"swipewell/ui/screen"
)

// device is what lasts over the sessions of one process.
type device struct {
	file    *board.File
	board   *board.Result
	data    string
	journal *journal.Journal
	judges  *store.Judges
	log     *slog.Logger
	start   hal.Instant

	seen     diagnose.Window // the loop's, over its lives
	rulesBad bool            // a rule file was refused

	mu     sync.Mutex
	update *terminal.Update // rules that wait; nil none
	lesson *terminal.Lesson // training that is wished for, or its result; nil none
	copied pos.Time         // of the last copy of the store
	// endLife ends the life of the terminal that runs; nil if none does.
	endLife context.CancelCauseFunc
	term    *terminal.Terminal
	store   *store.Store
	fault   prompt.Code // why nothing is sold
	opened  bool        // the case was: there are no keys
	links   map[string]linkState
	params  paramState
	setting sync.Mutex // of a parameter file
	// refused ends a session that only shows why nothing is sold; nil if there
	// is none.
	refused   context.CancelCauseFunc
	says      bool               // a screen stands that says why nothing is sold
	training  *terminal.Terminal // nil: none
	restoring sync.Mutex

	up    upkeep
	shell *console.Shell // on the cable; nil: there is none
}

// session is one life of the terminal: from the store's opening to a stop or a
// failed commit.
func (d *device) session(ctx context.Context) error {
	size := screen.Size{W: d.file.Display.Width, H: d.file.Display.Height, Mono: d.file.Display.Mono}
	if size.W == 0 {
		size = screen.Color320
	}
	d.takeParams()
	lesson := d.takeLesson()
	if lesson != nil && !lesson.Ended {
		err := d.lessonIn(ctx, size, lesson)
		if ctx.Err() == nil && err != nil && !errors.Is(err, errAgain) {
			d.log.Error("training", "err", err)
			err = errAgain // back to selling
		}
		return err
	}
	st, err := d.openStore(ctx)
	d.sawSchema(err)
	if err != nil {
		code := terminal.StoreCode(err)
		level := slog.LevelError
		if code == prompt.UpdWaits {
			level = slog.LevelInfo
		}
		d.journal.Record(journal.Event{Code: code, Level: level, Source: "store", Fields: []journal.Field{journal.Err(err)}})
		if d.outOfUse(nil) {
			code = prompt.TamperOpen
		}
		d.setFault(code)
		// Nothing is sold and nothing is written over; a person must look.
		return d.refuse(ctx, size, code)
	}
	defer st.Close()
	opened := d.outOfUse(st)
	side, err := d.attach(st, opened)
	if err != nil {
		code := terminal.StoreCode(err)
		d.journal.Record(journal.Event{Code: code, Level: slog.LevelError, Source: "backup", Fields: []journal.Field{journal.Err(err)}})
		d.setFault(code)
		return d.refuse(ctx, size, code)
	}
	if side != nil {
		defer side.Close()
	}
	var to *recovery.Public
	if !opened {
		if code := d.rename(st); code != "" {
			d.setFault(code)
			return d.refuse(ctx, size, code)
		}
		if to, err = d.recoveryKey(st); err != nil {
			code := terminal.StoreCode(err)
			d.setFault(code)
			return d.refuse(ctx, size, code)
		}
	}
	d.checkLog(st)
	host, profile, line, err := d.host()
	if err != nil {
		return err
	}
	defer line.Close()
	code := prompt.Code("")
	if len(d.board.Stop) > 0 {
		code = prompt.BoardMoney
	}
	if code == "" {
		if _, ok := d.board.Keys.Has(hal.SlotTMK); !ok {
			code = prompt.KeyNoMaster
		}
	}
	if opened {
		code = prompt.TamperOpen
	}
	rules := d.rules()
	t, err := terminal.New(terminal.Opts{Board: d.board.Board, Store: st, Line: line, Host: host, Profile: profile, Journal: d.journal, Log: d.log,
		Rules: rules, Staff: d.staff(), Window: &d.seen, Version: version, Began: d.start.Boot, Care: d.care(), Lesson: lesson, Sweep: sweep, RulesBad: d.rulesBad, Tables: d.board.Tables, BootCode: code, Recovery: to, Size: size, Merchant: receipt.Merchant{Name: d.inForce().Merchant.Name, ID: string(host.MID), Terminal: string(host.TID)}})
	if err != nil {
		d.journal.Record(journal.Event{Code: prompt.StoreDamaged, Level: slog.LevelError, Source: "store", Fields: []journal.Field{journal.Err(err)}})
		d.setFault(prompt.StoreDamaged)
		return terminal.Refuse(ctx, d.board.Board, size, d.file.Lang, prompt.StoreDamaged)
	}
	d.mu.Lock()
	d.term, d.store, d.fault = t, st, code
	d.mu.Unlock()
	if side != nil {
		life, end := context.WithCancel(ctx)
		defer end()
		d.guard(life, t, st, side)
	}
	d.findUpdate(ctx)
	life, end := context.WithCancelCause(ctx)
	defer end(nil)
	d.mu.Lock()
	d.endLife = end
	if d.opened && !opened { // meanwhile
		end(errAgain)
	}
	d.mu.Unlock()
	err = t.Run(life)
	d.mu.Lock()
	d.term, d.store, d.endLife = nil, nil, nil
	d.mu.Unlock()
	if err == nil && ctx.Err() == nil && context.Cause(life) == errAgain {
		return errAgain
	}
	return err
}

// redraw brings the status bar up to date.
func (d *device) redraw() {
	d.mu.Lock()
	t := d.term
	d.mu.Unlock()
	if t != nil {
		t.Redraw()
	}
}

func (d *device) setFault(c prompt.Code) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = c
}

func (d *device) openStore(ctx context.Context) (*store.Store, error) {
	o := store.Opts{Judge: d.judge(), Migrate: d.mayMigrate}
	if d.board.Bench != nil {
		o.FaultFn = d.board.Bench.StoreFault
	}
	return store.Open(d.dbPath(), o)
}

// host turns the acquirer's section into profiles and a line.
func (d *device) host() (hostlink.Profile, txn.Profile, *hostlink.Line, error) {
	f := d.inForce()
	a := f.Acquirer
	if a == nil {
		a = &board.Acquirer{TID: "00000000", MID: "000000000000000"} // Stop has it: nothing is sold
	}
	or := func(s, v string) string {
		if s == "" {
			return v
		}
		return s
	}
	// DE 60 behind type and batch: network code 000, terminal capability 5 or 2,
	// chip condition 0. HOST §1.3.
	p := hostlink.Profile{TID: pos.TerminalID(a.TID), MID: pos.MerchantID(a.MID), KeyForm: a.KeyForm, EncryptTracks: a.EncryptTracks, Tail60: "00050"}
	var err error
	if p.TPDU, err = tpdu.Parse(or(a.TPDU, "6000030000")); err != nil {
		return p, txn.Profile{}, nil, err
	}
	if p.Header, err = iso8583.ParseHeader(or(a.Header, "603100310000")); err != nil {
		return p, txn.Profile{}, nil, err
	}
	if len(p.TID) != 8 || len(p.MID) != 15 { // the file is wrong about them, Stop has it
		p.TID, p.MID = "00000000", "000000000000000"
	}
	var hosts []hostlink.Host
	for _, h := range f.Hosts() {
		hosts = append(hosts, hostlink.Host{Name: or(h.Name, h.Address), Address: h.Address})
	}
	line, err := hostlink.New(hostlink.Opts{Clock: d.board.Clock, Links: d.board.Links, Hosts: hosts, Profile: p,
		Signer: keys.Signer{Keys: d.board.Keys, Alg: keys.MACAlg(a.MAC)}, Notice: d.notice, AnswerTimeout: a.AnswerTimeout.Duration, DialTimeout: a.DialTimeout.Duration, IdleClose: a.IdleClose.Duration})
	if err != nil {
		return p, txn.Profile{}, nil, err
	}
	t := txn.Profile{Context: or(a.Context, "a"), Currency: pos.CNY, MaxAmount: 99_999_999, SettleAfter: 90 * time.Second, MaxOpen: 3,
		CardTimeout: time.Minute, ConfirmTime: 30 * time.Second, PINTimeout: time.Minute, PINPad: d.board.PINPad != nil, Printer: d.board.Printer != nil, Slot: d.board.Chip != nil,
		Staff: len(d.staff()), Duty: txn.Duty{Settle: 48 * time.Hour, Grace: 5 * 24 * time.Hour}, NoMAC: a.NoMAC, NoMACDeclines: a.NoMACDeclines, Tail60: p.Tail60, Lang: or(d.file.Lang, "zh")}
	if c := d.file.ICC; c != nil {
		t.Fallback = c.Fallback
	}
	set := func(dst *time.Duration, v board.Duration) {
		if v.Duration > 0 {
			*dst = v.Duration
		}
	}
	set(&t.SettleAfter, a.SettleAfter)
	set(&t.CardTimeout, a.CardTimeout)
	set(&t.ConfirmTime, a.ConfirmTime)
	set(&t.PINTimeout, a.PINTimeout)
	if o := a.Offline; o != nil {
		each, err1 := pos.ParseAmount(o.Each)
		total, err2 := pos.ParseAmount(o.Total)
		if err1 == nil && err2 == nil { // the file's reader has said what is wrong
			t.Offline = txn.Offline{Each: each.Minor, Total: total.Minor, Count: o.Count, Age: o.Age.Duration}
		}
	}
	if a.KeyForm == keys.FormSM4 {
		t.PINPad = false // a PIN block of SM4 has 16 bytes, DE 52 has 8: ADR 0022
	}
	t.LogUpload, t.LogOrder = d.file.Log.Upload, d.file.Log.Upload && d.file.Log.UploadOrder
	t.NoBypass = a.PINBypass != nil && !*a.PINBypass
	if a.MaxOpen != nil {
		t.MaxOpen = *a.MaxOpen
	}
	if m, err := pos.ParseAmount(a.MaxAmount); err == nil && a.MaxAmount != "" {
		t.MaxAmount = m.Minor
	}
	return p, t, line, nil
}

// notice puts what the line says into the log.
func (d *device) notice(n hostlink.Notice) {
	d.mu.Lock()
	t := d.term
	d.mu.Unlock()
	if t != nil {
		t.HearLine(n)
	}
	lvl := slog.LevelInfo
	if n.Err != nil || n.Code == prompt.LogBadAnswer {
		lvl = slog.LevelWarn
	}
	fields := []journal.Field{journal.Word("what", n.What)}
	if n.Field > 0 {
		fields = append(fields, journal.Count("field", n.Field), journal.Word("name", iso8583.UnionPay.Name(n.Field)))
	}
	if n.Again > 0 {
		fields = append(fields, journal.Count("again", n.Again), journal.Count("segments", n.Sent))
	}
	if n.Err != nil {
		fields = append(fields, journal.Err(n.Err))
	}
	d.journal.Record(journal.Event{Code: n.Code, Level: lvl, Source: "hostlink", Fields: fields})
	if n.Code == prompt.LogLink {
		d.noteLink(n)
	}
}

// linkState is the last word on one link.
type linkState struct{ state string }

func (d *device) noteLink(n hostlink.Notice) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.links == nil {
		d.links = map[string]linkState{}
	}
	for _, l := range d.board.Links {
		if strings.Contains(n.What, l.Name) {
			st := "idle"
			switch {
			case strings.HasPrefix(n.What, "up"):
				st = "open"
			case strings.HasPrefix(n.What, "dial failed"):
				st = "failed"
			}
			d.links[l.Name] = linkState{st}
		}
	}
}

// lateJournal keeps what links say before the journal is open.
type lateJournal struct {
	mu   sync.Mutex
	j    *journal.Journal
	kept [][2]string
	then func() // after each: the status bar may have changed
}

func (l *lateJournal) event(device, what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.j == nil {
		l.kept = append(l.kept, [2]string{device, what})
		return
	}
	l.record(device, what)
	if l.then != nil {
		go l.then()
	}
}

func (l *lateJournal) open(j *journal.Journal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.j = j
	for _, k := range l.kept {
		l.record(k[0], k[1])
	}
	l.kept = nil
}

func (l *lateJournal) record(device, what string) {
	l.j.Record(journal.Event{Code: prompt.LogLink, Source: device, Fields: []journal.Field{journal.Word("what", what)}})
}

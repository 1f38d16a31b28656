package terminal

import (
	"context"
	"image"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"swipewell/firmware/care"
	"swipewell/firmware/pos"
	"swipewell/firmware/store"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/prompt"
	"swipewell/ui/screen"
	"swipewell/ui/text"
)

// draw shows the state if what it says has changed.
func (t *Terminal) draw() { t.show(t.state) }

func (t *Terminal) show(s txn.State) {
	v := t.viewOf(s)
	if t.drawn && v == t.view || t.board.Display == nil {
		return
	}
	t.view, t.drawn = v, true
	f := screen.Render(v, t.o.Size)
	if c, ok := t.board.Display.(hal.Captioner); ok {
		c.Caption(hal.Caption{Code: string(v.Code), Input: v.Input, Lang: string(v.Lang), Secret: secret(s), Lines: f.Lines})
	}
	if err := t.board.Display.Draw(t.board.Display.Bounds(), f.Image, image.Point{}); err != nil {
		t.o.Log.Warn("display", "err", err)
	}
	t.showLamps(s)
}

// viewOf says in the words of ui what the state shows.
func (t *Terminal) viewOf(s txn.State) screen.View {
	v := screen.View{Lang: screen.Lang(s.Durable.Lang), Code: s.Code, Args: s.Args, Input: input(s)}
	v.Note, v.NoteArgs = t.notice(s)
	if v.Lang == "" {
		v.Lang = screen.ZH
	}
	switch s.Phase {
	case txn.Keying:
		v.Typed = pos.Fen(s.Keyed).String()
	case txn.EnteringPIN:
		v.Args.N = s.PINLen
	case txn.Entering:
		v.Typed = s.Typed
	case txn.InMenu:
		v.Menu = txn.MenuItems(s.Menu)
		v.Sel = s.Sel
	case txn.Choosing:
		v.Menu, v.Sel = s.Choices(), s.Sel
	case txn.Stopped:
		v.Args.Left = txn.Countdown(s.Left(t.now().Logical))
	case txn.Loading:
		v.Args = t.loading(s)
	case txn.Typing:
		v.Typed = strings.Repeat("*", s.Args.N)
	case txn.Naming:
		v.Typed = ""
		if n := s.Name.Number; n > 0 && s.Code == prompt.NameNumber {
			v.Typed = strconv.Itoa(n)
		}
		v.Args.N = s.Name.Digits
	case txn.Paging:
		v.Page, v.Line, v.Grid = t.page(s), s.Line, t.grid(s)
	case txn.Picking:
		v.Page = t.apps(s.Sel)
	case txn.Halted:
		v.Page, v.Line = t.openMoney(s), s.Line
	}
	if s.Help {
		v.Page, v.Line, v.Help, v.Input = t.helpPage(s), s.Line, true, "page"
		v.Guide = t.helpID(s) == "help/guide"
	}
	v.Status = screen.Status{Bars: -1, Bench: t.board.Bench != nil && !t.o.Train, Train: t.o.Train, Clock: t.clock.Now().Wall.In(pos.CST).Format("15:04")}
	now := t.now().Logical
	f := t.box.Facts(now, 0)
	v.Status.Queue = f.Open + f.SAF.Count + f.Refused
	if f.SAF.Count > 0 {
		v.Status.Offline = screen.Offline{Sum: pos.Fen(f.SAF.Sum).String(), Hours: int((now - f.Oldest) / time.Hour)}
	}
	for _, l := range t.board.Links {
		if sig, ok := l.Dialer.(hal.Signaler); ok {
			v.Status.Bars = sig.Signal().Bars()
			break
		}
	}
	return v
}

// input is what the device waits for, in the words of hal.Caption.
func input(s txn.State) string {
	switch s.Phase {
	case txn.Ready, txn.Keying:
		return "amount"
	case txn.Entering:
		return "number"
	case txn.AwaitCard, txn.Stopped:
		return "card"
	case txn.Choosing:
		if s.Stop.Viewed {
			return "ack"
		}
		return "choice"
	case txn.Naming:
		if s.Code == prompt.NameToken {
			return "token"
		}
		return "name"
	case txn.Typing:
		return "typing"
	case txn.Paging:
		return "page"
	case txn.Picking:
		return "app"
	case txn.Loading:
		if s.Custody.Step == 0 {
			return "part"
		}
		return "ack"
	case txn.Confirming:
		return "confirm"
	case txn.EnteringPIN:
		return "pin"
	case txn.InMenu:
		return "menu"
	case txn.Result:
		return "ack"
	}
	return "none"
}

// secret tells whether what is keyed now is not to be seen, nor kept by whoever
// carries the keys.
func secret(s txn.State) bool {
	switch s.Phase {
	case txn.EnteringPIN, txn.Typing:
		return true
	case txn.Naming:
		return s.Code == prompt.NamePIN
	case txn.Loading:
		return s.Code == prompt.KeyPart
	}
	return false
}

// helpID is the help page of what the screen says; a rule's or a cause's note is
// what a person asks about.
func (t *Terminal) helpID(s txn.State) string {
	c := s.Code
	if n := string(s.Note); strings.HasPrefix(n, "T-") || strings.HasPrefix(n, "C-") {
		c = s.Note
	}
	e, _ := prompt.Lookup(c)
	return e.Help
}

// openMoney lists, on a terminal that is out of use, what people have to settle.
func (t *Terminal) openMoney(s txn.State) string {
	if s.Code != prompt.TamperOpen {
		return ""
	}
	var lines []care.Line
	for _, r := range t.box.All() {
		if !store.Imaged(r.Class) {
			continue
		}
		key := "tamper.row"
		if t.bare[store.RecordKey{Class: r.Class, ID: r.RecordID}] {
			key = "tamper.bare"
		}
		lines = append(lines, care.Line{Key: key, A: []string{r.STAN.String(), r.Amount.String(), string(r.Masked)}})
	}
	if len(lines) == 0 {
		return ""
	}
	lines = append([]care.Line{{Key: "tamper.head", A: []string{strconv.Itoa(len(lines))}}}, lines...)
	return t.words(string(s.Durable.Lang), append(lines, care.Line{Key: "tamper.next"}))
}

func (t *Terminal) helpPage(s txn.State) string { return text.Help(s.Durable.Lang, t.helpID(s)) }

// scroll is how far what is on the screen can be scrolled.
func (t *Terminal) scroll() int {
	switch s := t.state; {
	case s.Help:
		return t.o.Size.Scroll(t.helpPage(s))
	case s.Phase == txn.Paging:
		return t.o.Size.Scroll(t.page(s))
	case s.Phase == txn.Halted:
		return t.o.Size.Scroll(t.openMoney(s))
	}
	return 0
}

// countdown draws again at each second for as long as one runs.
func (t *Terminal) countdown() {
	if t.stopSec != nil {
		t.stopSec()
		t.stopSec = nil
	}
	left := t.state.Left(t.now().Logical)
	if left <= 0 || t.err != nil {
		return
	}
	to := left % time.Second
	if to == 0 {
		to = time.Second
	}
	t.stopSec = t.clock.AfterFunc(to, func() {
		t.post(func() {
			t.draw()
			t.countdown()
		})
	})
}

// showLamps: ready, busy and alarm say at a distance what the screen says.
func (t *Terminal) showLamps(s txn.State) {
	if t.board.Lamps == nil {
		return
	}
	want := map[string]hal.LampState{"ready": hal.LampOff, "busy": hal.LampOff, "alarm": hal.LampOff}
	switch s.Phase {
	case txn.Preparing, txn.Online, txn.Busy, txn.Settling, txn.Looking, txn.Reading, txn.Fetching:
		want["busy"] = hal.LampBlink
	case txn.Halted:
		want["alarm"] = hal.LampOn
	default:
		want["ready"] = hal.LampOn
	}
	if e, ok := prompt.Lookup(s.Code); ok && e.Severity == prompt.Critical {
		want["alarm"] = hal.LampOn
	}
	for name, st := range want {
		if was, ok := t.lamps[name]; !ok || was != st {
			if err := t.board.Lamps.Set(name, st); err == nil {
				t.lamps[name] = st
			}
		}
	}
}

// Redraw shows the state again, if what it says has changed: a signal came or went.
func (t *Terminal) Redraw() { t.post(t.draw) }

// Look runs f in the loop with a copy of the state and of the outbox.
func (t *Terminal) Look(ctx context.Context, f func(s txn.State, outbox []pos.Record)) error {
	var s txn.State
	var rows []pos.Record
	err := t.Do(ctx, func() {
		s = t.state
		rows = t.box.All()
	})
	if err == nil {
		f(s, rows)
	}
	return err
}

// Refuse shows why this device sells nothing, and waits for ctx. Keys change
// the language and nothing else.
func Refuse(ctx context.Context, b *hal.Board, size screen.Size, lang string, code prompt.Code) error {
	t := &Terminal{o: Opts{Board: b, Size: size, Log: slog.New(slog.DiscardHandler)}, board: b, clock: b.Clock, lamps: map[string]hal.LampState{}}
	t.show(txn.State{Durable: txn.Durable{Lang: lang}, Phase: txn.Halted, Code: code})
	if b.Keypad == nil {
		<-ctx.Done()
		return nil
	}
	for {
		k, err := b.Keypad.ReadKey(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		if k == hal.KeyF4 {
			if lang == "en" {
				lang = "zh"
			} else {
				lang = "en"
			}
			t.show(txn.State{Durable: txn.Durable{Lang: lang}, Phase: txn.Halted, Code: code})
		}
	}
}

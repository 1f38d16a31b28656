package flash

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"swipewell/firmware/update"
	"swipewell/firmware/update/bundle"
	"swipewell/firmware/update/flashwire"
	"swipewell/hal"
)

// device is the work at one port.
type device struct {
	o       *Opts
	files   *files
	port    Found
	ceiling int // rates above it have failed here
	res     Result
	show    Progress
	shown   time.Duration
	facts   flashwire.Facts
	met     bool // it has answered once
	phase   Phase
	planned bool
	logged  bool
	began   time.Duration
	moved   time.Duration // when something last went forward
	trial   time.Duration // when the wait for the end of the trial began
	asked   bool          // it was told to start again
	has     bundle.Set    // blocks that it has; nil: not known
	refused bool          // it had none of them in the end
}

// Errors that end a connection and not the work.
var (
	errQuiet = errors.New("flash: the device fell silent")
	errNoisy = errors.New("flash: a third of the frames is lost")
)

// words for a human.
const (
	wordsNoAnswer = "no answer: turn the cable's switch to DEVICE, see that its plug is in the terminal's service socket and the terminal is on"
	wordsPulled   = "the port is gone: plug the cable in again; it goes on where it was"
	wordsQuiet    = "the terminal fell silent: see that the cable is in and the terminal on; it goes on by itself"
	wordsNoisy    = "many frames are lost: trying a lower rate; a shorter cable or another adapter helps"
	wordsSwitch   = "this terminal cannot start again by itself: switch it off and on"
)

func (d *device) now() time.Duration { return d.o.Clock.Now().Boot }

func (d *device) run(ctx context.Context) Result {
	m := d.o.Bundle.Manifest
	d.began = d.now()
	d.moved = d.began
	d.res = Result{Port: d.port.Path, To: m.Version.String(), Sum: hex.EncodeToString(m.Sum[:]), Image: m.Size, Baud: d.o.Safe}
	d.show = Progress{Port: d.port.Path, Stage: Looking, Baud: d.o.Safe}
	d.say(Looking, "")
	err := d.connections(ctx)
	d.res.Seconds = (d.now() - d.began).Seconds()
	switch {
	case ctx.Err() != nil && d.res.Outcome == "":
		d.res.Outcome, d.res.Text, d.res.Hint = Stopped, "stopped", "run the same command again: what the terminal has is kept"
	case err != nil:
		d.failed(err)
	}
	d.show.Words = d.res.Text
	d.say(Ended, d.show.Words)
	return d.res
}

func (d *device) failed(err error) {
	var r *update.Refusal
	var t *flashwire.Trouble
	switch {
	case errors.As(err, &r):
		d.res.Outcome, d.res.Code, d.res.Text, d.res.Hint = Refused, r.Code(), r.Reason.String()+": "+r.Detail, r.Hint()
	case errors.As(err, &t):
		d.res.Outcome = Refused
		d.res.troubled(err)
	case errors.Is(err, ErrBusy):
		d.res.Outcome, d.res.Text, d.res.Hint = NoDevice, "another program has the port", "end the terminal program or the other postool that uses it"
	case !d.met:
		d.res.Outcome, d.res.Text, d.res.Hint = NoDevice, "nobody answers at "+d.port.Path, wordsNoAnswer
		if !errors.Is(err, errQuiet) && !errors.Is(err, errGone) && !errors.Is(err, flashwire.ErrSilent) {
			d.res.Text, d.res.Hint = "the port cannot be opened: "+err.Error(), "see that the adapter is plugged in, and that you may use it (group dialout)"
		}
	case d.phase != Transfer:
		d.res.Outcome, d.res.Text, d.res.Hint = Unconfirmed, "the end of the trial was not seen", "leave the terminal on: it confirms or rolls back by itself; ask again with --dry-run"
	default:
		d.res.Outcome, d.res.Text, d.res.Hint = LineFailed, "the line fails: "+err.Error(), "try another cable or adapter, or --baud 115200; what the terminal has is kept"
	}
}

// say shows a stage.
func (d *device) say(s Stage, words string) {
	d.show.Stage, d.show.Words = s, words
	d.shown = d.now()
	d.o.Show(d.show)
}

// connections works through one connection after the other: a port that went away
// or a device that fell silent is waited for, as long as patience lasts.
func (d *device) connections(ctx context.Context) error {
	for {
		l, err := d.open(ctx)
		if err != nil {
			return err
		}
		err = d.connection(ctx, l)
		for err != nil && ctx.Err() == nil && (errors.Is(err, errQuiet) || errors.Is(err, errNoisy) || errors.Is(err, flashwire.ErrSilent) || errors.Is(err, flashwire.ErrStalled)) {
			if !d.waits() {
				break
			}
			d.res.Breaks++
			words := wordsQuiet
			if errors.Is(err, errNoisy) {
				words = wordsNoisy
			}
			d.say(Waiting, words)
			l.rest(ctx, d.o.Safe)
			err = d.connection(ctx, l)
		}
		if !errors.Is(err, errGone) {
			last := context.WithoutCancel(ctx)
			l.rest(last, d.o.Safe)
			if d.logged && d.o.Logout != nil && d.phase != Await {
				l.detach()
				_ = d.o.Logout(last, l.p)
			}
		}
		l.close()
		if !errors.Is(err, errGone) || ctx.Err() != nil {
			return err
		}
		if !d.waits() {
			return err
		}
		d.res.Breaks++
		d.say(Waiting, wordsPulled)
	}
}

// waits tells whether what is away is waited for still.
func (d *device) waits() bool {
	limit := d.o.Patience
	switch {
	case !d.met:
		limit = d.o.First
	case d.phase != Transfer:
		return d.now() < d.trial+d.o.Confirm
	}
	return d.now() < d.moved+limit
}

// lookAgain is how often a port that is away is looked for.
const lookAgain = 250 * time.Millisecond

func (d *device) open(ctx context.Context) (*link, error) {
	for {
		p, err := d.o.Open(d.port.Path, d.o.Safe)
		if err == nil {
			if d.o.Login != nil && !d.logged {
				if err := d.o.Login(ctx, p); err != nil {
					p.Close()
					return nil, &flashwire.Trouble{Text: err.Error(), Hint: "see that the key is this terminal's, and " + wordsNoAnswer}
				}
				d.logged = true
			}
			return newLink(ctx, p, d.o.Clock, d.o.Safe), nil
		}
		// A port that was there once, or is not yet, is waited for; one that is
		// there and cannot be opened is a fact.
		if !d.waits() || !d.met && !d.o.Gone(d.port.Path) {
			return nil, err
		}
		if !d.met {
			d.say(Waiting, d.port.Path+" is not there: plug the cable in")
		}
		if err := hal.Sleep(ctx, d.o.Clock, lookAgain); err != nil {
			return nil, err
		}
	}
}

// connection goes on with the work where it is. A refusal is noted at the device
// too: somebody was there.
func (d *device) connection(ctx context.Context, l *link) error {
	defer d.tally(l)
	err := d.work(ctx, l)
	var r *update.Refusal
	var t *flashwire.Trouble
	if !d.o.DryRun && d.met && ctx.Err() == nil && (errors.As(err, &r) || errors.As(err, &t)) {
		d.failed(err)
		return d.note(ctx, l)
	}
	return err
}

// tally adds what has left over this link.
func (d *device) tally(l *link) {
	d.res.Line += l.Bytes
	l.Bytes = 0
}

func (d *device) work(ctx context.Context, l *link) error {
	if err := d.hello(ctx, l); err != nil {
		return err
	}
	if d.phase == Transfer {
		if err := d.blocks(ctx, l); err != nil {
			return err
		}
		if err := d.plan(); err != nil {
			return err
		}
		if d.o.DryRun {
			d.dry()
			return nil
		}
	}
	if d.phase == Transfer {
		err := d.transfer(ctx, l)
		var t *flashwire.Trouble
		if errors.As(err, &t) && t.Code == update.NoBase.Code() && d.has != nil {
			// What it said of its blocks was a hint, and wrong: the other ways are left.
			d.has, d.refused, d.planned = nil, true, false
			if err = d.plan(); err == nil {
				err = d.transfer(ctx, l)
			}
		}
		if err != nil {
			return err
		}
		d.res.Transfer = (d.now() - d.began).Seconds()
		d.phase, d.moved = Begin, d.now()
	}
	if d.phase == Over {
		d.res.Outcome, d.res.Text = UpToDate, "it runs this build already"
		return nil
	}
	if d.trial == 0 {
		d.trial = d.now()
	}
	if d.phase == Begin {
		if err := d.begin(ctx, l); err != nil {
			return err
		}
		d.phase = Await
	}
	if err := d.wait(ctx, l); err != nil {
		return err
	}
	return d.note(ctx, l)
}

func (d *device) hello(ctx context.Context, l *link) error {
	wait := d.o.First
	if d.met {
		wait = max(d.o.First, 2*time.Second)
	}
	a := flashwire.NewHello(wait)
	if err := l.ask(ctx, a); err != nil {
		return err
	}
	if f := a.Facts; d.met && d.res.Serial != f.Serial {
		return &flashwire.Trouble{Text: fmt.Sprintf("another terminal answers now: %s, and this run began with %s", f.Serial, d.res.Serial), Hint: "run the command again for this one"}
	}
	d.learn(a.Facts)
	return nil
}

func (d *device) learn(f flashwire.Facts) {
	if !d.met {
		d.met, d.moved = true, d.now()
		d.res.Board, d.res.Serial, d.res.From = f.Board, f.Serial, f.Version
		d.show.Name = f.Serial
	}
	d.facts = f
}

// blocks asks which blocks the device has, if that may save something. Silence is
// no news: what it said before holds still, since its slots only come nearer to the
// new build.
func (d *device) blocks(ctx context.Context, l *link) error {
	if d.refused || !Asks(d.o.Bundle, d.facts) {
		return nil
	}
	a := flashwire.NewAskBlocks(d.o.Bundle.Manifest)
	if err := l.play(ctx, a, a.Done, nil); err != nil {
		return err
	}
	if s := a.Set(); s != nil {
		d.has = s
	}
	return nil
}

// plan says what is to be done; the first one counts for the report.
func (d *device) plan() error {
	p, err := For(d.o.Bundle, d.facts, d.has)
	if err != nil {
		return err
	}
	d.phase = p.Phase
	if !d.planned {
		d.planned = true
		d.res.Sent, d.res.Bytes = p.Sent, p.Bytes
		d.show.All, d.show.Saved = p.Bytes, d.o.Bundle.Manifest.Size-p.Bytes
	}
	return nil
}

func (d *device) dry() {
	d.res.Outcome = WouldSend
	switch d.phase {
	case Over:
		d.res.Outcome, d.res.Text = UpToDate, "it runs this build already"
	case Begin:
		d.res.Text = "it has this build on trial from the next start on"
	case Await:
		d.res.Text = "it runs this build on trial"
	default:
		d.res.Text = fmt.Sprintf("would send %s, %d bytes", d.res.Sent, d.res.Bytes)
	}
}

// offers are the rates worth a try, from fast to slow.
func (d *device) offers() []int {
	var o []int
	for _, r := range Rates {
		if r <= d.ceiling && r > d.o.Safe && slices.Contains(d.facts.Rates, r) {
			o = append(o, r)
		}
	}
	return o
}

// worth is how long a transfer must take at the safe rate that a higher one is
// asked for.
const worth = time.Second

func (d *device) transfer(ctx context.Context, l *link) error {
	d.say(Sending, "")
	if o := d.offers(); len(o) > 0 && time.Duration(d.res.Bytes)*l.perByte() > worth {
		if err := l.negotiate(ctx, o); err != nil {
			return err
		}
	}
	d.res.Baud, d.show.Baud = l.baud, l.baud
	h := &flashwire.Host{PerFrame: frameBytes * l.perByte(), Choose: func(f flashwire.Facts) (io.ReaderAt, int64, bundle.Sum, error) {
		p, err := For(d.o.Bundle, f, d.has)
		if err != nil || p.Payload < 0 {
			return nil, 0, bundle.Sum{}, err
		}
		r, size, sum := d.files.of(p)
		return r, size, sum, nil
	}}
	w := &watch{d: d, l: l, h: h, moved: d.now()}
	err := l.play(ctx, h, h.Done, w.each)
	w.count()
	return err
}

// watch looks at a transfer: what it has come to, and whether it still goes on.
type watch struct {
	d      *device
	l      *link
	h      *flashwire.Host
	s      *flashwire.Sender // whose numbers these are
	acked  int64
	over   bool // all is acknowledged, and counted
	moved  time.Duration
	began  time.Duration
	block  int64 // of Bytes, where the count of losses began
	blocks int   // of Resent
}

// quiet is how long an acknowledgement may be away: two of them, and some frames
// that are hit, and a device whose disk is slow.
func (w *watch) quiet() time.Duration {
	return 40*frameBytes*w.l.perByte() + 2500*time.Millisecond
}

// lossy is the share of frames lost above which the next lower rate is faster,
// counted over so many frames.
const (
	lossyFrames = 128
	lossyShare  = 3 // one of three
)

// count adds what the sender had to repeat.
func (w *watch) count() {
	if w.s == nil {
		return
	}
	w.d.res.Again += w.s.Resent
	w.s = nil
}

func (w *watch) each(now time.Duration) error {
	d, s := w.d, w.h.Sender()
	if s == nil {
		return nil
	}
	if s != w.s {
		w.count()
		*w = watch{d: d, l: w.l, h: w.h, s: s, acked: s.Acked(), moved: now, began: now}
		d.show.Kept = w.h.Started
	}
	if a := s.Acked(); a != w.acked {
		w.acked, w.moved, d.moved = a, now, now
		d.show.Have = a
	}
	switch {
	case s.Sent():
		// The last frame is acknowledged once the device has installed the whole.
		d.moved = now
		if !w.over {
			w.over = true
			d.show.ETA = 0
			d.say(Installing, "")
		}
		return nil
	case now > w.moved+w.quiet():
		if w.acked-w.h.Started < 256<<10 {
			d.lower(w.l.baud)
		}
		return errQuiet
	case s.Bytes-w.block > lossyFrames*frameBytes:
		lost := s.Resent - w.blocks
		w.block, w.blocks = s.Bytes, s.Resent
		if lost > lossyFrames/lossyShare && d.lower(w.l.baud) {
			return errNoisy
		}
	}
	if now > d.shown+100*time.Millisecond {
		if came, took := w.acked-w.h.Started, (now - w.began).Seconds(); came > 0 && took > 0 {
			d.show.Rate = float64(came) / took
			d.show.ETA = time.Duration(float64(d.show.All-w.acked) / d.show.Rate * float64(time.Second))
		}
		d.say(Sending, "")
	}
	return nil
}

// lower keeps the next negotiation below a rate; false at the safe one, below which
// nothing is.
func (d *device) lower(baud int) bool {
	if baud <= d.o.Safe {
		return false
	}
	d.ceiling = baud - 1
	return true
}

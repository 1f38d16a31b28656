package terminal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"swipewell/firmware/care"
	"swipewell/firmware/hostlink"
	"swipewell/firmware/journal"
	"swipewell/firmware/pos"
	"swipewell/firmware/txn"
	"swipewell/ui/prompt"
)

// Uplink is the place beside the store where a piece of the log lies until the host has it. Make
// is called beside the loop, the others in it.
type Uplink struct {
	Make func(f journal.Filter) (size int, err error) // in the place of what was there; whole and durable when it returns
	Sum  func() (size int, sum uint32, err error)     // CRC-32 (IEEE 802.3) of what is there
	Read func(off int64, b []byte) (int, error)
	Drop func()
}

// logAnswer is how long a piece's answer is waited for: its loss costs nothing.
const logAnswer = 15 * time.Second

// logLast is how many of the last entries go when nobody says which.
const logLast = 200

// logSend is the piece that is under way.
type logSend struct {
	making bool
	failed error   // of the last preparation
	known  *uint32 // the sum of what lies there, once it was looked at
	at     *logTry
}

// logTry is one try of it. A message that has not left need not; one that has left is not
// waited for.
type logTry struct {
	stopped, sent atomic.Bool
	cancel        context.CancelFunc
}

func (s *logSend) stop() {
	if a := s.at; a != nil {
		if a.stopped.Store(true); a.sent.Load() {
			a.cancel()
		}
	}
}

func (a *logTry) left() {
	if a.sent.Store(true); a.stopped.Load() {
		a.cancel()
	}
}

// sendLog sends a piece of what lies there, if that is still what the run is of.
func (t *Terminal) sendLog(x txn.SendLog) {
	b, err := t.logPiece(x.Run)
	req := hostlink.Unpackable(err)
	if err == nil {
		req = t.o.Line.Log(x.Run, b)
	}
	ctx, cancel := context.WithCancel(t.ctx)
	a := &logTry{cancel: cancel}
	t.logSend.at = a
	req.Timeout, req.Waiting, req.Still = logAnswer, a.left, func() bool { return !a.stopped.Load() }
	t.point("log:" + strconv.Itoa(x.Run.Done+1))
	t.exchangeIn(ctx, pos.RecordID{}, req, func(r hostlink.Reply) {
		cancel()
		if t.logSend.at == a {
			t.logSend.at = nil
		}
		t.handle(txn.Event{Kind: txn.LogDone, N: x.Gen, Reply: t.reply(r)})
	})
}

var errUplink = errors.New("terminal: what was to go to the host is not there any more")

func (t *Terminal) logPiece(run txn.LogRun) ([]byte, error) {
	u := t.o.Care.Uplink
	if u == nil {
		return nil, errUplink
	}
	if t.logSend.known == nil {
		_, sum, err := u.Sum()
		if err != nil {
			return nil, errors.Join(errUplink, err)
		}
		t.logSend.known = &sum
	}
	if *t.logSend.known != run.Sum {
		return nil, errUplink
	}
	b := make([]byte, hostlink.LogPiece)
	n, err := u.Read(int64(run.Done)*hostlink.LogPiece, b)
	if err == nil && n == 0 {
		err = errUplink
	}
	return b[:n], err
}

func (t *Terminal) dropLog() {
	t.logSend.known = nil
	if u := t.o.Care.Uplink; u != nil && !t.logSend.making {
		u.Drop()
	}
}

// Why a log does not go.
var (
	ErrNoUplink   = errors.New("the board file does not let the log go to the host ([log] upload)")
	ErrUplinkBusy = errors.New("a piece of the log is on its way already")
)

// LogUpload is how far the log is on its way.
type LogUpload struct {
	What   string      `json:"what,omitempty"`
	Pieces int         `json:"pieces"` // 0: nothing is on its way
	Done   int         `json:"done"`
	Tries  int         `json:"tries,omitempty"` // in vain, since the last piece
	Making bool        `json:"making,omitempty"`
	Said   prompt.Code `json:"said,omitempty"` // of the last one
}

// LogUpload tells how far the log is; for the loop.
func (t *Terminal) LogUpload() LogUpload {
	l := t.state.Durable.Log
	return LogUpload{What: l.What, Pieces: l.Of, Done: l.Done, Tries: l.Tries, Making: t.logSend.making, Said: t.state.LogSaid}
}

// UploadLog begins to send a piece of the log to the host: of one transaction, or the last entries; for
// the loop. done is called in it when the piece lies ready, or with why it does not; it may be nil.
func (t *Terminal) UploadLog(f journal.Filter, by int, done func(error)) error {
	u := t.o.Care.Uplink
	switch {
	case u == nil || !t.state.Profile.LogUpload || t.o.Train:
		return ErrNoUplink
	case t.logSend.making || t.state.Durable.Log.Of != 0:
		return ErrUplinkBusy
	}
	what := "tx " + f.Tx
	if f.Tx == "" {
		if f.Last <= 0 {
			f.Last = logLast
		}
		what = "last " + strconv.Itoa(f.Last)
	}
	t.logSend.making, t.logSend.known, t.logSend.failed = true, nil, nil
	t.o.Spawn(func() {
		var sum uint32
		size, err := u.Make(f)
		if err == nil {
			_, sum, err = u.Sum()
		}
		there := t.post(func() {
			t.logSend.making, t.logSend.failed = false, err
			if err == nil {
				t.handle(txn.Event{Kind: txn.LogReady, Log: txn.LogRun{Sum: sum, Of: (size + hostlink.LogPiece - 1) / hostlink.LogPiece, By: by, What: what}})
			} else {
				t.o.Journal.Record(journal.Event{Code: prompt.LogUpload, Level: slog.LevelWarn, Source: "log", Fields: []journal.Field{journal.Word("what", what), journal.Err(err)}})
			}
			if done != nil {
				done(err)
			}
			t.draw()
		})
		if !there && done != nil { // this life of the terminal is over
			done(context.Canceled)
		}
	})
	return nil
}

// noteUpload says who asked; that one is on its way already the page says.
func (t *Terminal) noteUpload(err error) {
	if !errors.Is(err, ErrNoUplink) {
		t.noteOut("upload", t.care.logOut.by, err, 0)
	}
}

// orderedLog is the host's wish.
func (t *Terminal) orderedLog() {
	if err := t.UploadLog(journal.Filter{Last: logLast}, 0, nil); err != nil {
		t.o.Log.Warn("log upload", "err", fmt.Errorf("ordered by the host: %w", err))
	}
}

// uploadLines are those of the page that concern the way to the host.
func (t *Terminal) uploadLines() []care.Line {
	if t.o.Care.Uplink == nil || !t.state.Profile.LogUpload {
		return nil
	}
	a := t.state.LogArgs
	l := t.state.Durable.Log
	n, of := strconv.Itoa(a.N), strconv.Itoa(a.Seconds)
	switch s := t.state.LogSaid; {
	case t.logSend.making:
		return []care.Line{{Key: "logout.making"}}
	case l.Of != 0:
		return []care.Line{{Key: "logout.sending", A: []string{strconv.Itoa(l.Done), strconv.Itoa(l.Of)}}}
	case t.logSend.failed != nil:
		return []care.Line{{Key: "logout.unmade", A: []string{journal.Sieve(t.logSend.failed.Error())}}, {Key: "logout.send"}}
	case s == prompt.UploadDone:
		return []care.Line{{Key: "logout.sent", A: []string{of}}, {Key: "logout.send"}}
	case s == prompt.UploadRefused:
		return []care.Line{{Key: "logout.refused", A: []string{a.RC}}, {Key: "logout.send"}}
	case s == prompt.UploadGivenUp:
		return []care.Line{{Key: "logout.givenup", A: []string{n, of}}, {Key: "logout.send"}}
	}
	return []care.Line{{Key: "logout.send"}}
}

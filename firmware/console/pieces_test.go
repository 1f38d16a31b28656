package console

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"swipewell/firmware/journal"
	"swipewell/firmware/journal/export"
	"swipewell/firmware/journal/fetch"
	"swipewell/firmware/journal/seal"
	"swipewell/firmware/journal/verify"
	"swipewell/ui/prompt"
)

// farEnd is the other end of a test's cable, with noise in what comes from the device.
type farEnd struct {
	c     *cable
	at    int
	noise func(b []byte)
	lines int
}

func (f *farEnd) Write(b []byte) (int, error) {
	f.lines++
	f.c.in <- append([]byte(nil), b...)
	return len(b), nil
}

func (f *farEnd) Read(b []byte) (int, error) {
	for range 100 {
		f.c.mu.Lock()
		n := copy(b, f.c.out.String()[f.at:])
		f.c.mu.Unlock()
		if n > 0 {
			f.at += n
			if f.noise != nil {
				f.noise(b[:n])
			}
			return n, nil
		}
		time.Sleep(time.Millisecond)
	}
	return 0, os.ErrDeadlineExceeded
}

// The log goes over a cable with noise: what arrives is whole and proven, and an export that
// was interrupted goes on.
func TestLogOverTheCable(t *testing.T) {
	d, priv := newLogins(t)
	for i := range 3000 {
		d.log.Record(journal.Event{Code: prompt.LogOutcome, Tx: "cup-000001-000001", Fields: []journal.Field{journal.Count("n", i*7919+1)}})
		if i%300 == 299 {
			d.log.Sync(false)
		}
	}
	f := &farEnd{c: d.cable}
	c := NewCable(f)
	if err := c.Login(t.Context(), Technician, priv); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 7))
	hits := 0
	f.noise = func(b []byte) {
		for i := range b {
			if r.IntN(4000) == 0 {
				b[i] ^= 1 << r.IntN(7)
				hits++
			}
		}
	}
	file := filepath.Join(t.TempDir(), "x.swjx")
	ctx, cancel := context.WithCancel(t.Context())
	err := fetch.Into(ctx, c, file, func(have, kept, all int64) {
		if have > all/2 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	f.c.line(t, "") // the console waits again
	f.c.mu.Lock()
	f.at = f.c.out.Len()
	f.c.mu.Unlock()
	first := int64(-1)
	c = NewCable(f)
	if err := fetch.Into(t.Context(), c, file, func(_, kept, all int64) {
		if first < 0 {
			first = kept * 100 / all
		}
	}); err != nil {
		t.Fatal(err)
	}
	if first < 45 || hits < 5 {
		t.Errorf("%d%% kept, %d hits", first, hits)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	a, err := export.Read(b)
	if err != nil || !a.Whole {
		t.Fatal(err, a.Damage)
	}
	rep, err := verify.Run(a.Source("info", seal.Public{}))
	if err != nil || !rep.Whole() || rep.Entries < 3000 {
		t.Errorf("%+v %v", rep, err)
	}
	f.noise = nil
	if _, err := c.carried(t.Context(), "log piece info/seal.key 0", 0, func([]byte) error { return nil }); err == nil {
		t.Error("the key was given")
	}
}

// What the socket is asked can be asked over a cable with noise; what would change something cannot.
func TestAskOverTheCable(t *testing.T) {
	d, priv := newLogins(t)
	for i := range 400 {
		d.log.Record(journal.Event{Code: prompt.LogOutcome, Tx: "cup-000001-000001", Fields: []journal.Field{journal.Count("n", i*7919+1)}})
	}
	d.log.Sync(false)
	f := &farEnd{c: d.cable}
	c := NewCable(f)
	ask := func(q Request) (es []journal.Entry, err error) {
		err = c.Do(t.Context(), q, func(r Reply) error {
			var e journal.Entry
			es = append(es, e)
			return json.Unmarshal(r.Data, &es[len(es)-1])
		})
		return es, err
	}
	if _, err := ask(Request{Cmd: "log"}); err == nil {
		t.Fatal("nobody has logged in")
	}
	if err := c.Login(t.Context(), Technician, priv); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 9))
	hits := 0
	f.noise = func(b []byte) {
		for i := range b {
			if r.IntN(1500) == 0 {
				b[i] ^= 1 << r.IntN(7)
				hits++
			}
		}
	}
	es, err := ask(Request{Cmd: "log", Filter: journal.Filter{Code: prompt.LogOutcome}})
	if err != nil || len(es) != 400 || hits < 3 {
		t.Fatal(len(es), hits, err)
	}
	for i, e := range es {
		if i > 0 && e.Seq != es[i-1].Seq+1 {
			t.Fatalf("entry %d behind %d", e.Seq, es[i-1].Seq)
		}
	}
	f.noise = nil
	var no *Refused
	if _, err := ask(Request{Cmd: "log", Filter: journal.Filter{Grep: "("}}); !errors.As(err, &no) {
		t.Error(err)
	}
	for _, q := range []Request{{Cmd: "take"}, {Cmd: "log-export"}, {Cmd: "log", Follow: true}} {
		if _, err := ask(q); err == nil || errors.As(err, &no) || !strings.Contains(err.Error(), "not over the cable") {
			t.Errorf("%+v: %v", q, err)
		}
	}
}

// byByte is a UART: what there is of a line is handed over as it comes.
type byByte struct{ *farEnd }

func (f byByte) Read(b []byte) (int, error) { return f.farEnd.Read(b[:min(len(b), 1)]) }

// A line that reads like a prompt so far, as "请用密钥回答: postool answer …" does, is not
// taken for one.
func TestPromptBeginsItsLine(t *testing.T) {
	for _, lang := range []string{"zh", "en"} {
		d, priv := newLogins(t)
		d.opts.Lang = lang
		d.power()
		c := NewCable(byByte{&farEnd{c: d.cable}})
		for range 2 {
			if err := c.Login(t.Context(), Technician, priv); err != nil {
				t.Fatal(lang, err)
			}
			if err := c.Do(t.Context(), Request{Cmd: "log", Filter: journal.Filter{Last: 1}}, func(Reply) error { return nil }); err != nil {
				t.Fatal(lang, err)
			}
			if err := c.Logout(t.Context()); err != nil {
				t.Fatal(lang, err)
			}
		}
	}
}

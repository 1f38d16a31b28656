package hostlink_test

import (
	"context"
	"encoding/hex"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"swipewell/drivers/softkeys"
	"swipewell/drivers/tcp"
	"swipewell/firmware/card"
	"swipewell/firmware/hostlink"
	"swipewell/firmware/iso8583/tpdu"
	"swipewell/firmware/keys"
	"swipewell/firmware/pos"
	"swipewell/firmware/sim/acquirer"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

type signer struct{ ks hal.KeyStore }

func (s signer) MAC(b []byte) ([8]byte, error)      { return keys.MAC(s.ks, keys.MACECB, b) }
func (s signer) Verify(b, mac []byte) (bool, error) { return keys.Verify(s.ks, keys.MACECB, b, mac) }
func (s signer) PINBlock(d *hal.Secret, p card.PAN) ([8]byte, error) {
	return keys.PINBlock(s.ks, keys.PINFormat0, d, p)
}
func (s signer) EncryptTrack(b []byte) ([]byte, error) { return keys.EncryptTrack(s.ks, b) }

// rig is a line over plain TCP to the simulated acquirer, whose codec, MAC and
// PIN blocks are its own.
type rig struct {
	t       *testing.T
	clock   *hal.SteppedClock
	host    *acquirer.Host
	ks      *softkeys.Store
	line    *hostlink.Line
	notices chan hostlink.Notice
	stan    pos.STAN
}

func newRig(t *testing.T, dial func(hal.Dialer) hal.Dialer) *rig {
	t.Helper()
	r := &rig{t: t, clock: hal.NewSteppedClock(hal.SystemClock{}, time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)), notices: make(chan hostlink.Notice, 100)}
	var err error
	if r.host, err = acquirer.New(acquirer.Opts{Clock: r.clock}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.host.Close() })
	path := filepath.Join(t.TempDir(), "keys")
	tmk, _ := hex.DecodeString(acquirer.BenchTMK)
	if err := softkeys.Provision(path, tmk); err != nil {
		t.Fatal(err)
	}
	if r.ks, err = softkeys.Open(softkeys.Opts{Path: path, Bench: true}); err != nil {
		t.Fatal(err)
	}
	d, err := tcp.New(tcp.Opts{Clock: r.clock})
	if err != nil {
		t.Fatal(err)
	}
	var link hal.Dialer = d
	if dial != nil {
		link = dial(d)
	}
	r.relink([]hal.NamedLink{{Name: "lan", Dialer: link}}, nil)
	return r
}

// relink builds the line anew, over these links and, behind the rig's host,
// these.
func (r *rig) relink(links []hal.NamedLink, more []hostlink.Host) {
	r.t.Helper()
	t := r.t
	if r.line != nil {
		r.line.Close()
	}
	route, err := tpdu.Parse("6000030000")
	if err != nil {
		t.Fatal(err)
	}
	r.line, err = hostlink.New(hostlink.Opts{Clock: r.clock, Links: links, Hosts: append([]hostlink.Host{{Name: "a", Address: r.host.Addr()}}, more...),
		Profile: hostlink.Profile{TID: acquirer.BenchTID, MID: acquirer.BenchMID, TPDU: route, Header: [6]byte{0x60, 0x31, 0, 0x31, 0, 0}, Tail60: "00050"},
		Signer:  signer{r.ks}, Notice: func(n hostlink.Notice) { r.notices <- n }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.line.Close() })
}

// quiet waits until the line has done what a jump of the clock set off.
func (r *rig) quiet() {
	for same, was := 0, r.line.Stir(); same < 20; same++ {
		hal.Sleep(context.Background(), hal.SystemClock{}, time.Millisecond)
		if n := r.line.Stir(); n != was {
			same, was = 0, n
		}
	}
}

func (r *rig) signOn() {
	r.t.Helper()
	r.stan = r.stan.Next()
	rep := r.line.Exchange(r.t.Context(), r.line.SignOn(r.stan))
	if rep.Kind != txn.Answered || rep.Answer.RC != "00" || rep.Answer.Batch == 0 {
		r.t.Fatalf("sign-on: %v %v", rep.Kind, rep.Answer.RC)
	}
	if in, err := keys.LoadSession(r.ks, "003", rep.Answer.Keys); err != nil || in.Kind != keys.KeysTaken {
		r.t.Fatal(in, err)
	}
}

func (r *rig) sale(pin string) (hostlink.TxnData, hostlink.Request) {
	r.t.Helper()
	for _, c := range r.host.Cards() {
		if c.Name != "cup-debit-1" {
			continue
		}
		t2, err := card.ParseTrack2(hal.NewSecret([]byte(c.Track2())))
		if err != nil {
			r.t.Fatal(err)
		}
		r.stan = r.stan.Next()
		s := hostlink.TxnData{Spec: txn.SpecOf(pos.KindSale), ID: pos.RecordID{Context: "a", Batch: 1, STAN: r.stan}, Amount: pos.Fen(1280), Entry: "022", Card: card.Data{PAN: t2.PAN, Expiry: t2.Expiry, Track2: t2}}
		if pin != "" {
			s.PIN, s.Entry = hal.NewSecret([]byte(pin)), "021"
		}
		return s, r.line.Financial(s)
	}
	r.t.Fatal("no card")
	return hostlink.TxnData{}, hostlink.Request{}
}

func TestSaleAndReversal(t *testing.T) {
	r := newRig(t, nil)
	r.signOn()
	for _, pin := range []string{"", "123456"} {
		s, req := r.sale(pin)
		rep := r.line.Exchange(t.Context(), req)
		a := rep.Answer
		if rep.Kind != txn.Answered || a.RC != "00" || a.MAC != txn.MACValid || a.Amount != 1280 || len(a.RRN) != 12 {
			t.Fatalf("sale with %d PIN digits: %v rc %v mac %v", len(pin), rep.Kind, a.RC, a.MAC)
		}
		rev := pos.Record{Class: pos.ClassReversal, Kind: pos.KindSale, RecordID: s.ID, Amount: s.Amount, Process: "000000", Entry: s.Entry, Condition: "00", Type60: "22" + s.ID.Batch.String() + "00050", Reason: "98"}
		for range 2 { // once more changes nothing
			rep = r.line.Exchange(t.Context(), r.line.Record(rev, s.Card.PAN, s.Card.Expiry))
			if rep.Kind != txn.Answered || rep.Answer.RC != "00" || rep.Answer.MAC != txn.MACValid {
				t.Fatalf("reversal: %v %v", rep.Kind, rep.Answer.RC)
			}
		}
	}
	if net := r.host.NetCapture(nil); net.Minor != 0 {
		t.Errorf("net %v", net)
	}
	for _, f := range r.host.Findings() {
		t.Errorf("the host found: %v", f)
	}
	if rep := r.line.Exchange(t.Context(), r.line.Echo()); rep.Kind != txn.Answered || rep.Answer.RC != "00" {
		t.Errorf("echo: %v %v", rep.Kind, rep.Answer.RC)
	}
}

// A codec bug at either end does not pass: the host names it.
func TestTheHostFindsAWrongPIN(t *testing.T) {
	r := newRig(t, nil)
	r.signOn()
	_, req := r.sale("999999")
	if rep := r.line.Exchange(t.Context(), req); rep.Answer.RC != "55" {
		t.Errorf("a wrong PIN: %v", rep.Answer.RC)
	}
}

// Each fault of the host ends as what it is.
func TestBadDays(t *testing.T) {
	for _, c := range []struct {
		command string
		kind    txn.ReplyKind
		mac     txn.MACState
		notice  string
	}{
		{"answer bad-mac", txn.Answered, txn.MACWrong, ""},
		{"answer duplicate", txn.Answered, txn.MACValid, ""},
		{"answer wrong-stan", txn.NoAnswer, "", "STAN differs"},
		{"answer garbage", txn.NoAnswer, "", "does not parse"},
		{"answer lost", txn.NoAnswer, "", ""},
		{"answer silent", txn.NoAnswer, "", ""},
		{"answer late 40s", txn.NoAnswer, "", ""},
		{"answer late 20s", txn.Answered, txn.MACValid, ""},
	} {
		t.Run(c.command, func(t *testing.T) {
			r := newRig(t, nil)
			r.signOn()
			if _, err := r.host.Command(strings.Fields(c.command)...); err != nil {
				t.Fatal(err)
			}
			_, req := r.sale("")
			done := make(chan hostlink.Reply)
			go func() { done <- r.line.Exchange(t.Context(), req) }()
			var rep hostlink.Reply
		wait:
			for {
				select {
				case rep = <-done:
					break wait
				case <-time.After(5 * time.Millisecond):
					r.clock.Jump(time.Second)
				}
			}
			if rep.Kind != c.kind || rep.Answer.MAC != c.mac {
				t.Errorf("%v, MAC %v; want %v, %v", rep.Kind, rep.Answer.MAC, c.kind, c.mac)
			}
			found := c.notice == ""
			for len(r.notices) > 0 {
				n := <-r.notices
				found = found || strings.Contains(n.What, c.notice)
			}
			if !found {
				t.Errorf("no notice %q", c.notice)
			}
		})
	}
}

func TestNothingListens(t *testing.T) {
	r := newRig(t, nil)
	r.signOn()
	r.line.Close()
	r.host.Down()
	_, req := r.sale("")
	if rep := r.line.Exchange(t.Context(), req); rep.Kind != txn.NotSent || rep.Code != prompt.NetHostRefused {
		t.Errorf("%v %v", rep.Kind, rep.Code)
	}
}

// dead is a dialer whose links die at the first write, with n bytes gone.
type dead struct {
	hal.Dialer
	n int
}

func (d dead) Dial(ctx context.Context, addr string) (hal.Link, error) {
	l, err := d.Dialer.Dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	return deadLink{l, d.n}, nil
}

type deadLink struct {
	hal.Link
	n int
}

func (d deadLink) Write(context.Context, []byte) (int, error) {
	return d.n, &hal.LinkError{Cause: hal.CauseClosed, Err: net.ErrClosed}
}

// "Never sent" is known, not guessed: one byte gone makes it unknown.
func TestNeverSentIsKnown(t *testing.T) {
	for n, want := range map[int]txn.ReplyKind{0: txn.NotSent, 1: txn.NoAnswer} {
		r := newRig(t, func(d hal.Dialer) hal.Dialer { return dead{d, n} })
		if rep := r.line.Exchange(t.Context(), r.line.Echo()); rep.Kind != want {
			t.Errorf("%d bytes gone: %v, want %v", n, rep.Kind, want)
		}
	}
}

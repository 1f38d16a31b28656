package hostlink_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"swipewell/firmware/hostlink"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// A piece is heard by its name and number: the answer to another one, late, is none.
func TestLogPiece(t *testing.T) {
	r := newRig(t, nil)
	data := bytes.Repeat([]byte("x"), hostlink.LogPiece)
	run := txn.LogRun{Sum: 0xCAFE0123, Of: 3}
	send := func(n int) hostlink.Reply {
		run.Done = n
		req := r.line.Log(run, data)
		req.Timeout = 5 * time.Second
		return r.line.Exchange(t.Context(), req)
	}
	if a := send(0); a.Kind != txn.Answered || a.Answer.RC != "00" {
		t.Fatalf("%v %v", a.Kind, a.Answer.RC)
	}
	if l := r.host.LogUploads(); len(l) != 1 || l[0].Have != 1 || l[0].Pieces != 3 {
		t.Errorf("%+v", l)
	}
	if a := send(2); a.Kind != txn.Answered {
		t.Errorf("%v", a.Kind)
	}
	// On the way back the third piece's answer becomes the second's: it is none.
	r = newRig(t, func(d hal.Dialer) hal.Dialer { return twisted{d} })
	done := make(chan hostlink.Reply, 1)
	go func() { done <- send(2) }()
	for {
		select {
		case a := <-done:
			if a.Kind != txn.NoAnswer {
				t.Errorf("%v %v: another piece's answer counts", a.Kind, a.Answer.RC)
			}
			return
		case <-time.After(5 * time.Millisecond):
			r.clock.Jump(time.Second)
		}
	}
}

// twisted takes the third piece's answer for the second's.
type twisted struct{ hal.Dialer }

func (d twisted) Dial(ctx context.Context, host string) (hal.Link, error) {
	l, err := d.Dialer.Dial(ctx, host)
	return twist{l}, err
}

type twist struct{ hal.Link }

func (l twist) Read(ctx context.Context, b []byte) (int, error) {
	n, err := l.Link.Read(ctx, b)
	if at := bytes.Index(b[:n], []byte("\xCA\xFE\x01\x23\x00\x03")); at >= 0 {
		b[at+5] = 2
	}
	return n, err
}

// A message that is wanted no more once the link is open does not leave, and the link stays.
func TestStill(t *testing.T) {
	r := newRig(t, nil)
	req := r.line.Log(txn.LogRun{Sum: 1, Of: 1}, []byte("x"))
	req.Still = func() bool { return false }
	if a := r.line.Exchange(t.Context(), req); a.Kind != txn.NotSent {
		t.Errorf("%v", a.Kind)
	}
	if n := r.host.Seen("0820"); n != 0 {
		t.Errorf("%d left", n)
	}
	up := 0
	for len(r.notices) > 0 {
		if n := <-r.notices; n.Code == prompt.LogLink && n.What == "up lan" {
			up++
		}
	}
	r.signOn()
	for len(r.notices) > 0 {
		if n := <-r.notices; n.Code == prompt.LogLink {
			up++
		}
	}
	if up != 1 {
		t.Errorf("the link was opened %d times", up)
	}
}

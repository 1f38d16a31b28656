// Package train is the bank of the training mode: a host inside the process that
// approves what it is sent. Nothing of it can reach a network, it has keys of its
// own that no bank knows, and it forgets everything with its process.
//
// Sources:
//   - THROTTLE: firmware/doc/throttle.md §1, S3
//   - HOST: firmware/doc/wire.md, the UnionPay dialect
package train

import (
	"context"
	"crypto/des"
	"fmt"
	"io"
	"math/bits"
	"sync"
	"time"

	"swipewell/firmware/care"
	"swipewell/firmware/iso8583"
	"swipewell/firmware/keys"
	"swipewell/hal"
)

// Host answers every message of one terminal.
type Host struct {
	clock  hal.Clock
	keys   hal.KeyStore // the terminal's, of this session: they have the same MAK
	tmk    []byte
	rand   io.Reader
	lesson int

	mu    sync.Mutex
	seq   int
	sales int // payments asked for
}

// New makes the bank of one lesson. tmk is the master key that the terminal's own
// training keys were provisioned with.
func New(clock hal.Clock, ks hal.KeyStore, tmk []byte, rand io.Reader, lesson int) *Host {
	return &Host{clock: clock, keys: ks, tmk: tmk, rand: rand, lesson: lesson}
}

// takes is how long an answer takes: a person should see the step.
const takes = 700 * time.Millisecond

// Dialer is the only way out that a training terminal has.
func (h *Host) Dialer() hal.Dialer { return dialer{h} }

type dialer struct{ h *Host }

func (dialer) String() string { return "training" }

// Halt has nothing to stop.
func (dialer) Halt() error { return nil }

// Dial always succeeds: there is no line.
func (d dialer) Dial(context.Context, string) (hal.Link, error) {
	return &link{h: d.h, in: make(chan []byte, 8), gone: make(chan struct{})}, nil
}

// link is a connection that stays in the process.
type link struct {
	h    *Host
	tx   []byte
	rx   []byte
	in   chan []byte
	gone chan struct{}
	once sync.Once
}

func (*link) String() string { return "training" }
func (l *link) Halt() error  { return l.Close() }

func (l *link) Close() error {
	l.once.Do(func() { close(l.gone) })
	return nil
}

func (l *link) Write(_ context.Context, p []byte) (int, error) {
	l.tx = append(l.tx, p...)
	for {
		body, rest, err := iso8583.NextFrame(l.tx)
		if err != nil || body == nil {
			return len(p), nil
		}
		answer := l.h.answer(append([]byte(nil), body...))
		l.tx = append(l.tx[:0], rest...)
		if answer == nil {
			continue
		}
		l.h.clock.AfterFunc(takes, func() {
			select {
			case l.in <- answer:
			case <-l.gone:
			}
		})
	}
}

func (l *link) Read(ctx context.Context, p []byte) (int, error) {
	if len(l.rx) == 0 {
		select {
		case l.rx = <-l.in:
		case <-l.gone:
			return 0, &hal.LinkError{Cause: hal.CauseClosed}
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	n := copy(p, l.rx)
	l.rx = l.rx[n:]
	return n, nil
}

// answer makes the frame that answers one; nil is silence.
func (h *Host) answer(body []byte) []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	f, err := iso8583.ParseFrame(body)
	if err != nil {
		return nil
	}
	var q, a iso8583.Message
	if iso8583.UnionPay.Parse(&q, f.Message) != nil {
		return nil
	}
	h.seq++
	a.Reset(q.MTI.Response())
	for _, de := range []int{iso8583.DEProcessing, iso8583.DEAmount, iso8583.DESTAN, iso8583.DECondition} {
		if d := q.Digits(de); d != "" {
			a.SetDigits(de, d)
		}
	}
	a.SetText(iso8583.DETerminalID, q.Text(iso8583.DETerminalID))
	a.SetText(iso8583.DEMerchantID, q.Text(iso8583.DEMerchantID))
	if q.Text(iso8583.DECurrency) != "" {
		a.SetText(iso8583.DECurrency, q.Text(iso8583.DECurrency))
	}
	now := h.clock.Now().Wall.UTC().Add(care.Zone)
	a.SetDigits(iso8583.DETime, now.Format("150405"))
	a.SetDigits(iso8583.DEDate, now.Format("0102"))
	a.SetText(iso8583.DERRN, fmt.Sprintf("%012d", h.seq))
	a.SetDigits(iso8583.DEBatch, q.Digits(iso8583.DEBatch))
	rc, signed := "00", q.Has(iso8583.DEMAC)
	switch q.MTI {
	case 0x0800:
		if err := h.signOn(&a); err != nil {
			return nil
		}
	case 0x0200, 0x0100:
		h.sales++
		switch {
		case h.lesson == care.LessonUnknown && h.sales == 1:
			return nil // the answer that does not come
		case h.lesson == care.LessonInterface && h.sales == 1:
			rc = "45"
		default:
			a.SetText(iso8583.DEAuthCode, fmt.Sprintf("%06d", 100000+h.seq))
		}
	case 0x0500:
		// The totals that the terminal named are right.
		if d := q.Digits(iso8583.DEPrivate48); len(d) >= 30 {
			a.SetDigits(iso8583.DEPrivate48, d[:30]+"1"+d[31:])
		}
	}
	a.SetText(iso8583.DEResponse, rc)
	raw, err := h.pack(&a, signed)
	if err != nil {
		return nil
	}
	return iso8583.AppendFrame(nil, f.TPDU.Swapped(), f.Header, raw)
}

// pack signs with the key that both have.
func (h *Host) pack(m *iso8583.Message, signed bool) ([]byte, error) {
	if signed {
		m.SetBytes(iso8583.DEMAC, make([]byte, 8))
	}
	raw, err := iso8583.UnionPay.Append(nil, m)
	if err != nil || !signed {
		return raw, err
	}
	mab, de64, _ := iso8583.MACRegion(raw)
	sum, err := keys.MAC(h.keys, keys.MACECB, mab)
	copy(de64, sum[:])
	return raw, err
}

// signOn hands out a PIN key and a MAC key under the master key: DE 62 of
// network code 003. HOST §1.3, §1.6.
func (h *Host) signOn(a *iso8583.Message) error {
	tmk, err := des.NewTripleDESCipher(append(append([]byte(nil), h.tmk...), h.tmk[:8]...))
	if err != nil {
		return err
	}
	var out []byte
	for _, n := range []int{16, 8} {
		k := make([]byte, n)
		if _, err := io.ReadFull(h.rand, k); err != nil {
			return err
		}
		for i := range k {
			if bits.OnesCount8(k[i])%2 == 0 {
				k[i] ^= 1
			}
		}
		slot := make([]byte, 16)
		for i := 0; i < n; i += 8 {
			tmk.Encrypt(slot[i:], k[i:i+8])
		}
		check := make([]byte, 8)
		if n == 8 {
			c, err := des.NewCipher(k)
			if err != nil {
				return err
			}
			c.Encrypt(check, check)
		} else {
			c, err := des.NewTripleDESCipher(append(append([]byte(nil), k...), k[:8]...))
			if err != nil {
				return err
			}
			c.Encrypt(check, check)
		}
		out = append(append(out, slot...), check[:4]...)
		clear(k)
	}
	a.SetDigits(iso8583.DEBatch, "00"+"000001"+"003")
	a.SetBytes(iso8583.DEKeys, out)
	return nil
}

package flashwire

import (
	"bytes"
	"encoding/binary"
	"time"
)

// Times of a change of rate. The device's are longer than what the host needs, so
// that both are back at the safe rate when the host tries again.
const (
	askWait   = 300 * time.Millisecond  // for the answer to Rate and Keep
	settle    = 30 * time.Millisecond   // after a change, before the first byte
	probeWait = 800 * time.Millisecond  // for all probes to come back
	trialWait = 1500 * time.Millisecond // the device's, for Keep
	idleWait  = 3 * time.Second         // the device goes back when nothing good came for so long
	asks      = 3
	probes    = 8
	probeSize = 256
)

// MaxRate is the highest that is asked for, baud.
const MaxRate = 3_000_000

// RateFrame asks for a rate; the device answers at the old one, then both change.
func RateFrame(baud int) []byte {
	return AppendFrame(nil, Rate, binary.BigEndian.AppendUint32(nil, uint32(baud)))
}

// probe n: bytes that toggle the line fast and slow.
func probe(n int) []byte {
	b := make([]byte, probeSize)
	for i := range b {
		b[i] = []byte{0x55, 0xAA, 0x00, 0xFF, 0x0F, byte(i), byte(n), 0x80}[i%8]
	}
	return b
}

// Action is what an end of the line is to do next. Of the fields one is set.
type Action struct {
	Send []byte        // put this on the line
	Baud int           // once all that was sent has left, change to this rate
	Wait time.Duration // come again at this time, or with a frame
	End  bool          // it is settled; see Rate
}

// RateHost tries offers from the first to the last until one carries every probe
// there and back; if none does, the line stays at the safe rate.
type RateHost struct {
	safe, baud int
	offers     []int
	state      func(*RateHost, time.Duration) Action
	until      time.Duration
	tries      int
	back       int // probes that came back
	sent       int
	answer     int // to Rate: -1 none yet
	kept       bool
}

// NewRateHost starts at the safe rate, with offers from fast to slow.
func NewRateHost(safe int, offers []int) *RateHost {
	return &RateHost{safe: safe, baud: safe, offers: offers, state: (*RateHost).offer}
}

// Rate that both ends have now.
func (h *RateHost) Rate() int { return h.baud }

// Next says what to do at this time.
func (h *RateHost) Next(now time.Duration) Action { return h.state(h, now) }

func (h *RateHost) offer(time.Duration) Action {
	if len(h.offers) == 0 {
		h.state = (*RateHost).end
		return Action{End: true}
	}
	h.tries, h.state = 0, (*RateHost).ask
	return h.ask(0)
}

func (h *RateHost) end(time.Duration) Action { return Action{End: true} }

// fail takes the next offer, after wait.
func (h *RateHost) fail(now, wait time.Duration) {
	h.offers, h.until = h.offers[1:], now+wait
	h.state = func(h *RateHost, now time.Duration) Action {
		if now < h.until {
			return Action{Wait: h.until}
		}
		h.state = (*RateHost).offer
		return h.offer(now)
	}
}

func (h *RateHost) ask(now time.Duration) Action {
	h.answer = -1
	h.state = func(h *RateHost, now time.Duration) Action {
		h.until = now + askWait
		h.state = (*RateHost).asked
		return Action{Wait: h.until}
	}
	h.tries++
	return Action{Send: RateFrame(h.offers[0])}
}

func (h *RateHost) asked(now time.Duration) Action {
	switch {
	case h.answer == h.offers[0]:
		h.baud = h.offers[0]
		h.state = func(h *RateHost, now time.Duration) Action {
			h.until, h.back, h.sent = now+settle, 0, 0
			h.state = (*RateHost).probe
			return Action{Wait: h.until}
		}
		return Action{Baud: h.baud}
	case h.answer == 0:
		h.fail(now, 0)
	case now < h.until:
		return Action{Wait: h.until}
	case h.tries < asks:
		return h.ask(now)
	default:
		// It may have answered and changed; it comes back by itself.
		h.fail(now, trialWait)
	}
	return h.state(h, now)
}

func (h *RateHost) probe(now time.Duration) Action {
	switch {
	case now < h.until:
		return Action{Wait: h.until}
	case h.sent < probes:
		h.sent++
		if h.sent == probes {
			h.until = now + probeWait
			h.state = (*RateHost).probed
		}
		return Action{Send: AppendFrame(nil, Probe, probe(h.sent-1))}
	}
	return h.probed(now)
}

func (h *RateHost) probed(now time.Duration) Action {
	switch {
	case h.back == probes:
		h.tries, h.kept = 0, false
		return h.keep(now)
	case now < h.until:
		return Action{Wait: h.until}
	}
	return h.retreat(now, trialWait)
}

// retreat goes back to the safe rate and waits until the device has too.
func (h *RateHost) retreat(now, wait time.Duration) Action {
	h.baud = h.safe
	h.fail(now, wait)
	return Action{Baud: h.safe}
}

func (h *RateHost) keep(time.Duration) Action {
	h.tries++
	h.state = func(h *RateHost, now time.Duration) Action {
		h.until = now + askWait
		h.state = (*RateHost).keeping
		return Action{Wait: h.until}
	}
	return Action{Send: AppendFrame(nil, Keep)}
}

func (h *RateHost) keeping(now time.Duration) Action {
	switch {
	case h.kept:
		h.state = (*RateHost).end
		return Action{End: true}
	case now < h.until:
		return Action{Wait: h.until}
	case h.tries < asks:
		return h.keep(now)
	}
	return h.retreat(now, idleWait+trialWait)
}

// Got takes a frame of the device.
func (h *RateHost) Got(f Frame) {
	switch {
	case f.Type == Rate && len(f.Body) == 4:
		h.answer = int(binary.BigEndian.Uint32(f.Body))
	case f.Type == Probe && h.back < probes && bytes.Equal(f.Body, probe(h.back)):
		h.back++
	case f.Type == Keep:
		h.kept = true
	}
}

// RateDevice is the other end. It serves the whole session: it also brings the
// line back to the safe rate when the host is gone.
type RateDevice struct {
	Safe  int
	Can   func(baud int) bool
	baud  int
	trial bool
	until time.Duration
	todo  []Action
}

// Rate that the device has now.
func (d *RateDevice) Rate() int {
	if d.baud == 0 {
		return d.Safe
	}
	return d.baud
}

// Next says what to do at this time; a Wait of 0 is "when something comes".
func (d *RateDevice) Next(now time.Duration) Action {
	if len(d.todo) > 0 {
		a := d.todo[0]
		d.todo = d.todo[1:]
		return a
	}
	if d.Rate() == d.Safe {
		return Action{}
	}
	if now >= d.until {
		d.baud, d.trial = d.Safe, false
		return Action{Baud: d.Safe}
	}
	return Action{Wait: d.until}
}

// Got takes any frame of the host.
func (d *RateDevice) Got(f Frame, now time.Duration) {
	if !d.trial {
		d.until = now + idleWait
	}
	switch {
	case f.Type == Rate && len(f.Body) == 4:
		baud := int(binary.BigEndian.Uint32(f.Body))
		if baud <= 0 || baud > MaxRate || baud != d.Safe && d.Can != nil && !d.Can(baud) {
			baud = 0
		}
		d.todo = append(d.todo, Action{Send: RateFrame(baud)})
		if baud > 0 {
			d.baud, d.trial, d.until = baud, true, now+trialWait
			d.todo = append(d.todo, Action{Baud: baud})
		}
	case f.Type == Probe && len(f.Body) == probeSize:
		d.todo = append(d.todo, Action{Send: AppendFrame(nil, Probe, f.Body)})
	case f.Type == Keep:
		d.trial, d.until = false, now+idleWait
		d.todo = append(d.todo, Action{Send: AppendFrame(nil, Keep)})
	}
}

package terminal

import (
	"encoding/hex"
	"errors"
	"strings"

	"swipewell/firmware/care"
	"swipewell/firmware/keys"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// Sizes in hex digits: a part is as long as the key, 16 bytes; a check value has
// three or four bytes. HOST §5.1.
const (
	partDigits  = 32
	checkDigits = 8
	checkLeast  = 6
)

// hex tells whether an entry takes A to F: dot, and then 1 to 6.
func (k hiddenKind) hex() bool {
	return k == hiddenPart || k == hiddenPartCheck || k == hiddenWhole
}

// readPart opens the entry of a custodian's part; 0: of the check value of the
// whole key.
func (t *Terminal) readPart(part int) {
	kind := hiddenPart
	if part == 0 {
		kind = hiddenWhole
	}
	t.hide(hidden{kind: kind, part: part})
}

// hexKey takes a key of an entry of hex digits.
func (t *Terminal) hexKey(k txn.Key) {
	h := &t.hidden
	most := checkDigits
	if h.kind == hiddenPart {
		most = partDigits
	}
	put := func(c byte) {
		if len(h.digits) < most {
			h.digits = append(h.digits, c)
		}
	}
	switch {
	case k == "dot":
		h.letter = !h.letter
	case len(k) == 1 && k[0] >= '1' && k[0] <= '6' && h.letter:
		h.letter = false
		put('A' + k[0] - '1')
	case len(k) == 1 && k[0] >= '0' && k[0] <= '9' && !h.letter:
		put(k[0])
	case k == "clear" && h.letter:
		h.letter = false
	case k == "clear" && len(h.digits) > 0:
		h.digits[len(h.digits)-1] = 0
		h.digits = h.digits[:len(h.digits)-1]
	case k == "cancel":
		t.hidden.wipe()
		t.handle(txn.Event{Kind: txn.KeyPressed, Key: k})
		return
	case k == "enter":
		t.hexDone()
		return
	}
	t.handle(txn.Event{Kind: txn.Typed, N: len(h.digits)})
}

// hexDone ends an entry of hex digits; one that is too short goes on.
func (t *Terminal) hexDone() {
	h := &t.hidden
	raw := make([]byte, hex.DecodedLen(len(h.digits)))
	n, err := hex.Decode(raw, h.digits)
	switch {
	case h.kind == hiddenPart && (err != nil || n != partDigits/2), err != nil, n < checkLeast/2:
		clear(raw)
		t.sound(txn.ToneBad)
	case h.kind == hiddenPart:
		part := h.part
		t.hide(hidden{kind: hiddenPartCheck, part: part, secret: hal.NewSecret(raw)})
		t.handle(txn.Event{Kind: txn.Typed, Code: prompt.KeyPartCheck})
	case h.kind == hiddenPartCheck:
		part, secret := h.part, h.secret
		h.secret = nil // the key store wipes it
		t.hidden.wipe()
		c, err := t.board.Keys.LoadComponent(hal.KeyComponent{Slot: hal.SlotTMK, Alg: t.masterAlg(), Part: part, Bytes: secret, KCV: raw})
		secret.Wipe()
		t.handle(txn.Event{Kind: txn.PartDone, N: part, OK: err == nil, Code: custodyCode(err, prompt.KeyPartWrong), Check: checkText(c.KCV, err)})
	default:
		t.hidden.wipe()
		c, err := t.board.Keys.JoinComponents(hal.SlotTMK, raw)
		t.handle(txn.Event{Kind: txn.KeyDone, OK: err == nil, Code: custodyCode(err, prompt.KeyWholeWrong), Check: checkText(c.KCV, err)})
	}
}

func (t *Terminal) sound(tone txn.Tone) {
	if t.board.Sounder != nil {
		t.board.Sounder.Sound(hal.Tone(tone))
	}
}

// masterAlg is the cipher of the master key: that of the sign-on's form.
func (t *Terminal) masterAlg() hal.KeyAlg {
	if t.o.Host.KeyForm == keys.FormSM4 {
		return hal.AlgSM4
	}
	return hal.AlgTDES2
}

// custodyCode is what to say of an error; wrong is for a check value.
func custodyCode(err error, wrong prompt.Code) prompt.Code {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, hal.ErrKCV):
		return wrong
	case errors.Is(err, hal.ErrKeyWeak), errors.Is(err, hal.ErrKeyLength), errors.Is(err, hal.ErrKeyUse):
		return prompt.KeyUnfit
	case errors.Is(err, hal.ErrTampered):
		return prompt.TamperOpen
	case errors.Is(err, hal.ErrNoKey): // a part is missing: the key store has lost it
		return prompt.KeyGivenUp
	}
	return prompt.StoreFault
}

// checkText is a check value as letters have it: three bytes.
func checkText(kcv [4]byte, err error) string {
	if err != nil {
		return ""
	}
	return strings.ToUpper(hex.EncodeToString(kcv[:3]))
}

// dropParts makes the key store forget what custodians have entered.
func (t *Terminal) dropParts() {
	if t.board.Keys != nil {
		t.board.Keys.DropComponents(hal.SlotTMK)
	}
}

// loading is what the step of a custodian shows of an entry: how many digits of a
// part, and a check value, which is no secret, as it is keyed.
func (t *Terminal) loading(s txn.State) prompt.Args {
	a := s.Args
	if s.Custody.Step != 0 {
		return a
	}
	h := &t.hidden
	a.N = len(h.digits)
	switch {
	case h.letter:
		a.Time = "A-F?"
	case h.kind == hiddenPart:
		a.Time = "0-9"
	}
	if h.kind == hiddenPartCheck || h.kind == hiddenWhole {
		a.Host = string(h.digits) // the digits of a check value
		if h.letter {
			a.Host += "?"
		}
	}
	return a
}

// keyLines is the page of the keys: which there are, by their check values.
func (t *Terminal) keyLines() (lines []care.Line) {
	for _, k := range []struct {
		slot hal.KeySlot
		name string
	}{{hal.SlotTMK, "keys.tmk"}, {hal.SlotPIK, "keys.pik"}, {hal.SlotMAK, "keys.mak"}, {hal.SlotTDK, "keys.tdk"}} {
		check := "--"
		if t.board.Keys != nil {
			if kcv, ok := t.board.Keys.Has(k.slot); ok {
				check = checkText(kcv, nil)
			}
		}
		lines = append(lines, care.Line{Key: k.name, A: []string{check}})
	}
	on := "keys.off"
	if t.state.Durable.SignedOn {
		on = "keys.on"
	}
	lines = append(lines, care.Line{Key: on})
	if t.o.Profile.Staff >= 2 && !t.o.Train {
		lines = append(lines, care.Line{Key: "keys.begin"}, care.Line{Key: "keys.how"})
	}
	return lines
}

package terminal

import (
	"crypto/subtle"
	"encoding/hex"
	"fmt"

	"swipewell/firmware/card"
	"swipewell/firmware/pos"
	"swipewell/firmware/role"
	"swipewell/firmware/store"
	"swipewell/firmware/txn"
	"swipewell/hal"
	"swipewell/ui/prompt"
)

// hidden is an entry whose digits nobody but the loop sees: a card number, or a
// person's PIN. The reducer hears how many there are, and how it ended.
type hidden struct {
	kind   hiddenKind
	who    int
	boss   bool
	tech   bool
	digits []byte
	number card.PAN    // typed already; the expiry is next
	part   int         // of a master key; 0 the whole
	secret *hal.Secret // the part that was keyed already; its check value is next
	letter bool        // the next digit is a letter
}

type hiddenKind uint8

const (
	notHidden hiddenKind = iota
	hiddenNumber
	hiddenExpiry
	hiddenPIN
	hiddenCheck // a PIN is being checked
	hiddenPart  // a part of a master key, and its check value
	hiddenPartCheck
	hiddenWhole // the check value of the whole key
	hiddenToken // the next card is a token
)

func (h *hidden) wipe() {
	clear(h.digits[:cap(h.digits)])
	h.secret.Wipe()
	*h = hidden{digits: h.digits[:0]}
}

// most is how many digits each takes.
func (k hiddenKind) most() int {
	switch k {
	case hiddenNumber:
		return 19
	case hiddenExpiry:
		return 4
	}
	return 12
}

func (t *Terminal) hide(h hidden) {
	t.hidden.wipe()
	h.digits = make([]byte, 0, partDigits)
	t.hidden = h
}

// hiddenKey takes a key while a hidden entry is open; false if it is not for it.
func (t *Terminal) hiddenKey(k txn.Key) bool {
	h := &t.hidden
	if h.kind == notHidden || h.kind == hiddenToken {
		return false
	}
	if h.kind == hiddenCheck { // what is keyed while a PIN is being checked is a PIN's
		return k != "cancel"
	}
	if h.kind.hex() {
		t.hexKey(k)
		return true
	}
	switch {
	case len(k) == 1 && k[0] >= '0' && k[0] <= '9':
		if len(h.digits) < h.kind.most() {
			h.digits = append(h.digits, k[0])
		}
		t.handle(txn.Event{Kind: txn.Typed, N: len(h.digits)})
	case k == "clear" && len(h.digits) > 0:
		h.digits[len(h.digits)-1] = 0
		h.digits = h.digits[:len(h.digits)-1]
		t.handle(txn.Event{Kind: txn.Typed, N: len(h.digits)})
	case k == "cancel" || k == "clear":
		t.hiddenEnd(txn.Event{Code: prompt.Cancelled})
	case k == "enter":
		t.hiddenDone()
	}
	return true
}

// hiddenEnd closes the entry with an event of its kind.
func (t *Terminal) hiddenEnd(e txn.Event) {
	h := t.hidden
	t.hidden.wipe()
	switch h.kind {
	case hiddenNumber, hiddenExpiry:
		e.Kind = txn.TypeDone
		if e.Code == prompt.Cancelled {
			e.Code = ""
		}
	default:
		e.Kind, e.N = txn.Named, h.who
	}
	t.handle(e)
}

func (t *Terminal) hiddenDone() {
	h := &t.hidden
	switch h.kind {
	case hiddenNumber:
		p, err := card.ParsePAN(h.digits)
		if err != nil || !p.LuhnOK() {
			t.hiddenEnd(txn.Event{Code: prompt.CardNumber})
			return
		}
		t.hide(hidden{kind: hiddenExpiry, number: p})
		t.handle(txn.Event{Kind: txn.Typed, Code: prompt.KeyExpiry})
	case hiddenExpiry:
		t.typedCard(h.number, string(h.digits))
	case hiddenPIN:
		t.checkPIN()
	}
}

// typedCard is a number and its expiry as the card shows it, MMYY.
func (t *Terminal) typedCard(p card.PAN, mmyy string) {
	if len(mmyy) != 4 {
		t.hiddenEnd(txn.Event{Code: prompt.CardExpired})
		return
	}
	exp, err := card.ParseExpiry(mmyy[2:] + mmyy[:2])
	if now := t.clock.Now().Wall.In(pos.CST); err != nil || !now.Before(built) && exp.ExpiredAt(now.Year(), int(now.Month())) {
		t.hiddenEnd(txn.Event{Code: prompt.CardExpired})
		return
	}
	t.hidden.wipe()
	ref, err := card.Ref(t.mac, p)
	if err == nil {
		err = t.nameCard(ref, p)
	}
	if err != nil {
		t.handle(txn.Event{Kind: txn.Faulted, Code: prompt.KeyNoMaster})
		return
	}
	t.vault.Put(ref, card.Data{PAN: p, Expiry: exp})
	t.handle(txn.Event{Kind: txn.Presented, Card: ref, Masked: p.Masked(), Entry: pos.EntryKeyed})
}

// person finds somebody by number.
func (t *Terminal) person(n int) (role.Person, bool) {
	for _, p := range t.o.Staff {
		if p.Number == n {
			return p, true
		}
	}
	return role.Person{}, false
}

// checkPIN compares a PIN beside the loop: it is slow on purpose.
func (t *Terminal) checkPIN() {
	h := t.hidden
	p, ok := t.person(h.who)
	if !ok || p.Role == role.Engineer || h.boss && !p.Boss() || h.tech && p.Role != role.Technician {
		t.hiddenEnd(txn.Event{Code: prompt.NameUnknown})
		return
	}
	pin := hal.NewSecret(append([]byte(nil), h.digits...))
	t.hidden.wipe()
	t.handle(txn.Event{Kind: txn.NameTried, N: p.Number})
	if t.err != nil { // not counted: not looked at
		pin.Wipe()
		return
	}
	t.hidden.kind = hiddenCheck
	t.o.Spawn(func() {
		ok := false
		pin.Use(func(b []byte) { ok = t.verify(p.Hash, b) })
		pin.Wipe()
		t.post(func() {
			if t.hidden.kind == hiddenCheck {
				t.hidden.wipe()
			}
			e := txn.Event{Kind: txn.Named, N: p.Number, OK: ok}
			if !ok {
				e.Code = prompt.NameWrong
			}
			t.handle(e)
		})
	})
}

func (t *Terminal) verify(hash string, pin []byte) bool {
	if t.o.Verify != nil {
		return t.o.Verify(hash, pin)
	}
	return role.Verify(hash, pin)
}

// tokenKey is where a person's token is kept.
func tokenKey(who int) []byte {
	return []byte("token/" + string(rune('0'+who/10%10)) + string(rune('0'+who%10)))
}

// token takes a pass of a card as a person's token; false if none is wanted.
func (t *Terminal) token(s hal.Swipe) bool {
	h := t.hidden
	if h.kind != hiddenToken && t.enrol == nil {
		return false
	}
	var sum [32]byte
	var err error
	if s.Readable() {
		s.Tracks[1].Data.Use(func(b []byte) { sum, err = card.StaffTag(t.mac, b) })
	}
	s.Wipe()
	if e := t.enrol; e != nil {
		t.enrol = nil
		if !s.Readable() || err != nil {
			e.done(errUnread)
			return true
		}
		t.seal("seal.enrol", fmt.Sprintf("%02d", e.who), 0)
		e.done(t.commitAside(store.Change{Aside: true, Rows: []store.Row{{Room: store.Care, Key: tokenKey(e.who), Value: []byte(hex.EncodeToString(sum[:]))}}}))
		return true
	}
	want, gerr := t.o.Store.Get(store.Care, tokenKey(h.who))
	switch {
	case gerr != nil:
		t.hiddenEnd(txn.Event{Code: prompt.NameNoToken})
	case err != nil || subtle.ConstantTimeCompare([]byte(hex.EncodeToString(sum[:])), want) != 1:
		t.hiddenEnd(txn.Event{Code: prompt.NameWrong})
	default:
		t.hiddenEnd(txn.Event{OK: true})
	}
	return true
}

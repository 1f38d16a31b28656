package emv

import (
	"slices"

	"swipewell/firmware/card"
	"swipewell/firmware/emv/tlv"
)

// MaxAPDUs is the most commands that one transaction sends. A rich card needs
// about 60: selection 10, records 20, PIN 8, cryptograms 4, scripts 15.
const MaxAPDUs = 300

// State is a transaction between two steps, from B1 §12.2 to B3 §10.11. It is a
// value: [Step] never changes one that it was given. It prints nothing of the card.
type State struct{ p *session }

// element is one data object of a list that is small enough to search.
type element struct {
	tag tlv.Tag
	v   []byte
}

// list holds data objects in layers, the youngest first: what a step adds lies in
// own, what older States may hold lies in up and is never written again.
type list struct {
	own []element
	up  *list
}

func (l *list) get(t tlv.Tag) ([]byte, bool) {
	for ; l != nil; l = l.up {
		for i := range l.own {
			if l.own[i].tag == t {
				return l.own[i].v, true
			}
		}
	}
	return nil, false
}

func (l *list) put(t tlv.Tag, v []byte) {
	for i := range l.own {
		if l.own[i].tag == t {
			l.own[i].v = v
			return
		}
	}
	l.own = append(l.own, element{t, v})
}

// layer begins a step's own layer.
func (l *list) layer() {
	if len(l.own) > 0 {
		older := *l
		*l = list{up: &older}
	}
}

// session is all of a State. Step copies it and changes the copy; a list
// gets a layer of its own, a slice is only replaced or grown by grow, never written into.
type session struct {
	cfg  *Config
	txn  Transaction
	at   stage
	sent int

	card    list // what the card gave
	term    list // what the terminal and the issuer gave
	tvr     TVR
	covered TVR // as the last cryptogram has it
	tsi     TSI

	// selection
	candidates []Candidate
	wanted     int // index into Config.Apps of the AID that is tried
	next       bool
	pseSFI     byte
	pseRecord  byte
	trying     Candidate
	again      bool
	selected   bool
	app        int // index into Config.Apps of the application that runs

	// records
	files  []afl
	record byte
	auth   [][]byte // static data to be authenticated, as read, record by record
	noAuth bool     // a record that cannot be authenticated

	// offline data authentication
	method        odaMethod
	issuer, icc   rsaKey
	pdol, cdol1   []byte // as sent: B2 §6.6.2 hashes them
	cdol2, ddol   []byte
	requestedCDA  bool
	cdaDone       bool
	askedCID, cid byte

	// cardholder verification
	rule      int
	bypassed  bool
	pinTries  int
	verifies  int
	pinBad    bool
	pinKey    rsaKey
	pinHandle uint64
	hasPIN    bool
	signature bool

	facts Facts

	// issuer
	fate      fate
	host      Host
	scripts   []script
	scriptNo  int
	commandNo int
	reported  uint32 // scripts whose result is written, by number
	results   []ScriptResult

	decided bool
	kind    Kind
	cause   Cause
	done    *Outcome
}

// grow appends without writing into what an older State may hold.
func grow[T any](s []T, more ...T) []T { return append(s[:len(s):len(s)], more...) }

// Begin starts a transaction with a card that has answered to reset. It fails if
// the terminal's own data are not usable.
func Begin(cfg *Config, t Transaction) (State, Output, error) {
	if err := cfg.Check(); err != nil {
		return State{}, nil, err
	}
	if err := t.Check(); err != nil {
		return State{}, nil, err
	}
	n := &session{cfg: cfg, txn: t, pinTries: -1, app: -1}
	out := n.selectPSE()
	return State{n}, out, nil
}

// Step is total and pure: the same State and Input give the same answer. After
// the [Outcome] it repeats the Outcome.
func Step(s State, in Input) (State, Output) {
	if s.p == nil {
		return s, Outcome{Kind: Terminated, Cause: WrongInput}
	}
	if s.p.done != nil {
		return s, *s.p.done
	}
	n := *s.p
	n.card.layer()
	n.term.layer()
	out := n.step(in)
	return State{&n}, out
}

// stage is what the kernel waits for.
type stage uint8

const (
	atPSE stage = iota
	atPSERecord
	atAID
	atChoice
	atFinalSelect
	atGPO
	atRecord
	atInternalAuth
	atTryCounter
	atPIN
	atChallenge
	atVerify
	atFacts
	atATC
	atLastOnline
	atAC1
	atHost
	atExternalAuth
	atScript
	atAC2
	stages
)

// onResponse: who reads the R-APDU that a stage waits for.
var onResponse = [stages]func(*session, Response) Output{
	atPSE: (*session).gotPSE, atPSERecord: (*session).gotPSERecord, atAID: (*session).gotAID,
	atFinalSelect: (*session).gotFinalSelect, atGPO: (*session).gotGPO, atRecord: (*session).gotRecord,
	atInternalAuth: (*session).gotInternalAuth, atTryCounter: (*session).gotTryCounter,
	atChallenge: (*session).gotChallenge, atVerify: (*session).gotVerify,
	atATC: (*session).gotATC, atLastOnline: (*session).gotLastOnline, atAC1: (*session).gotAC1,
	atExternalAuth: (*session).gotExternalAuth, atScript: (*session).gotScript, atAC2: (*session).gotAC2,
}

func (n *session) step(in Input) Output {
	switch in := in.(type) {
	case Lost:
		return n.lost()
	case Cancel:
		return n.stop(Cancelled)
	case Response:
		if f := onResponse[n.at]; f != nil {
			return f(n, in)
		}
	case Choice:
		if n.at == atChoice {
			return n.chose(in)
		}
	case PIN:
		if n.at == atPIN {
			return n.gotPIN(in)
		}
	case Facts:
		if n.at == atFacts {
			n.facts = in
			return n.risk()
		}
	case Host:
		if n.at == atHost {
			return n.gotHost(in)
		}
	}
	return n.stop(WrongInput)
}

// lost: a script behind the last cryptogram that the card does not answer is a
// failed script, and the sale stands. B3 §10.10.
func (n *session) lost() Output {
	if n.at == atScript && n.decided {
		return n.gotScript(Response{})
	}
	return n.stop(CardLost)
}

// send counts a command and waits in a stage for its answer.
func (n *session) send(at stage, apdu []byte) Output {
	if n.sent >= MaxAPDUs {
		return n.stop(TooManyAPDUs)
	}
	n.sent++
	n.at = at
	return Command{apdu}
}

// get finds the current value of a data object. B3 §5.4: what a command asks for
// is filled with what is known when it is sent. A card cannot speak for the
// terminal or the issuer, nor they for the card.
func (n *session) get(t tlv.Tag) ([]byte, bool) {
	switch t {
	case 0x95:
		return n.tvr[:], true
	case 0x9B:
		return n.tsi[:], true
	}
	e, _ := tlv.Lookup(t)
	if e.Origin == tlv.ICC {
		return n.card.get(t)
	}
	if v, ok := n.setting(t); ok {
		return v, true
	}
	if e.Origin == tlv.Unknown { // a proprietary object that the card gave itself
		return n.card.get(t)
	}
	return nil, false
}

// setting finds what the terminal knows: this transaction's value first, then
// the application's parameters, then the terminal's.
func (n *session) setting(t tlv.Tag) ([]byte, bool) {
	if v, ok := n.term.get(t); ok {
		return v, true
	}
	if v, ok := n.txn.Data[t]; ok {
		return v, true
	}
	if n.app >= 0 {
		if v, ok := n.cfg.Apps[n.app].Data[t]; ok {
			return v, true
		}
	}
	v, ok := n.cfg.Data[t]
	return v, ok
}

func (n *session) cardValue(t tlv.Tag) []byte { v, _ := n.card.get(t); return v }

func (n *session) settingValue(t tlv.Tag) []byte { v, _ := n.setting(t); return v }

// Identified tells that the card has said who it is: its records are read, and
// nothing of it was verified. It is where a terminal asks its own rules. B3 §10.2.
func (s State) Identified() bool { return s.p != nil && s.p.at > atRecord }

// PAN is the application's card number, once it is identified. B3 Annex A1, tag 5A.
func (s State) PAN() (card.PAN, bool) {
	if !s.Identified() {
		return card.PAN{}, false
	}
	return s.p.pan()
}

// Chosen is the application that runs, or was tried last. B1 §12.4.
func (s State) Chosen() Candidate {
	if s.p == nil {
		return Candidate{}
	}
	return s.p.trying
}

// Wipe overwrites all that the card has said. No State of this transaction can be used
// after it: they share what they hold. B2 §11.1 has no word on it; what holds a card
// number is wiped as everywhere here.
func (s State) Wipe() {
	if s.p == nil {
		return
	}
	for l := &s.p.card; l != nil; l = l.up { // the terminal's own are shared with its tables
		for _, e := range l.own {
			clear(e.v)
		}
	}
	for _, b := range append([][]byte{s.p.pdol, s.p.cdol1, s.p.cdol2, s.p.ddol}, s.p.auth...) {
		clear(b)
	}
}

// Get is the current value of a data object, for field 55 and the receipt. The
// bytes belong to the State. B3 Annex A.
func (s State) Get(t tlv.Tag) ([]byte, bool) {
	if s.p == nil {
		return nil, false
	}
	return s.p.get(t)
}

// TVR is the Terminal Verification Results as they stand. B3 Annex C5.
func (s State) TVR() TVR {
	if s.p == nil {
		return TVR{}
	}
	return s.p.tvr
}

// TSI is the Transaction Status Information as it stands. B3 Annex C6.
func (s State) TSI() TSI {
	if s.p == nil {
		return TSI{}
	}
	return s.p.tsi
}

// Candidates is the candidate list, in the order to show. B1 §12.3.
func (s State) Candidates() []Candidate {
	if s.p == nil {
		return nil
	}
	return slices.Clone(s.p.candidates)
}

// Pack writes the data objects that are known out of tags, in their order: field
// 55 of a message. The TVR is the one that the last cryptogram covers. B4 §12.1.
func (s State) Pack(tags ...tlv.Tag) []byte {
	var out []byte
	for _, t := range tags {
		v, ok := s.Get(t)
		if t == 0x95 && ok { // what came to light behind it is not in the cryptogram
			v = s.p.covered[:]
		}
		if ok {
			out = tlv.Append(out, t, v)
		}
	}
	return out
}

package replay

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"

	"swipewell/firmware/emv"
	"swipewell/firmware/emv/tlv"
)

// Result is what became of a file. Outcome is the kernel's word, or, where the
// file expects a number, that number: 0 for GENERATE AC 1 reached, 1 an error of
// the card, 2 the card blocked, 3 nothing in common.
type Result struct {
	File       string         `json:"file,omitempty"`
	Name       string         `json:"name"`
	Pass       bool           `json:"pass"`
	Outcome    any            `json:"outcome"`
	Result     string         `json:"result"` // the kernel's word always
	Tags       map[string]Hex `json:"tags"`
	Candidates []Hex          `json:"candidates,omitempty"`
	APDUs      int            `json:"apdu_count"`
	Errors     []string       `json:"errors,omitempty"`
}

// shown are the tags of a line: nothing that names the card or its holder.
var shown = []tlv.Tag{
	0x95, 0x9B, 0x9F34, 0x82, 0x84, 0x8A, 0x9F26, 0x9F27, 0x9F36, 0x9F10, 0x9F37, 0x9F45, 0x9F4C, 0x9F5B, 0x9F06,
	0x50, 0x9F12, 0x9F17, 0x9F13, 0x98, 0x94, 0x5F2D, 0x5F24, 0x5F25, 0x5F28, 0x9F07, 0x9F08, 0x9F42,
}

// player is one run.
type player struct {
	f        *File
	live     func([]byte) []byte   // the card itself, while a transcript is made
	issuer   func(emv.State) *Host // and its issuer
	state    emv.State
	next     int
	random   []byte
	pins     [][]byte
	pinNo    int
	choice   int
	errs     []string
	lastINS  byte // of the command that is asked for
	lastSent byte // of the last one of the transcript
}

func (p *player) fail(format string, args ...any) {
	p.errs = append(p.errs, fmt.Sprintf(format, args...))
}

// Record plays a file against a card and, if issuer is not nil, its issuer, and
// writes into f.APDUs and f.Host what went over the wire: a new transcript. card
// returns nil for no answer.
func Record(f *File, card func([]byte) []byte, issuer func(emv.State) *Host) (Result, error) {
	f.APDUs = nil
	return play(f, card, issuer)
}

// Run plays a file. A difference from the transcript is in Errors; only a file
// that cannot be played at all is an error.
func Run(f *File) (Result, error) { return play(f, nil, nil) }

func play(f *File, card func([]byte) []byte, issuer func(emv.State) *Host) (Result, error) {
	cfg, txn, random, err := f.setup()
	if err != nil {
		return Result{}, err
	}
	state, out, err := emv.Begin(cfg, txn)
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", f.Name, err)
	}
	p := &player{f: f, random: random, live: card, issuer: issuer}
	var end emv.Outcome
	var best []emv.Candidate
	for {
		if o, ok := out.(emv.Outcome); ok {
			end = o
			break
		}
		p.state = state
		in, more := p.answer(out)
		if !more {
			break
		}
		state, out = emv.Step(state, in)
		if r, ok := in.(emv.Response); ok {
			clear(r.Data) // as a terminal does: the kernel must have its own
		}
		if c := state.Candidates(); len(c) > 0 {
			best = c
		}
	}
	return p.judge(state, end, best, out), nil
}

// answer plays the world's part. more is false when the transcript is over.
func (p *player) answer(out emv.Output) (in emv.Input, more bool) {
	switch o := out.(type) {
	case emv.Command:
		return p.transmit(o.APDU)
	case emv.Verify:
		return p.transmit(p.verify(o))
	case emv.AskChoice:
		i := 0
		if p.choice < len(p.f.Choose) {
			i = p.f.Choose[p.choice]
			p.choice++
		}
		return emv.Choice{Index: i}, true
	case emv.AskPIN:
		return p.pin(), true
	case emv.AskFacts:
		return emv.Facts{Logged: p.f.Log, Exception: p.f.Exception}, true
	case emv.AskOnline:
		return p.host(), true
	}
	p.fail("unknown output %T", out)
	return nil, false
}

func (p *player) transmit(c []byte) (emv.Input, bool) {
	if len(c) > 1 {
		p.lastINS = c[1]
	}
	if p.f.Mode == "tpdu" {
		r, ok := t0(c, p.exchange)
		if !ok {
			return emv.Lost{}, len(p.errs) == 0
		}
		return emv.ParseResponse(bytes.Clone(r)), true
	}
	r, ok := p.exchange(c)
	if !ok {
		return emv.Lost{}, len(p.errs) == 0
	}
	return emv.ParseResponse(bytes.Clone(r)), true
}

// exchange is strict: the command must be the next one.
func (p *player) exchange(c []byte) ([]byte, bool) {
	if p.live != nil {
		r := p.live(c)
		p.f.APDUs = append(p.f.APDUs, Exchange{append(Hex(nil), c...), upper(r)})
		p.next++
		return r, r != nil
	}
	if p.next == len(p.f.APDUs) {
		if !p.f.early() || p.f.Stage == "" || p.f.Stage == "gac1" && p.lastSent != 0xAE {
			p.fail("a command behind the end: %s", upper(c))
		} else {
			p.errs = append(p.errs, stageOver)
		}
		return nil, false
	}
	x := p.f.APDUs[p.next]
	if !bytes.Equal(x.C, c) {
		p.fail("command %d: got %s, want %s", p.next+1, upper(c), upper(x.C))
		return nil, false
	}
	p.next++
	if len(c) > 1 {
		p.lastSent = c[1]
	}
	if x.R == "" || x.R == "lost" {
		return nil, false
	}
	r, err := hex.DecodeString(x.R)
	if err != nil {
		p.fail("answer %d is not hexadecimal", p.next)
		return nil, false
	}
	return r, true
}

// stageOver marks the end of a transcript that stops before GENERATE AC 1.
const stageOver = "\x00stage over"

// pin is the next entry of the file. Each has its own handle.
func (p *player) pin() emv.Input {
	word := "timeout"
	if p.pinNo < len(p.f.PIN) {
		word = p.f.PIN[p.pinNo]
		p.pinNo++
	}
	switch word {
	case "bypass":
		return emv.PIN{Result: emv.PINBypassed}
	case "broken":
		return emv.PIN{Result: emv.PINBroken}
	case "timeout":
		return emv.PIN{Result: emv.PINTimeout}
	case "cancel":
		return emv.Cancel{}
	}
	p.pins = append(p.pins, []byte(word))
	return emv.PIN{Result: emv.PINEntered, Handle: uint64(len(p.pins))}
}

// verify does the PIN pad's work. B3 §6.5.12, B2 §7.2.
func (p *player) verify(v emv.Verify) []byte {
	block := Block(p.pins[v.Handle-1])
	if len(v.Modulus) > 0 {
		need := len(v.Modulus) - 17
		pad := make([]byte, need)
		p.random = p.random[copy(pad, p.random):]
		plain := append(append(append([]byte{0x7F}, block...), v.Challenge...), pad...)
		block = make([]byte, len(v.Modulus))
		new(big.Int).Exp(new(big.Int).SetBytes(plain), new(big.Int).SetBytes(v.Exponent), new(big.Int).SetBytes(v.Modulus)).FillBytes(block)
	}
	return append(append(v.Header[:], byte(len(block))), block...)
}

// Block is a PIN block in format 2: control and length, digits, F. ISO9564 §9.3.3.
func Block(pin []byte) []byte {
	b := bytes.Repeat([]byte{0xFF}, 8)
	b[0] = 0x20 | byte(len(pin)&15)
	for i, d := range pin[:min(len(pin), 14)] {
		if i%2 == 0 {
			b[1+i/2] = d<<4 | 15
		} else {
			b[1+i/2] = b[1+i/2]&0xF0 | d&15
		}
	}
	return b
}

// approving codes of an issuer. B4 Annex A6.
var approving = map[string]bool{"00": true, "10": true, "11": true}

func (p *player) host() emv.Input {
	if p.issuer != nil {
		p.f.Host = p.issuer(p.state)
	}
	h := p.f.Host
	if h == nil {
		return emv.Host{Reach: emv.NeverSent}
	}
	switch h.Reach {
	case "":
	case "never-sent":
		return emv.Host{Reach: emv.NeverSent}
	default:
		return emv.Host{Reach: emv.NoAnswer}
	}
	arc := h.ARC
	if b, err := hex.DecodeString(arc); err == nil && len(b) == 2 {
		arc = string(b)
	}
	a := emv.Host{AuthData: h.AuthData, Approved: approving[arc]}
	copy(a.ARC[:], arc)
	for _, s := range append(append(Texts(nil), h.Before...), h.After...) {
		b, err := hex.DecodeString(s)
		if err != nil {
			p.fail("host: a script is not hexadecimal")
		}
		a.Scripts = append(a.Scripts, b)
	}
	return a
}

// numbers of outcomes in files of kernels that stop at GENERATE AC 1.
func number(o emv.Outcome) float64 {
	switch {
	case o.Kind == emv.DryRunDone:
		return 0
	case o.Cause == emv.CardBlocked:
		return 2
	case o.Cause == emv.NoApplication:
		return 3
	}
	return 1
}

// judge compares what came out with what the file expects.
func (p *player) judge(s emv.State, o emv.Outcome, cands []emv.Candidate, last emv.Output) Result {
	r := Result{Name: p.f.Name, Tags: map[string]Hex{}, APDUs: p.next, Result: o.String(), Outcome: o.String()}
	over := false
	for i, e := range p.errs {
		if e == stageOver {
			over = true
			p.errs = p.errs[:i]
			break
		}
	}
	if _, ended := last.(emv.Outcome); !ended {
		r.Result = "unfinished"
		if over {
			o.Kind, r.Result = emv.DryRunDone, emv.DryRunDone.String()
		}
		r.Outcome = r.Result
	}
	if p.next < len(p.f.APDUs) && len(p.errs) == 0 {
		p.fail("%d of %d commands were never sent", len(p.f.APDUs)-p.next, len(p.f.APDUs))
	}
	for _, t := range shown {
		if v, ok := s.Get(t); ok {
			r.Tags[t.String()] = v
		}
	}
	for _, c := range cands {
		r.Candidates = append(r.Candidates, c.AID)
	}
	p.compare(&r, s, o)
	r.Errors = p.errs
	r.Pass = len(p.errs) == 0
	return r
}

func (p *player) compare(r *Result, s emv.State, o emv.Outcome) {
	e := p.f.Expect
	switch want := e.Outcome.(type) {
	case float64:
		if r.Result != "unfinished" {
			r.Outcome = number(o)
		}
		// A file whose kernel took the answer of GENERATE AC 1 for an error of the
		// card is compared up to that command: an unsigned AAC is not one. B2 §6.6.2.
		if r.Outcome != e.Outcome && !(want == 1 && p.lastINS == 0xAE) {
			p.fail("outcome: got %v (%s), want %v", r.Outcome, r.Result, want)
		}
	case string:
		if r.Result != want && !strings.HasPrefix(r.Result, want+"/") && !strings.HasPrefix(r.Result, want+"-") {
			p.fail("outcome: got %s, want %s", r.Result, want)
		}
	default:
		p.fail("expect.outcome is neither a text nor a number")
	}
	for k, want := range e.Tags {
		t, err := tlv.ParseTag(k)
		if err != nil {
			p.fail("expect: %v", err)
			continue
		}
		if got, _ := s.Get(t); !bytes.Equal(got, want) {
			p.fail("tag %s: got %s, want %s", k, upper(got), upper(want))
		}
	}
	if e.Candidates != nil {
		same := len(e.Candidates) == len(r.Candidates)
		for i := 0; same && i < len(e.Candidates); i++ {
			same = bytes.Equal(e.Candidates[i], r.Candidates[i])
		}
		if !same {
			p.fail("candidates: got %X, want %X", r.Candidates, e.Candidates)
		}
	}
	if e.APDUs != nil && *e.APDUs != p.next {
		p.fail("%d commands, want %d", p.next, *e.APDUs)
	}
	if e.Reversal != nil && *e.Reversal != string(o.Reversal) {
		p.fail("reversal %q, want %q", o.Reversal, *e.Reversal)
	}
	if e.Signature != nil && *e.Signature != o.Signature {
		p.fail("signature %v, want %v", o.Signature, *e.Signature)
	}
}

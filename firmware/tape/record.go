package tape

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"swipewell/firmware/diagnose"
	"swipewell/firmware/throttle"
	"swipewell/firmware/txn"
)

// Version of the format.
const Version = 1

// Bounds of a part: steps, events of the desk's log, and bytes once packed. A part that
// would be longer says so and ends.
const (
	MostSteps = 160
	MostLog   = 64
	MostBytes = 12 << 10
	mostRaw   = 1 << 20 // of a part that is unpacked
)

// part is one part in JSON, before it is compressed.
type part struct {
	V     int      `json:"v"`
	Prev  string   `json:"prev,omitempty"` // it goes on behind the part whose Sum this is: no state, no log of its own
	Build string   `json:"build,omitempty"`
	Rules string   `json:"rules,omitempty"` // name, version, key; "" none were in force
	Log   []string `json:"log,omitempty"`   // the desk's youngest events, the oldest first, as rows
	Cut   int      `json:"cut,omitempty"`   // so many older ones are not here
	State flat     `json:"state,omitempty"`
	Steps []step   `json:"steps"`
	Lost  int      `json:"lost,omitempty"` // steps behind the last that did not fit
}

// step is one step: deltas against the one before.
type step struct {
	Event   delta  `json:"e"`
	State   delta  `json:"s"`
	Signals delta  `json:"d"`
	Rank    string `json:"r,omitempty"` // what the diagnosis made of them, where it changed
	Effects []flat `json:"x,omitempty"` // the name of each under ""
}

// Recorder makes parts. The zero value is not ready: New.
type Recorder struct {
	sieve   func(string) string
	build   string
	names   *names
	p       *part
	state   flat
	event   flat
	signals flat
	rank    string
	z       *flate.Writer
}

// New makes a recorder. sieve is what free text passes.
func New(build string, sieve func(string) string) *Recorder {
	return &Recorder{sieve: sieve, build: build}
}

// Active tells that a part is in the making.
func (r *Recorder) Active() bool { return r.p != nil }

// Drop forgets it.
func (r *Recorder) Drop() { r.p = nil }

// RulesName is a set as a tape names it.
func RulesName(r *throttle.Rules) string {
	if r == nil {
		return ""
	}
	return strings.TrimSpace(fmt.Sprintf("%s %d %s", r.Name, r.Version, r.KeyID))
}

// Begin starts a part on the state before its first step.
func (r *Recorder) Begin(s txn.State, log *throttle.Log, rules *throttle.Rules) {
	r.names = newNames(r.sieve)
	r.p = &part{V: Version, Build: r.build, Rules: RulesName(rules)}
	n := min(log.Len(), MostLog)
	for i := n - 1; i >= 0; i-- {
		e := *log.At(i)
		e.Tags = r.names.tags(e.Tags)
		r.p.Log = append(r.p.Log, hex.EncodeToString(e.AppendRow(nil)))
	}
	r.p.Cut = log.Len() - n
	r.state, r.event, r.signals, r.rank = r.names.flatten(s), flat{}, flat{}, ""
	r.p.State = r.state
}

// Step adds one: the event with its facts, what came of it, and what the diagnosis had
// before it.
func (r *Recorder) Step(e txn.Event, next txn.State, fx []txn.Effect, rank diagnose.Ranking) {
	if r.p == nil {
		return
	}
	if len(r.p.Steps) >= MostSteps {
		r.p.Lost++
		return
	}
	var st step
	event, state, signals := r.names.flatten(e), r.names.flatten(next), flatSignals(rank)
	st.Event, st.State, st.Signals = r.event.to(event), r.state.to(state), r.signals.to(signals)
	r.event, r.state, r.signals = event, state, signals
	if s := rankText(rank); s != r.rank {
		r.rank, st.Rank = s, s
	}
	st.Effects = r.names.effects(fx)
	r.p.Steps = append(r.p.Steps, st)
}

// effects are flat, with the name of each under "".
func (n *names) effects(fx []txn.Effect) (list []flat) {
	for _, x := range fx {
		f := n.flatten(x)
		f[""] = reflect.TypeOf(x).Name()
		list = append(list, f)
	}
	return list
}

// flatSignals is what the diagnosis weighs.
func flatSignals(r diagnose.Ranking) flat {
	f := flat{}
	for i, s := range r.Sig {
		if s != (diagnose.Signal{}) {
			f[diagnose.ID(i).GoName()] = fmt.Sprintf("%d %s %d %d %d", s.Level, strconv.FormatFloat(s.Q, 'g', -1, 64), s.N, s.Of, int64(s.At))
		}
	}
	for i, v := range r.Told {
		if v != 0 {
			f["told."+strconv.Itoa(i)] = strconv.FormatFloat(v, 'g', -1, 64)
		}
	}
	return f
}

// signalsOf is the inverse.
func signalsOf(f flat) (s diagnose.Signals, told diagnose.Told, err error) {
	for k, v := range f {
		if at, ok := strings.CutPrefix(k, "told."); ok {
			i, err := strconv.Atoi(at)
			if err != nil || i < 0 || i >= len(told) {
				return s, told, fmt.Errorf("%w: %s", errPath, k)
			}
			if told[i], err = strconv.ParseFloat(v, 64); err != nil {
				return s, told, err
			}
			continue
		}
		found := false
		for i := range s {
			if diagnose.ID(i).GoName() == k {
				found = true
				var at int64
				if _, err := fmt.Sscan(v, &s[i].Level, &s[i].Q, &s[i].N, &s[i].Of, &at); err != nil {
					return s, told, err
				}
				s[i].At = time.Duration(at)
			}
		}
		if !found {
			return s, told, fmt.Errorf("%w: %s", errPath, k)
		}
	}
	return s, told, nil
}

// rankText is what the diagnosis says, as far as a person is told of it.
func rankText(r diagnose.Ranking) string {
	if r.Top[0].Row.Code == "" {
		return ""
	}
	s := fmt.Sprintf("%s %.2f, %s %.2f", r.Top[0].Row.Name(), r.Top[0].P, r.Top[1].Row.Name(), r.Top[1].P)
	if r.Sure {
		s += ", sure"
	}
	return s
}

// Packed is a part as the journal keeps it: only a Recorder makes one.
type Packed struct {
	b     []byte
	Steps int
}

// Bytes are what to keep.
func (p Packed) Bytes() []byte { return p.b }

// sum names a part.
func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:6])
}

// Take packs the part; ok is false if it has no step. What follows goes on behind it,
// until Drop.
func (r *Recorder) Take() (out Packed, ok bool) {
	p := r.p
	r.p = nil
	defer func() {
		if ok && p.Lost == 0 {
			r.p = &part{V: Version, Prev: sum(out.b)}
		}
	}()
	if p == nil || len(p.Steps) == 0 {
		return out, false
	}
	for {
		b := pack(p, &r.z)
		if b == nil {
			return out, false
		}
		if len(b) <= MostBytes || len(p.Steps) == 1 {
			return Packed{b, len(p.Steps)}, len(b) <= MostBytes
		}
		keep := len(p.Steps) * MostBytes / (len(b) + 1) // what is left out is said
		keep = max(1, min(keep, len(p.Steps)-1))
		p.Lost += len(p.Steps) - keep
		p.Steps = p.Steps[:keep]
	}
}

// level of deflate: above it a part is 2 % smaller and takes twice as long.
const level = 6

// pack packs a part; *z is made once and kept.
func pack(p *part, z **flate.Writer) []byte {
	for i := range p.Steps {
		slices.Sort(p.Steps[i].Event.Gone)
		slices.Sort(p.Steps[i].State.Gone)
		slices.Sort(p.Steps[i].Signals.Gone)
	}
	raw, err := json.Marshal(p)
	if err != nil {
		return nil // maps of strings always marshal
	}
	var b bytes.Buffer
	if *z == nil {
		if *z, err = flate.NewWriterDict(&b, level, dictionary()); err != nil {
			return nil // the level is a constant
		}
	} else {
		(*z).Reset(&b) // with the dictionary
	}
	(*z).Write(raw)
	(*z).Close()
	return b.Bytes()
}

// ErrForeign says that bytes are no part of a tape, or of a newer version.
var ErrForeign = errors.New("tape: not a part of a tape")

// Plain is a part as its JSON, for who looks for what must not be in it; nil if it is none.
func Plain(b []byte) []byte {
	raw, err := io.ReadAll(io.LimitReader(flate.NewReaderDict(bytes.NewReader(b), dictionary()), mostRaw+1))
	if err != nil || len(raw) > mostRaw {
		return nil
	}
	return raw
}

func unpack(b []byte) (*part, error) {
	raw := Plain(b)
	if raw == nil {
		return nil, ErrForeign
	}
	var p part
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, ErrForeign
	}
	if p.V != Version {
		return nil, fmt.Errorf("%w: version %d, this build reads %d", ErrForeign, p.V, Version)
	}
	return &p, nil
}

// words are two parts of real payments: what every part has is in them. They belong to
// the version: another dictionary is another format.
//
//go:embed dictionary.json
var words []byte

func dictionary() []byte { return words }

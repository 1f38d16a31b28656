package emv_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"swipewell/firmware/emv"
	"swipewell/firmware/emv/replay"
	"swipewell/firmware/sim/card"
)

var update = flag.Bool("update", false, "record the transcripts of testdata/pitfalls anew; what they expect stays what the tables say")

// pitfall is one trap of certification: a card or a terminal that is changed, and
// what must come of it, written by hand from the Book and never from a run.
type pitfall struct {
	name   string
	card   string // of sim/card; debit if empty
	p      func(*card.Profile)
	f      func(*replay.File)
	host   issuer
	t0     string // how the card answers over T=0: mode tpdu
	out    string
	tvr    string
	tsi    string
	cvm    string // 9F34
	tags   map[string]string
	rev    string
	sign   bool
	cands  []string
	sent   []string // parts of commands that must go out
	unsent []string // and that must not
}

func families() map[string][]pitfall {
	return map[string][]pitfall{
		"01-cvm": cvmCases, "02-cda": cdaCases, "03-oda": odaCases, "04-dol": dolCases, "05-selection": selectCases,
		"06-t0": t0Cases, "07-risk": riskCases, "08-online": onlineCases, "09-scripts": scriptCases, "10-errors": errorCases,
	}
}

func (c pitfall) file(t *testing.T) (*replay.File, card.Profile) {
	name := c.card
	if name == "" {
		name = "debit"
	}
	p := profile(t, name, c.p)
	f := terminal(t, p)
	if c.f != nil {
		c.f(f)
	}
	f.Name = c.name
	f.Expect = replay.Expect{Outcome: c.out, Tags: map[string]replay.Hex{}, Reversal: &c.rev, Signature: &c.sign}
	for tag, v := range map[string]string{"95": c.tvr, "9B": c.tsi, "9F34": c.cvm} {
		if v != "" {
			f.Expect.Tags[tag] = unhex(v)
		}
	}
	for tag, v := range c.tags {
		f.Expect.Tags[tag] = unhex(v)
	}
	for _, a := range c.cands {
		f.Expect.Candidates = append(f.Expect.Candidates, unhex(a))
	}
	return f, p
}

// record runs the card and keeps the transcript.
func (c pitfall) record(t *testing.T) *replay.File {
	f, p := c.file(t)
	k, err := card.New(p)
	if err != nil {
		t.Fatal(err)
	}
	transmit := k.Transmit
	if c.t0 != "" {
		f.Mode = "tpdu"
		transmit = (&t0card{card: k, style: c.t0}).answer
	}
	i := c.host
	if i == nil {
		i = approve
	}
	if _, err := replay.Record(f, transmit, func(s emv.State) *replay.Host { return i(p, s) }); err != nil {
		t.Fatal(err)
	}
	n := len(f.APDUs)
	f.Expect.APDUs = &n
	return f
}

// TestPitfalls replays the ten families. Each transcript must be followed to the
// byte, and expect what its table says.
func TestPitfalls(t *testing.T) {
	for family, cases := range families() {
		if len(cases) < 6 {
			t.Errorf("%s: %d cases", family, len(cases))
		}
		seen := map[string]bool{}
		for _, c := range cases {
			t.Run(family+"/"+c.name, func(t *testing.T) {
				path := filepath.Join("testdata", "pitfalls", family, c.name+".json")
				seen[c.name+".json"] = true
				if *update {
					c.write(t, path)
				}
				b, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				f, err := replay.Parse(b)
				if err != nil {
					t.Fatal(err)
				}
				n := len(f.APDUs)
				want, _ := c.file(t)
				want.Expect.APDUs = &n
				f.Expect = want.Expect // the table is the judge, not the file
				r, err := replay.Run(f)
				if err != nil || !r.Pass {
					t.Errorf("%v %v", r.Errors, err)
				}
				var all strings.Builder
				for _, x := range f.APDUs {
					all.WriteString(upper(x.C) + "\n")
				}
				for _, s := range c.sent {
					if !strings.Contains(all.String(), s) {
						t.Errorf("%s was not sent:\n%s", s, all.String())
					}
				}
				for _, s := range c.unsent {
					if strings.Contains(all.String(), s) {
						t.Errorf("%s was sent:\n%s", s, all.String())
					}
				}
			})
		}
		list, _ := os.ReadDir(filepath.Join("testdata", "pitfalls", family))
		for _, e := range list {
			if !seen[e.Name()] {
				t.Errorf("%s/%s belongs to no case", family, e.Name())
			}
		}
	}
}

func (c pitfall) write(t *testing.T, path string) {
	f := c.record(t)
	b, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", " "); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(out.Bytes(), '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
}

// t0card is the card's end of T=0, one TPDU at a time. ISO/IEC 7816-3 §10.3.
type t0card struct {
	card  *card.Card
	style string
	head  []byte
	body  []byte
	left  []byte // answer that waits for GET RESPONSE
	sw    []byte
	round int
}

// hasData: the instructions that carry data.
var hasData = map[byte]bool{0xA4: true, 0xA8: true, 0x20: true, 0x88: true, 0x82: true, 0xAE: true}

func (c *t0card) answer(b []byte) []byte {
	if c.head != nil { // data of a header
		c.body = append(c.body, b...)
		if len(c.body) < int(c.head[4]) {
			return []byte{^c.head[1]}
		}
		head, body := c.head, c.body
		c.head, c.body = nil, nil
		r := c.card.Transmit(append(append(append([]byte(nil), head...), body...), 0))
		return c.first(r)
	}
	if b[1] == 0xC0 {
		return c.more(b)
	}
	if hasData[b[1]] && b[4] > 0 {
		c.head = append([]byte(nil), b...)
		procedure := b[1]
		if c.style == "bytes" {
			procedure = ^b[1]
		}
		if c.style == "waits" {
			return []byte{0x60, 0x60, procedure}
		}
		return []byte{procedure}
	}
	if c.style == "exact" && b[4] == 0 && c.left == nil { // case 2: 6C tells the length
		r := c.card.Transmit(b)
		if len(r) == 2 {
			return r
		}
		c.left, c.sw = r[:len(r)-2], r[len(r)-2:]
		return []byte{0x6C, byte(len(c.left))}
	}
	if c.left != nil && c.style == "exact" {
		r := append(append([]byte{b[1]}, c.left...), c.sw...)
		c.left = nil
		return r
	}
	r := c.card.Transmit(b)
	if len(r) == 2 {
		return r
	}
	if c.style == "bytes" {
		var out []byte
		for _, x := range r[:len(r)-2] {
			out = append(out, ^b[1], x)
		}
		return append(out, r[len(r)-2:]...)
	}
	return append([]byte{b[1]}, r...)
}

// first is the answer to a command with data: 61 if there is more to fetch.
func (c *t0card) first(r []byte) []byte {
	if len(r) == 2 {
		return r
	}
	c.left, c.sw, c.round = r[:len(r)-2], r[len(r)-2:], 0
	if c.style == "warning" {
		return []byte{0x62, 0x00}
	}
	return []byte{0x61, byte(min(len(c.left), 255))}
}

func (c *t0card) more(b []byte) []byte {
	n := int(b[4])
	if c.style == "exact" && c.round == 0 && n == len(c.left) {
		c.round++
		return []byte{0x6C, byte(len(c.left))}
	}
	if c.style == "chunks" {
		n = min(n, 16)
	}
	if n == 0 || n > len(c.left) {
		n = len(c.left)
	}
	out := append([]byte{0xC0}, c.left[:n]...)
	c.left = c.left[n:]
	if len(c.left) > 0 {
		return append(out, 0x61, byte(min(len(c.left), 255)))
	}
	c.left = nil
	return append(out, c.sw...)
}

func list(rules string) func(*card.Profile) {
	return func(p *card.Profile) { p.CVMList = "0000000000000000" + rules }
}

func pins(words ...string) func(*replay.File) { return func(f *replay.File) { f.PIN = words } }

func config(pairs ...string) func(*replay.File) {
	return func(f *replay.File) {
		for i := 0; i < len(pairs); i += 2 {
			m := f.Config
			if _, ok := f.Params[pairs[i]]; ok {
				m = f.Params
			}
			if pairs[i+1] == "-" {
				delete(m, pairs[i])
			} else {
				m[pairs[i]] = unhex(pairs[i+1])
			}
		}
	}
}

func all(fs ...func(*replay.File)) func(*replay.File) {
	return func(f *replay.File) {
		for _, x := range fs {
			x(f)
		}
	}
}

func fault(f card.Fault) func(*card.Profile) {
	return func(p *card.Profile) { p.Faults = append(p.Faults, f) }
}

func both(fs ...func(*card.Profile)) func(*card.Profile) {
	return func(p *card.Profile) {
		for _, x := range fs {
			x(p)
		}
	}
}

func set(tag, v string) func(*card.Profile) {
	return func(p *card.Profile) {
		if p.Tags == nil {
			p.Tags = map[string]string{}
		}
		p.Tags[tag] = v
	}
}

func wire(w string) func(*card.Profile) {
	return func(p *card.Profile) { p.Wire = append(p.Wire, w) }
}

func amount(minor int) func(*replay.File) { return config("9F02", fmt.Sprintf("%012d", minor)) }

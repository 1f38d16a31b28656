package acquirer_test

import (
	"crypto/cipher"
	"crypto/des"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"swipewell/firmware/sim/acquirer"
	"swipewell/hal"
)

// A terminal made of hex strings and crypto/des: it shares no code with the
// host nor with the firmware. Fields are the hex that stands on the wire,
// length bytes included.
type client struct {
	t             testing.TB
	h             *acquirer.Host
	clock         *hal.SteppedClock
	c             net.Conn
	pik, mak, tdk []byte
	stan          int
	batch         string
}

type fields map[int]string

func n(s string) string { // packed digits, odd ones filled with 0
	if len(s)%2 == 1 {
		s += "0"
	}
	return strings.NewReplacer("=", "D").Replace(s)
}
func ll(s string) string  { return fmt.Sprintf("%02d", len(s)) + n(s) }
func lll(s string) string { return fmt.Sprintf("%04d", len(s)) + n(s) }
func asc(s string) string { return hex.EncodeToString([]byte(s)) }

var noon = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC) // 12:00 CST

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return b
}

// start is a host and a terminal that is connected and signed on.
func start(t testing.TB, o acquirer.Opts) *client {
	t.Helper()
	c := &client{t: t, clock: hal.NewSteppedClock(nil, noon)}
	o.Clock = c.clock
	h, err := acquirer.New(o)
	if err != nil {
		t.Fatal(err)
	}
	c.h = h
	t.Cleanup(func() { h.Close() })
	c.dial()
	c.signOn("003")
	return c
}

func (c *client) dial() {
	c.t.Helper()
	if c.c != nil {
		c.c.Close()
	}
	var err error
	if c.c, err = net.Dial("tcp", c.h.Addr()); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { c.c.Close() })
}

func block(k []byte) cipher.Block {
	if len(k) == 8 {
		b, _ := des.NewCipher(k)
		return b
	}
	b, _ := des.NewTripleDESCipher(append(append([]byte(nil), k...), k[:8]...))
	return b
}

func ecb(f func(dst, src []byte), in []byte) []byte {
	out := make([]byte, len(in))
	for i := 0; i < len(in); i += 8 {
		f(out[i:], in[i:i+8])
	}
	return out
}

// mac is HOST §1.5, step by step.
func mac(key, mab []byte) []byte {
	x := make([]byte, 8)
	for i, b := range mab {
		x[i%8] ^= b
	}
	text := strings.ToUpper(hex.EncodeToString(x))
	y := ecb(block(key).Encrypt, []byte(text[:8]))
	for i := range y {
		y[i] ^= text[8+i]
	}
	return []byte(strings.ToUpper(hex.EncodeToString(ecb(block(key).Encrypt, y))))[:8]
}

// raw is a message, MTI to the end, with a MAC if it has DE 64.
func (c *client) raw(mti string, f fields) []byte {
	c.t.Helper()
	var bitmap uint64
	body := ""
	for _, de := range slices.Sorted(maps.Keys(f)) {
		bitmap |= 1 << (64 - de)
		if de != 64 {
			body += f[de]
		}
	}
	msg := unhex(c.t, mti+fmt.Sprintf("%016x", bitmap)+body)
	switch v, ok := f[64]; {
	case v != "":
		msg = append(msg, unhex(c.t, v)...)
	case ok:
		msg = append(msg, mac(c.mak, msg)...)
	}
	return msg
}

func (c *client) write(msg []byte) {
	c.t.Helper()
	env := unhex(c.t, "6000030000603100311003")
	size := len(env) + len(msg)
	if _, err := c.c.Write(append(append([]byte{byte(size >> 8), byte(size)}, env...), msg...)); err != nil {
		c.t.Fatal(err)
	}
}

// got is an answer: what a test looks at.
type got struct {
	mti, stan, rc, rrn, auth, amount string
	order                            byte
	macOK                            bool
	raw                              []byte
	keys, f60, balance, text, chip   string
}

// widths of the fixed fields of an answer in bytes; of the others, the length
// bytes and whether they count digits.
var widths = map[int]int{3: 3, 4: 6, 11: 3, 12: 3, 13: 2, 14: 2, 15: 2, 23: 2, 25: 1, 37: 12, 38: 6, 39: 2, 41: 8, 42: 15, 49: 3, 64: 8}
var prefixes = map[int]struct {
	size   int
	digits bool
}{2: {1, true}, 32: {1, true}, 44: {1, false}, 54: {2, false}, 55: {2, false}, 60: {2, true}, 62: {2, false}, 63: {2, false}}

func (c *client) read() got {
	c.t.Helper()
	c.c.SetReadDeadline(time.Now().Add(10 * time.Second))
	size := make([]byte, 2)
	if _, err := io.ReadFull(c.c, size); err != nil {
		c.t.Fatalf("no answer: %v", err)
	}
	frame := make([]byte, int(size[0])<<8|int(size[1]))
	if _, err := io.ReadFull(c.c, frame); err != nil {
		c.t.Fatal(err)
	}
	g := got{order: frame[7] & 15, raw: frame[11:]}
	if hex.EncodeToString(frame[:5]) != "6000000003" {
		c.t.Errorf("the answer's TPDU is %x", frame[:5])
	}
	g.mti = hex.EncodeToString(g.raw[:2])
	bits, at := g.raw[2:10], 10
	defer func() {
		if recover() != nil { // garbage, on purpose
			g.rc = "?"
		}
	}()
	for de := 2; de <= 64; de++ {
		if bits[(de-1)/8]&(0x80>>((de-1)%8)) == 0 {
			continue
		}
		w, fixed := widths[de]
		if !fixed {
			p := prefixes[de]
			fmt.Sscanf(hex.EncodeToString(g.raw[at:at+p.size]), "%d", &w)
			at += p.size
			if p.digits {
				w = (w + 1) / 2
			}
		}
		v := g.raw[at : at+w]
		switch de {
		case 4:
			g.amount = hex.EncodeToString(v)
		case 11:
			g.stan = hex.EncodeToString(v)
		case 37:
			g.rrn = string(v)
		case 38:
			g.auth = string(v)
		case 39:
			g.rc = string(v)
		case 54:
			g.balance = string(v)
		case 55:
			g.chip = string(v)
		case 60:
			g.f60 = hex.EncodeToString(v)
		case 62:
			g.keys = string(v)
		case 63:
			g.text = string(v)
		case 64:
			g.macOK = string(v) == string(mac(c.mak, g.raw[:at]))
		}
		at += w
	}
	if at != len(g.raw) {
		g.rc = "?"
	}
	return g
}

func (c *client) send(mti string, f fields) got {
	c.t.Helper()
	c.write(c.raw(mti, f))
	return c.read()
}

func (c *client) next() string {
	c.stan++
	return fmt.Sprintf("%06d", c.stan)
}

func (c *client) ids(f fields) fields {
	f[41], f[42] = asc(acquirer.BenchTID), asc(acquirer.BenchMID)
	return f
}

// signOn takes the keys and checks their check values.
func (c *client) signOn(code string) got {
	c.t.Helper()
	g := c.send("0800", c.ids(fields{11: c.next(), 60: lll("00000001" + code), 63: "0003" + asc("01 ")}))
	if g.rc != "00" {
		return g
	}
	size := map[string]int{"001": 8, "003": 16, "004": 16}[code]
	b := block(unhex(c.t, acquirer.BenchTMK))
	var keys [3][]byte
	for i := 0; i*(size+4) < len(g.keys); i++ {
		slot := []byte(g.keys[i*(size+4):])
		k := ecb(b.Decrypt, slot[:size])
		if i == 1 && size == 16 && strings.Trim(string(slot[8:16]), "\x00") == "" {
			k = k[:8]
		}
		if kcv := ecb(block(k).Encrypt, make([]byte, 8))[:4]; string(kcv) != string(slot[size:size+4]) {
			c.t.Fatalf("key %d: check value %x", i, kcv)
		}
		keys[i] = k
	}
	c.pik, c.mak, c.tdk = keys[0], keys[1], keys[2]
	c.batch = g.f60[2:8]
	return g
}

// sale is the request for a swipe of so many fen, with fields replaced (a
// value of "-" takes one out).
func (c *client) sale(card string, fen int, with fields) fields {
	c.t.Helper()
	k, ok := c.h.Card(card)
	if !ok {
		c.t.Fatalf("no card %s", card)
	}
	f := c.ids(fields{3: "000000", 4: fmt.Sprintf("%012d", fen), 11: c.next(), 14: k.Expiry, 22: "0220", 25: "00", 35: ll(k.Track2()),
		49: asc("156"), 60: lll("22" + c.batch + "000500"), 64: ""})
	return f.with(with)
}

func (f fields) with(w fields) fields {
	for de, v := range w {
		if f[de] = v; v == "-" {
			delete(f, de)
		}
	}
	return f
}

// withPIN are the fields of a PIN, format 0 under key.
func (c *client) withPIN(card, pin string, key []byte) fields {
	k, _ := c.h.Card(card)
	clear := unhex(c.t, fmt.Sprintf("%02d%-14s", len(pin), pin)[:2]+strings.ReplaceAll(fmt.Sprintf("%-14s", pin), " ", "f"))
	for i, b := range unhex(c.t, "0000"+k.PAN[len(k.PAN)-13:len(k.PAN)-1]) {
		clear[i] ^= b
	}
	return fields{22: "0210", 26: "12", 52: hex.EncodeToString(ecb(block(key).Encrypt, clear)), 53: "2600000000000000"}
}

// reversal of a sale's fields.
func (c *client) reversal(card string, sale fields, with fields) fields {
	k, _ := c.h.Card(card)
	f := fields{2: ll(k.PAN), 39: asc("98")}
	for _, de := range []int{3, 4, 11, 14, 22, 25, 41, 42, 49, 60, 64} {
		f[de] = sale[de]
	}
	return f.with(with)
}

func (c *client) command(words string) {
	c.t.Helper()
	if _, err := c.h.Command(strings.Fields(words)...); err != nil {
		c.t.Fatalf("%s: %v", words, err)
	}
}

// want checks the answer's code and MAC.
func (c *client) want(g got, rc string) got {
	c.t.Helper()
	if g.rc != rc || !g.macOK {
		c.t.Fatalf("answered %s %s, MAC right %v, want %s; findings %v", g.mti, g.rc, g.macOK, rc, c.h.AllFindings())
	}
	return g
}

// clean checks that nothing was found wrong with this terminal.
func (c *client) clean() {
	c.t.Helper()
	if f := c.h.Findings(); len(f) > 0 {
		c.t.Errorf("findings: %v", f)
	}
}

package acquirer

import (
	"crypto/sha1" //nolint:gosec // the checksum of a CA key: EMV Book 2 Annex B3
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"swipewell/firmware/sim/card"
)

// tables are what this host gives terminals for chip cards, with the lies that a
// script wants. WIRE, "Tables for chip cards". The data objects are written by a
// hand of its own, not by the device's.
type tables struct {
	keys []caKey
	apps []app
	page int // entries of a page of the list
	lies map[string]string
}

// caKey is a key of a certification authority.
type caKey struct {
	rid              []byte
	index            byte
	modulus, e, hash []byte
	expiry           string // YYYYMMDD
}

func (k caKey) name() string { return fmt.Sprintf("%X/%02X", k.rid, k.index) }

// app is an application, as pairs of tag and value in hexadecimal.
type app struct {
	aid   string
	pairs [][2]string
}

// benchLastDay is that of the bench's test keys.
const benchLastDay = "20491231"

// defaultTables: the test keys of the simulated cards and their applications.
func defaultTables() (tables, error) {
	t := tables{page: 2, lies: map[string]string{}}
	for _, name := range card.Names() {
		p, err := card.Load(name)
		if err != nil {
			return t, err
		}
		rid, index, rsa, err := p.CAKey()
		if err != nil {
			return t, err
		}
		k := caKey{rid: rid, index: index, modulus: rsa.N, e: rsa.E, expiry: benchLastDay}
		sum := sha1.Sum(slices.Concat(rid, []byte{index}, rsa.N, rsa.E)) //nolint:gosec // as above
		k.hash = sum[:]
		if !slices.ContainsFunc(t.keys, func(o caKey) bool { return o.name() == k.name() }) {
			t.keys = append(t.keys, k)
		}
	}
	for _, aid := range []string{"A000000333010101", "A000000333010102", "A000000333010103"} {
		t.apps = append(t.apps, app{aid, [][2]string{{"9F06", aid}, {"DF01", "00"}, {"9F08", "0030"}, {"DF11", "DC4000A800"}, {"DF12", "DC4004F800"},
			{"DF13", "0010000000"}, {"9F1B", "00002710"}, {"DF15", "00000000"}, {"DF16", "00"}, {"DF17", "00"}, {"DF14", "9F3704"}, {"DF18", "01"},
			{"9F7B", "000000100000"}, {"DF19", "000000000000"}, {"DF20", "000000100000"}, {"DF21", "000000030000"}}})
	}
	return t, nil
}

// tableObject is one data object: tag and value in hexadecimal. ISO 7816-4 §5.2.2.
func tableObject(tag, value string) string {
	n := len(value) / 2
	length := fmt.Sprintf("%02X", n)
	if n > 127 {
		length = fmt.Sprintf("81%02X", n)
	}
	return tag + length + value
}

func raw(h string) string {
	b, err := hex.DecodeString(h)
	if err != nil {
		return ""
	}
	return string(b)
}

func (k caKey) id() string {
	return tableObject("9F06", fmt.Sprintf("%X", k.rid)) + tableObject("9F22", fmt.Sprintf("%02X", k.index))
}

func (t *tables) lie(what, name string) bool {
	v, ok := t.lies[what]
	return ok && (v == "" || strings.EqualFold(v, name))
}

// lastDay is the one that this host gives a key.
func (t *tables) lastDay(k caKey) string {
	if t.lie("expired", k.name()) {
		return "20201231"
	}
	return k.expiry
}

func (t *tables) key(k caKey) string {
	hash := slices.Clone(k.hash)
	if t.lie("checksum", k.name()) {
		hash[0] ^= 1
	}
	s := k.id() + tableObject("DF05", hex.EncodeToString([]byte(t.lastDay(k)))) + tableObject("DF06", "01") + tableObject("DF07", "01") +
		tableObject("DF02", hex.EncodeToString(k.modulus)) + tableObject("DF04", hex.EncodeToString(k.e)) + tableObject("DF03", hex.EncodeToString(hash))
	if t.lie("tag", k.name()) {
		s += tableObject("DF7F", "00")
	}
	return s
}

func (t *tables) app(a app) string {
	s := ""
	for _, p := range a.pairs {
		s += tableObject(p[0], p[1])
	}
	if t.lie("tag", a.aid) {
		s += tableObject("DF7F", "00")
	}
	return s
}

// list is a page of a list, behind its flag: 2 more follow, 3 the last of many, 1
// the only one, 0 there are none.
func (t *tables) list(keys bool, page int) string {
	var entries []string
	for _, k := range t.keys {
		if keys {
			entries = append(entries, k.id()+tableObject("DF05", t.lastDay(k)))
		}
	}
	for _, a := range t.apps {
		if !keys {
			entries = append(entries, tableObject("9F06", a.aid))
		}
	}
	n := len(entries)
	switch {
	case t.lie("garbage", ""):
		return "1" + raw("9F06FF00")
	case n == 0:
		return "0"
	case t.lie("endless", ""):
		return "2" + raw(strings.Join(entries[:min(t.page, n)], ""))
	}
	from := min(page*t.page, n)
	to := min(from+t.page, n)
	flag := "2"
	switch {
	case to == n && page == 0:
		flag = "1"
	case to == n:
		flag = "3"
	}
	return flag + raw(strings.Join(entries[from:to], ""))
}

// record is the one that a request names, behind "1"; "0" if there is none.
func (t *tables) record(keys bool, want string) string {
	got := strings.ToUpper(hex.EncodeToString([]byte(want)))
	for _, k := range t.keys {
		if keys && k.id() == got && !t.lie("missing", k.name()) {
			return "1" + raw(t.key(k))
		}
	}
	for _, a := range t.apps {
		if !keys && tableObject("9F06", a.aid) == got && !t.lie("missing", a.aid) {
			return "1" + raw(t.app(a))
		}
	}
	return "0"
}

// tableCodes are the network codes of the download: whether of keys, and the MTI.
var tableCodes = map[string]struct {
	keys bool
	mti  string
}{"372": {true, "0820"}, "370": {true, "0800"}, "371": {true, "0800"}, "382": {false, "0820"}, "380": {false, "0800"}, "381": {false, "0800"}}

// download answers 0820/372 and 382, 0800/370, 380, 371 and 381. HOST §1.3.
func (x *exchange) download(code string) message {
	c := tableCodes[code]
	needs, may := []int{41, 42, 60, 62}, []int{11}
	if code[2] == '1' {
		needs = []int{41, 42, 60}
	}
	if a, bad := x.fields(needs, may); bad {
		return a
	}
	if rc := x.how.rc; rc != "" && !approving[rc] {
		return x.answer(rc)
	}
	a, v := x.answer("00"), x.m.f[62]
	switch code[2] {
	case '2':
		page, err := strconv.Atoi(strings.TrimPrefix(v, "1"))
		if len(v) != 3 || v[0] != '1' || err != nil {
			return x.refuse(FindKind, 62, "a page of a list is 1nn", "30")
		}
		a.f[62] = x.h.tables.list(c.keys, page)
	case '0':
		a.f[62] = x.h.tables.record(c.keys, v)
	}
	return a
}

// lies that a host can tell of its tables.
var lies = []string{"checksum", "tag", "expired", "missing", "endless", "garbage"}

// commandTables is `host tables …`.
func (h *Host) commandTables(args []string) error {
	t := &h.tables
	switch {
	case len(args) == 1 && args[0] == "normal":
		fresh, err := defaultTables()
		if err != nil {
			return err
		}
		h.tables = fresh
	case len(args) == 2 && args[0] == "page":
		n, err := strconv.Atoi(args[1])
		if err != nil || n < 1 || n > 9 {
			return fmt.Errorf("acquirer: tables page N, 1 to 9 entries")
		}
		t.page = n
	case len(args) == 2 && args[0] == "drop":
		n := len(t.keys) + len(t.apps)
		t.keys = slices.DeleteFunc(t.keys, func(k caKey) bool { return strings.EqualFold(k.name(), args[1]) })
		t.apps = slices.DeleteFunc(t.apps, func(a app) bool { return strings.EqualFold(a.aid, args[1]) })
		if len(t.keys)+len(t.apps) == n {
			return fmt.Errorf("acquirer: no record %s", args[1])
		}
	case len(args) == 3 && args[0] == "floor":
		n, err := strconv.ParseUint(args[2], 10, 32)
		i := slices.IndexFunc(t.apps, func(a app) bool { return strings.EqualFold(a.aid, args[1]) })
		if err != nil || i < 0 {
			return fmt.Errorf("acquirer: tables floor AID MINOR")
		}
		for j := range t.apps[i].pairs {
			if t.apps[i].pairs[j][0] == "9F1B" {
				t.apps[i].pairs[j][1] = fmt.Sprintf("%08X", n)
			}
		}
	case (len(args) == 1 || len(args) == 2) && slices.Contains(lies, args[0]):
		t.lies[args[0]] = strings.Join(args[1:], "")
	default:
		return fmt.Errorf("acquirer: tables normal | page N | drop NAME | floor AID MINOR | %s [NAME]", strings.Join(lies, "|"))
	}
	return nil
}

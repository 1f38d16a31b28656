// Package tr31 reads keys that travel in key blocks: bound to what they are for,
// so that nobody makes a MAC key of a PIN key on the way. It reads versions A, B
// and D; C is refused as the specification wants it, and nothing is written.
//
// Sources:
//   - TR31: ASC X9 TR-31:2018 = ANSI X9.143; §5.1 header, §5.3 binding (vectors in A.7)
//   - SP800-38B: NIST, CMAC, from which versions B and D derive their keys
package tr31

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
)

// Errors say which rule a block broke; *Error says where.
var (
	ErrVersion  = errors.New("tr31: not a version that this device takes (A, B, D)")
	ErrLength   = errors.New("tr31: not as long as it says")
	ErrHeader   = errors.New("tr31: not a header")
	ErrOptional = errors.New("tr31: not an optional block")
	ErrPayload  = errors.New("tr31: not a wrapped key")
	ErrMAC      = errors.New("tr31: the block was changed, or is for another key")
)

// Error is what is wrong with a block, and at which byte of it.
type Error struct {
	At  int
	Err error
	Why string
}

func (e *Error) Error() string { return fmt.Sprintf("%v: byte %d: %s", e.Err, e.At, e.Why) }
func (e *Error) Unwrap() error { return e.Err }

// Header is what a block says of its key, in clear and authenticated. TR31 §5.1.
type Header struct {
	Version       byte   // A, B or D
	Usage         string // two characters: "P0", "M3", "D0", "K0", "B1"…
	Algorithm     byte   // D, T or A: DES, Triple DES, AES
	Mode          byte   // mode of use: E, D, B, C, G, V, N, S, T, X or Y
	KeyVersion    string // "00": none
	Exportability byte   // E, N or S
	Optional      []Optional
}

// Optional is one optional block; its data is ASCII. TR31 §5.2.
type Optional struct {
	ID   string // "KS": key serial number, "IK": AES DUKPT initial key ID, "TS", "PB"…
	Data string
}

// Opt finds an optional block.
func (h Header) Opt(id string) (string, bool) {
	for _, o := range h.Optional {
		if o.ID == id {
			return o.Data, true
		}
	}
	return "", false
}

// Block is a block that has the right form. Only Unwrap tells whether it is true.
type Block struct {
	Header
	head    []byte // as on the wire, for the MAC
	payload []byte // encrypted
	mac     []byte
}

const (
	headerLen = 16
	maxLen    = 9999 // four digits
)

// form of a version: block size of its cipher and length of its MAC, in bytes.
var forms = map[byte]struct{ block, mac int }{'A': {8, 4}, 'B': {8, 8}, 'D': {16, 16}}

// Parse checks the form. Every error is an *Error.
func Parse(raw []byte) (*Block, error) {
	if len(raw) < headerLen {
		return nil, &Error{len(raw), ErrLength, "the header has 16 characters"}
	}
	for i, c := range raw {
		if c < 0x20 || c > 0x7E {
			return nil, &Error{i, ErrHeader, "not printable ASCII"}
		}
	}
	b := &Block{Header: Header{Version: raw[0], Usage: string(raw[5:7]), Algorithm: raw[7], Mode: raw[8], KeyVersion: string(raw[9:11]), Exportability: raw[11]}}
	form, ok := forms[b.Version]
	if !ok {
		return nil, &Error{0, ErrVersion, strconv.QuoteRune(rune(b.Version))}
	}
	if n, ok := decimal(raw[1:5]); !ok || n != len(raw) || n > maxLen {
		return nil, &Error{1, ErrLength, fmt.Sprintf("says %s, has %d", raw[1:5], len(raw))}
	}
	if err := b.checkHeader(raw); err != nil {
		return nil, err
	}
	n, ok := decimal(raw[12:14])
	if !ok {
		return nil, &Error{12, ErrHeader, "number of optional blocks"}
	}
	at, err := b.optional(raw, n)
	if err != nil {
		return nil, err
	}
	if at%form.block != 0 {
		return nil, &Error{at, ErrOptional, fmt.Sprintf("they end off a block of %d", form.block)}
	}
	b.head = append([]byte(nil), raw[:at]...)
	body := raw[at:]
	for i, c := range body {
		if (c < '0' || c > '9') && (c < 'A' || c > 'F') {
			return nil, &Error{at + i, ErrPayload, "not upper-case hex"}
		}
	}
	cut := len(body) - 2*form.mac
	if cut <= 0 || cut%(2*form.block) != 0 {
		return nil, &Error{at, ErrPayload, fmt.Sprintf("%d characters with a MAC of %d", len(body), 2*form.mac)}
	}
	bin := make([]byte, len(body)/2)
	if _, err := hex.Decode(bin, body); err != nil {
		return nil, &Error{at, ErrPayload, "hex"}
	}
	b.payload, b.mac = bin[:cut/2], bin[cut/2:]
	return b, nil
}

// checkHeader refuses values that TR-31 does not know. §5.1, tables 2 to 5.
func (b *Block) checkHeader(raw []byte) error {
	upper := func(c byte) bool { return c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' }
	switch {
	case !upper(raw[5]) || !upper(raw[6]):
		return &Error{5, ErrHeader, "key usage"}
	case b.Algorithm != 'D' && b.Algorithm != 'T' && b.Algorithm != 'A':
		return &Error{7, ErrHeader, "algorithm " + strconv.QuoteRune(rune(b.Algorithm))}
	case b.Algorithm == 'A' && b.Version != 'D':
		return &Error{7, ErrHeader, "an AES key under Triple DES"}
	case !oneOf(b.Mode, "BCDEGNSTVXY"):
		return &Error{8, ErrHeader, "mode of use " + strconv.QuoteRune(rune(b.Mode))}
	case raw[9] == 'c':
		return &Error{9, ErrHeader, "a component is not a key"}
	case !oneOf(b.Exportability, "ENS"):
		return &Error{11, ErrHeader, "exportability " + strconv.QuoteRune(rune(b.Exportability))}
	case raw[14] != '0' || raw[15] != '0':
		return &Error{14, ErrHeader, "reserved, and not 00"}
	}
	return nil
}

// optional reads n blocks: ID, length of the whole in two hex digits, data. A
// length of 00 is followed by 02 and four digits. TR31 §5.2.
func (b *Block) optional(raw []byte, n int) (at int, err error) {
	at = headerLen
	for range n {
		if len(raw)-at < 4 {
			return 0, &Error{at, ErrOptional, "cut off"}
		}
		start, head := at, 4
		size, ok := hexNumber(raw[at+2 : at+4])
		if ok && size == 0 {
			if head = 10; len(raw)-at < head || string(raw[at+4:at+6]) != "02" {
				return 0, &Error{at + 4, ErrOptional, "length of the length"}
			}
			size, ok = hexNumber(raw[at+6 : at+10])
		}
		if !ok || size < head || size > len(raw)-at {
			return 0, &Error{at + 2, ErrOptional, "length"}
		}
		id := string(raw[at : at+2])
		if _, twice := b.Opt(id); twice {
			return 0, &Error{at, ErrOptional, id + " twice"}
		}
		at += size
		b.Optional = append(b.Optional, Optional{id, string(raw[start+head : at])})
	}
	return at, nil
}

func oneOf(c byte, set string) bool {
	for i := range len(set) {
		if set[i] == c {
			return true
		}
	}
	return false
}

func decimal(b []byte) (n int, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, true
}

func hexNumber(b []byte) (n int, ok bool) {
	for _, c := range b {
		switch {
		case c >= '0' && c <= '9':
			n = 16*n + int(c-'0')
		case c >= 'A' && c <= 'F':
			n = 16*n + int(c-'A') + 10
		default:
			return 0, false
		}
	}
	return n, true
}

package iso8583_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	. "swipewell/firmware/iso8583"
)

// honest has a field of every attribute; each lie changes one place of it.
// Offsets:  0 MTI, 2 bitmap, 10 DE 2, 19 DE 3, 22 DE 4, 28 DE 22, 30 DE 23,
// 32 DE 32, 35 DE 35, 48 DE 38, 54 DE 41, 62 DE 60, 70 DE 61, 78 DE 64.
const honest = `0200 7000060124800019 16 6225880000000091 000000 000000001280 0210 0001 03 1230
	23 6225880000000091D3012200 313233343536 3030303030303031 0011 220000010000 0012 000001000002 4233413039324145`

func TestLies(t *testing.T) {
	for _, c := range []struct {
		name, from, to string
		field, offset  int
		reason         Reason
	}{
		{"nothing changed", "", "", -1, 0, 0},
		{"MTI with a letter", "0200 70", "02A0 70", 0, 0, BadMTI},
		{"MTI of 1993", "0200 70", "1200 70", 0, 0, BadMTI},
		{"MTI of no class", "0200 70", "0000 70", 0, 0, BadMTI},
		{"second bitmap", "7000060124800019", "F000060120840019", 1, 2, SecondBitmap},
		{"bitmap hides DE 61", "7000060124800019", "7000060124800011", 0, 78, TrailingBytes},
		{"bitmap hides DE 64", "7000060124800019", "7000060124800018", 0, 78, TrailingBytes},
		{"bitmap announces DE 62, which is not there", "7000060124800019", "700006012480001D", 62, 78, BadLength},
		{"bitmap announces DE 24, unknown", "7000060124800019", "7000070124800019", 24, 32, UnknownField},
		{"LL is no number", "16 6225", "1A 6225", 2, 10, BadLength},
		{"LL beyond the most", "16 6225", "20 6225", 2, 10, BadLength},
		{"PAN with a letter", "0000000091 000000", "00000000B1 000000", 2, 18, BadDigit},
		{"amount with a low letter", "000000001280", "00000000128F", 4, 27, BadDigit},
		{"DE 22, wrong filler", "0210 0001", "0211 0001", 22, 29, BadPad},
		{"DE 22, right aligned", "0210 0001", "0021 0001", 22, 29, BadPad},
		{"DE 23, wrong filler", "0210 0001", "0210 1001", 23, 30, BadPad},
		{"DE 23, left aligned", "0210 0001", "0210 A010", 23, 30, BadPad},
		{"DE 23, letter behind the filler", "0210 0001", "0210 0B01", 23, 30, BadDigit},
		{"DE 23, letter in the second byte", "0210 0001", "0210 000C", 23, 31, BadDigit},
		{"DE 32, wrong filler", "03 1230", "03 1231", 32, 34, BadPad},
		{"DE 35, wrong filler", "D3012200", "D3012201", 35, 47, BadPad},
		{"DE 35, cryptogram without DE 53", "D3012200", "E3012200", 35, 44, BadDigit},
		{"DE 38, control byte", "313233343536", "313200343536", 38, 50, BadCharacter},
		{"DE 38, punctuation", "313233343536", "312D33343536", 38, 49, BadCharacter},
		{"DE 38, before A", "313233343536", "314033343536", 38, 49, BadCharacter},
		{"DE 38, behind Z", "313233343536", "315B33343536", 38, 49, BadCharacter},
		{"DE 38, before a", "313233343536", "316033343536", 38, 49, BadCharacter},
		{"DE 38, behind z", "313233343536", "317B33343536", 38, 49, BadCharacter},
		{"DE 38, of another script", "313233343536", "31C133343536", 38, 49, BadCharacter},
		{"DE 41, delete", "3030303030303031", "307F303030303031", 41, 55, BadCharacter},
		{"DE 41, control byte", "3030303030303031", "300A303030303031", 41, 55, BadCharacter},
		{"DE 60, LLL with a letter", "0011 2200", "001B 2200", 60, 62, BadLength},
		{"DE 60, LLL beyond the most", "0011 2200", "0041 2200", 60, 62, BadLength},
		{"DE 60, LLL with a thousand", "0011 2200", "1011 2200", 60, 62, BadLength},
		{"DE 60, wrong filler", "220000010000 0012", "220000010007 0012", 60, 69, BadPad},
		{"DE 61, one byte short", "0012 000001000002", "0012 0000010002", 64, 78, Truncated},
		{"a byte too many", "4233413039324145", "423341303932414500", 0, 86, TrailingBytes},
		{"a byte too few", "4233413039324145", "42334130393241", 64, 78, Truncated},
		{"cut inside DE 61", "000001000002 4233413039324145", "000001", 61, 70, Truncated},
		{"cut before DE 61", "0012 000001000002 4233413039324145", "00", 61, 70, Truncated},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(honest, c.from) {
				t.Fatalf("%q is not in the message", c.from)
			}
			raw := unhex(strings.Replace(honest, c.from, c.to, 1))
			var m Message
			err := UnionPay.Parse(&m, raw)
			if c.field < 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var fe *FieldError
			if !errors.As(err, &fe) {
				t.Fatalf("got %v", err)
			}
			if fe.Field != c.field || fe.Offset != c.offset || fe.Reason != c.reason {
				t.Errorf("got %v; want DE %d at %d: %v", err, c.field, c.offset, c.reason)
			}
			if fe.Name != UnionPay.Name(c.field) || c.field > 0 && !strings.Contains(err.Error(), fe.Name) {
				t.Errorf("%q does not name its field", err)
			}
			if m.MTI != 0 || m.Has(DEPAN) || m.Bytes(DETrack2) != nil {
				t.Error("what was refused is not empty")
			}
		})
	}
}

// Every prefix of a message is refused, whatever ends where it ends.
func TestEveryCutIsRefused(t *testing.T) {
	chip, _ := open(t, unhex(vector5Full))
	for _, raw := range [][]byte{unhex(honest), chip.Message} {
		var m Message
		if err := UnionPay.Parse(&m, raw); err != nil {
			t.Fatal(err)
		}
		for n := range raw {
			var fe *FieldError
			if err := UnionPay.Parse(&m, raw[:n]); !errors.As(err, &fe) || fe.Reason != Truncated || fe.Offset > n {
				t.Errorf("%d of %d bytes: %v", n, len(raw), err)
			}
		}
	}
}

// What Set refuses is remembered, wrapped, and comes out of Append once.
func TestSetRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		set    func(m *Message)
		field  int
		offset int
		reason Reason
	}{
		{"unknown field", func(m *Message) { m.SetDigits(24, "003") }, 24, 0, UnknownField},
		{"no such field", func(m *Message) { m.SetText(65, "x") }, 65, 0, UnknownField},
		{"the bitmap", func(m *Message) { m.SetBytes(1, []byte{0}) }, 1, 0, UnknownField},
		{"negative field", func(m *Message) { m.SetDigits(-3, "1") }, -3, 0, UnknownField},
		{"digits in a text field", func(m *Message) { m.SetDigits(DERRN, "000000000001") }, 37, 0, WrongKind},
		{"text in a digit field", func(m *Message) { m.SetText(DESTAN, "000001") }, 11, 0, WrongKind},
		{"bytes in a text field", func(m *Message) { m.SetBytes(DEResponse, []byte("00")) }, 39, 0, WrongKind},
		{"track in a digit field", func(m *Message) { m.SetTrack(DEPAN, []byte("1")) }, 2, 0, WrongKind},
		{"too long", func(m *Message) { m.SetDigits(DEPAN, "12345678901234567890") }, 2, 0, BadLength},
		{"too short, fixed", func(m *Message) { m.SetDigits(DESTAN, "1") }, 11, 0, BadLength},
		{"a letter", func(m *Message) { m.SetDigits(DESTAN, "00A001") }, 11, 2, BadDigit},
		{"a separator in a number", func(m *Message) { m.SetDigits(DESTAN, "0000=1") }, 11, 4, BadDigit},
		{"a cryptogram as digits", func(m *Message) { m.SetDigits(DETrack2, "1A") }, 35, 1, BadDigit},
		{"a small letter in a track", func(m *Message) { m.SetTrack(DETrack2, []byte("12d3")) }, 35, 2, BadDigit},
		{"a control byte", func(m *Message) { m.SetText(DETerminalID, "0000\x00001") }, 41, 4, BadCharacter},
		{"a sign in an auth code", func(m *Message) { m.SetText(DEAuthCode, "12345-") }, 38, 5, BadCharacter},
		{"a number too big", func(m *Message) { m.SetNumber(DESTAN, 1000000) }, 11, 0, BadLength},
		{"a number in a variable field", func(m *Message) { m.SetNumber(DEPAN, 1) }, 2, 0, WrongKind},
		{"more than fits", func(m *Message) {
			for de := 58; de <= 59; de++ {
				m.SetBytes(de, make([]byte, 999))
			}
			m.SetBytes(DEKeys, make([]byte, 100))
		}, 62, 0, NoRoom},
		{"the first counts", func(m *Message) { m.SetNumber(DESTAN, 1000000); m.SetDigits(DEPAN, "x") }, 11, 0, BadLength},
	} {
		t.Run(c.name, func(t *testing.T) {
			var m Message
			m.Reset(0x0200)
			c.set(&m)
			before := []byte("kept")
			out, err := UnionPay.Append(before, &m)
			var fe *FieldError
			if !errors.As(err, &fe) || !errors.Is(err, ErrField) || !errors.Is(m.Err(), ErrField) {
				t.Fatalf("got %v", err)
			}
			if fe.Field != c.field || fe.Offset != c.offset || fe.Reason != c.reason {
				t.Errorf("got %v, want DE %d at %d: %v", err, c.field, c.offset, c.reason)
			}
			if string(out) != "kept" {
				t.Error("dst was changed")
			}
			if m.Reset(0x0800); m.Err() != nil {
				t.Error("Reset keeps the error")
			}
		})
	}
}

// A cryptogram passes as a track only where DE 53 says so, both ways.
func TestEncryptedTrack(t *testing.T) {
	const crypt = "622588211640009145C3822EAB55562B6"
	var m, back Message
	m.Reset(0x0200)
	m.SetTrack(DETrack2, []byte(crypt))
	_, err := UnionPay.Append(nil, &m)
	var fe *FieldError
	// 10 of head, 1 of length, and the first byte with a letter is the tenth.
	if !errors.As(err, &fe) || fe.Field != DETrack2 || fe.Offset != 10+1+9 || fe.Reason != BadDigit {
		t.Errorf("in clear: %v", err)
	}
	// Room of the caller keeps nothing of what was refused, and DE 53 alone is
	// no leave.
	m.SetDigits(DESecurity, Security{PIN: PINWithPAN, Algorithm: TDES}.Digits())
	room := make([]byte, 100)
	if out, err := UnionPay.Append(room[:4], &m); err == nil || len(out) != 4 || !bytes.Equal(room, make([]byte, 100)) {
		t.Errorf("refused with %v and left %x", err, room)
	}
	m.SetDigits(DESecurity, Security{PIN: PINWithPAN, Algorithm: TDES, Tracks: true}.Digits())
	raw, err := UnionPay.Append(nil, &m)
	if err != nil {
		t.Fatal(err)
	}
	if err := UnionPay.Parse(&back, raw); err != nil || !back.TracksEncrypted() || back.Digits(DETrack2) != crypt {
		t.Errorf("%v: %v", err, &back)
	}
}

func TestAppendRefuses(t *testing.T) {
	var m, other Message
	m.Reset(0)
	if _, err := UnionPay.Append(nil, &m); err == nil {
		t.Error("a message without a type was packed")
	}
	new(Dialect).Begin(&other, 0x0200)
	if _, err := UnionPay.Append(nil, &other); err == nil {
		t.Error("a message of another dialect was packed")
	}
	if other.SetDigits(DESTAN, "000001"); other.Err() == nil {
		t.Error("a dialect without fields took one")
	}
	// A parsed message stands in the raw bytes, which Set must not touch.
	if err := UnionPay.Parse(&m, unhex(honest)); err != nil {
		t.Fatal(err)
	}
	m.SetDigits(DESTAN, "000001")
	if _, err := UnionPay.Append(nil, &m); !errors.Is(err, ErrField) {
		t.Errorf("set in a parsed message: %v", err)
	}
}

package iso8583_test

import (
	"slices"
	"testing"

	. "swipewell/firmware/iso8583"
)

func TestValues(t *testing.T) {
	var m Message
	m.Reset(0x0200)
	m.SetNumber(DEAmount, 1280)
	m.SetNumber(DEEntryMode, 21)
	m.SetNumber(DEPANSequence, 1)
	m.SetDigits(DETrack2, "6225880000000091=3012")
	m.SetText(DEResponse, "00")
	m.SetText(DEAdditional, "")
	m.ReserveMAC()
	for _, c := range []struct {
		what string
		got  any
		want any
	}{
		{"amount", m.Digits(DEAmount), "000000001280"},
		{"DE 22 stands left", string(m.Bytes(DEEntryMode)), "\x02\x10"},
		{"DE 23 stands right", string(m.Bytes(DEPANSequence)), "\x00\x01"},
		{"DE 22 reads back", m.Digits(DEEntryMode), "021"},
		{"DE 23 reads back", m.Digits(DEPANSequence), "001"},
		{"track", m.Digits(DETrack2), "6225880000000091=3012"},
		{"track as text of octets", m.Len(DETrack2), 21},
		{"digits of a text field", m.Digits(DEResponse), ""},
		{"digits of an absent field", m.Digits(DEPAN), ""},
		{"digits of no field", m.Digits(99), ""},
		{"bytes of no field", m.Bytes(-1) == nil, true},
		{"text", m.Text(DEResponse), "00"},
		{"an empty field is there", m.Has(DEAdditional) && m.Text(DEAdditional) == "", true},
		{"MAC is reserved", m.Text(DEMAC), "\x00\x00\x00\x00\x00\x00\x00\x00"},
		{"in order", slices.Collect(m.Fields), []int{4, 22, 23, 35, 39, 44, 64}},
	} {
		if s, ok := c.want.([]int); ok && slices.Equal(c.got.([]int), s) {
			continue
		} else if !ok && c.got == c.want {
			continue
		}
		t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
	}
	if v, ok := m.Number(DEAmount); !ok || v != 1280 {
		t.Errorf("Number %d, %v", v, ok)
	}
	for _, de := range []int{DEPAN, DETrack2, DEResponse, 0, 65} {
		if _, ok := m.Number(de); ok {
			t.Errorf("DE %d is a number", de)
		}
	}
	m.SetDigits(DEPrivate48, "12345678901234567890")
	if _, ok := m.Number(DEPrivate48); ok {
		t.Error("twenty digits are a number")
	}
}

// A field that is set again or unset leaves nothing behind.
func TestReplaceAndUnset(t *testing.T) {
	var m Message
	m.Reset(0x0200)
	m.SetDigits(DEPAN, "6225880000000091")
	old := m.Bytes(DEPAN)
	m.SetDigits(DEPAN, "4111111111111111")
	if old[0] != 0 || m.Digits(DEPAN) != "4111111111111111" {
		t.Error("the first value is still there")
	}
	old = m.Bytes(DEPAN)
	if m.Unset(DEPAN); m.Has(DEPAN) || old[0] != 0 {
		t.Error("Unset leaves the value")
	}
	m.SetDigits(DEPAN, "6225880000000091")
	old = m.Bytes(DEPAN)
	if m.Reset(0); old[0] != 0 {
		t.Error("Reset leaves the value")
	}
}

func TestMTI(t *testing.T) {
	for _, c := range []struct {
		mti              string
		class            Class
		answer           string
		response, advice bool
		repeat           bool
	}{
		{"0200", Financial, "0210", false, false, false},
		{"0210", Financial, "", true, false, false},
		{"0220", Financial, "0230", false, true, false},
		{"0230", Financial, "", true, true, false},
		{"0221", Financial, "0230", false, true, true},
		{"0400", Reversal, "0410", false, false, false},
		{"0401", Reversal, "0410", false, false, true},
		{"0100", Authorisation, "0110", false, false, false},
		{"0320", FileAction, "0330", false, true, false},
		{"0500", Reconciliation, "0510", false, false, false},
		{"0620", Administrative, "0630", false, true, false},
		{"0800", Network, "0810", false, false, false},
	} {
		m, err := ParseMTI(c.mti)
		if err != nil || m.String() != c.mti || m.Class() != c.class || m.IsResponse() != c.response || m.IsAdvice() != c.advice || m.IsRepeat() != c.repeat {
			t.Errorf("%s: %v %v class %d", c.mti, err, m, m.Class())
		}
		if c.answer != "" && m.Response().String() != c.answer {
			t.Errorf("%s is answered by %v, want %s", c.mti, m.Response(), c.answer)
		}
	}
	for _, bad := range []string{"", "020", "02000", "02A0", "1200", "0000", "0900", "２００"} {
		if m, err := ParseMTI(bad); err == nil {
			t.Errorf("%q is MTI %v", bad, m)
		}
	}
}

// DE 63 is for people and may be GBK, or anything: it is no reason to lose an
// answer. DE 44 is codes in ASCII.
func TestTextMayBeGBK(t *testing.T) {
	const gbk = "CUP\xBD\xBB\xD2\xD7\xB3\xC9\xB9\xA6\x00"
	var m, back Message
	m.Reset(0x0210)
	m.SetText(DETexts, gbk)
	raw, err := UnionPay.Append(nil, &m)
	if err != nil {
		t.Fatal(err)
	}
	if err := UnionPay.Parse(&back, raw); err != nil || back.Text(DETexts) != gbk {
		t.Errorf("%q, %v", back.Text(DETexts), err)
	}
	if m.SetText(DEAdditional, gbk); m.Err() == nil {
		t.Error("GBK in DE 44")
	}
}

func TestMACRegion(t *testing.T) {
	if _, _, ok := MACRegion(unhex("0200 0000000000000000")); ok {
		t.Error("a MAC without DE 64")
	}
	if _, _, ok := MACRegion(unhex("0200 0000000000000001 00000000000000")); ok {
		t.Error("a MAC of seven bytes")
	}
	raw := unhex(honest)
	mab, mac, ok := MACRegion(raw)
	if !ok || len(mab)+8 != len(raw) || cap(mab) != len(mab) {
		t.Fatalf("MAB of %d bytes", len(mab))
	}
	if mac[0] = 'x'; raw[len(raw)-8] != 'x' {
		t.Error("the MAC is not a slice of the message")
	}
}

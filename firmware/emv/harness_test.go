package emv_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"swipewell/firmware/emv"
	"swipewell/firmware/emv/replay"
	"swipewell/firmware/emv/tlv"
	"swipewell/firmware/sim/card"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

func upper(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }

// profile is a card of the tree sim/card, changed.
func profile(t testing.TB, name string, change func(*card.Profile)) card.Profile {
	t.Helper()
	p, err := card.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&p)
	}
	return p
}

// terminal is an attended terminal with a line, every method of verification and
// the key of the card's scheme.
func terminal(t testing.TB, p card.Profile) *replay.File {
	t.Helper()
	f := &replay.File{
		Config: map[string]replay.Hex{
			"9F1A": unhex("0156"), "9F33": unhex("E0F8C8"), "9F35": unhex("22"), "9F40": unhex("FA00F0A3FF"), "9F09": unhex("0030"),
			"9F1B": unhex("00002710"), "DF11": unhex("DC4000A800"), "DF12": unhex("DC4004F800"), "DF13": unhex("0010000000"), "DF14": unhex("9F3704"),
		},
		Params: map[string]replay.Hex{
			"9A": unhex("261126"), "9F21": unhex("120000"), "5F2A": unhex("0156"), "9C": unhex("00"), "9F02": unhex("000000001234"), "9F03": unhex("000000000000"),
		},
		Random: []replay.Hex{unhex("10111213"), unhex("62")},
		Apps:   []replay.App{{AID: unhex("A000000333010101")}, {AID: unhex("A000000333010102")}},
		PIN:    []string{p.PIN},
	}
	if rid, index, k, err := p.CAKey(); err == nil {
		f.CAPK = replay.Keys{{RID: rid, Index: []byte{index}, Modulus: k.N, Exponent: k.E}}
	}
	return f
}

// issuer answers as the issuer of a card does.
type issuer func(p card.Profile, s emv.State) *replay.Host

func value(s emv.State, t tlv.Tag) []byte { v, _ := s.Get(t); return v }

func verified(p card.Profile, s emv.State) bool {
	v := map[string][]byte{}
	for _, t := range []tlv.Tag{0x9F02, 0x9F03, 0x9F1A, 0x95, 0x5F2A, 0x9A, 0x9C, 0x9F37, 0x82, 0x9F36, 0x9F10} {
		v[t.String()] = value(s, t)
	}
	return card.IssuerOf(p).Verify(p.PAN, p.PSN, value(s, 0x9F26), v)
}

// approve checks the cryptogram and says yes with its proof.
func approve(p card.Profile, s emv.State) *replay.Host {
	h := &replay.Host{ARC: "00"}
	if !verified(p, s) {
		h.ARC = "59"
	}
	h.AuthData = card.IssuerOf(p).Answer(p.PAN, p.PSN, value(s, 0x9F36), value(s, 0x9F26), [2]byte([]byte(h.ARC)))
	return h
}

func decline(p card.Profile, s emv.State) *replay.Host {
	return &replay.Host{ARC: "51", AuthData: card.IssuerOf(p).Answer(p.PAN, p.PSN, value(s, 0x9F36), value(s, 0x9F26), [2]byte{'5', '1'})}
}

func noAnswer(card.Profile, emv.State) *replay.Host  { return &replay.Host{Reach: "no-answer"} }
func neverSent(card.Profile, emv.State) *replay.Host { return &replay.Host{Reach: "never-sent"} }

// with changes an answer.
func (i issuer) with(change func(*replay.Host, card.Profile, emv.State)) issuer {
	return func(p card.Profile, s emv.State) *replay.Host {
		h := i(p, s)
		change(h, p, s)
		return h
	}
}

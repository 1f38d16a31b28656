package iso8583_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	. "swipewell/firmware/iso8583"
)

// drawMessage makes any message that the dialect can write: a set of fields,
// each with any value of its attribute. Binary values are in hex.
func drawMessage(t *rapid.T, without ...int) (MTI, map[int]string) {
	mti := rapid.SampledFrom([]MTI{0x0100, 0x0200, 0x0210, 0x0220, 0x0400, 0x0410, 0x0500, 0x0620, 0x0800, 0x0810}).Draw(t, "mti")
	out, size := map[int]string{}, 0
	encrypted := rapid.Bool().Draw(t, "tracks encrypted")
	for de := 2; de <= 64; de++ {
		if UnionPay.Name(de) == "" || contains(without, de) || !rapid.Bool().Draw(t, fmt.Sprint("DE ", de)) {
			continue
		}
		packed, track, alnum, binary, variable, _, most := UnionPay.Row(de)
		n := most
		if variable {
			n = rapid.IntRange(0, most).Draw(t, "length")
		}
		if size += n; size > 1900 {
			break // the room of one message
		}
		alphabet := ` !"#*-./0123456789:ABCXYZ^_az~`
		switch {
		case track && encrypted:
			alphabet = "0123456789ABC=EF"
		case track:
			alphabet = "0123456789="
		case packed:
			alphabet = "0123456789"
		case alnum:
			alphabet = " 09AZaz"
		case binary:
			alphabet, n = "0123456789ABCDEF", 2*n
		}
		out[de] = drawString(t, alphabet, n)
	}
	if encrypted && (out[DETrack2] != "" || out[DETrack3] != "") {
		out[DESecurity] = Security{PIN: PINWithPAN, Algorithm: TDES, Tracks: true}.Digits()
	} else if v := out[DESecurity]; v != "" {
		out[DESecurity] = v[:2] + "0" + v[3:]
	}
	return mti, out
}

func contains(s []int, v int) bool {
	for _, x := range s {
		if x == v {
			return true
		}
	}
	return false
}

// drawString stretches a few drawn letters to n: a long field costs no more
// than a short one.
func drawString(t *rapid.T, alphabet string, n int) string {
	seed := rapid.SliceOfN(rapid.SampledFrom([]byte(alphabet)), 1, 8).Draw(t, "letters")
	out := make([]byte, n)
	for i := range out {
		out[i] = seed[i%len(seed)]
	}
	return string(out)
}

// What was built is parsed with the same values, and packs to the same bytes.
func TestBuildParsePack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mti, want := drawMessage(t)
		var m, back Message
		fill(&m, mti, want)
		raw, err := UnionPay.Append([]byte("before"), &m)
		if err != nil {
			t.Fatal(err)
		}
		raw = raw[len("before"):]
		if err := UnionPay.Parse(&back, raw); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, values(&back)); d != "" || back.MTI != mti {
			t.Fatalf("%v became %v\n%s", mti, back.MTI, d)
		}
		again, err := UnionPay.Append(nil, &back)
		if err != nil || !bytes.Equal(again, raw) {
			t.Fatalf("re-packed differently, %v", err)
		}
		// One byte more or less is never the same message.
		if UnionPay.Parse(&back, raw[:len(raw)-1]) == nil || UnionPay.Parse(&back, append(raw, 0)) == nil {
			t.Fatal("a byte more or less was taken")
		}
	})
}

// No way of printing a message, a frame or an error shows a secret of it.
func TestNothingPrintsSecrets(t *testing.T) {
	verbs := []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"}
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`[1-9]{40}`).Draw(t, "digits") // no run of these occurs elsewhere
		pan, track, block := digits[:rapid.IntRange(12, 19).Draw(t, "length")], digits[20:36], digits[24:40]
		var m Message
		m.Reset(0x0200)
		m.SetDigits(DEPAN, pan)
		m.SetDigits(DETrack2, track)
		m.SetDigits(DEPrivate48, track)
		m.SetBytes(DEPIN, unhex(block))
		m.SetBytes(DEICC, []byte(track))
		m.SetBytes(DEKeys, unhex(track))
		m.SetText(DETexts, track)
		raw, err := UnionPay.Append(nil, &m)
		if err != nil {
			t.Fatal(err)
		}
		var parsed Message
		if err := UnionPay.Parse(&parsed, raw); err != nil {
			t.Fatal(err)
		}
		cut := UnionPay.Parse(&Message{}, raw[:len(raw)-3])
		raw[10+1+4] |= 0x0F // a letter in the PAN
		bad := UnionPay.Parse(&Message{}, raw)
		if cut == nil || bad == nil {
			t.Fatal("a damaged message was taken")
		}
		var printed strings.Builder
		for _, v := range verbs {
			for _, x := range []any{&m, m, parsed, &parsed, cut, bad, Frame{Message: raw}, &Frame{Message: raw}, []Message{m}, map[string]any{"m": m}} {
				fmt.Fprintf(&printed, v, x)
			}
		}
		text, _ := parsed.MarshalText()
		printed.Write(text)
		fmt.Fprint(&printed, parsed.LogValue())
		out := printed.String()
		for _, secret := range []string{pan, pan[6 : len(pan)-4], track, block, track[:8]} {
			if len(secret) > 6 && strings.Contains(out, secret) {
				t.Fatalf("%q is printed", secret)
			}
		}
		if !strings.Contains(out, pan[:6]+strings.Repeat("*", len(pan)-10)+pan[len(pan)-4:]) {
			t.Fatal("the masked number is not printed")
		}
	})
}

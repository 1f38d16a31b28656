package msr_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"swipewell/drivers/msr"
	"swipewell/drivers/msr/msrsim"
	"swipewell/hal"
)

// parse reads bits as people write them; blanks are skipped.
func parse(s string) (out []bool) {
	for _, c := range s {
		if c == '0' || c == '1' {
			out = append(out, c == '1')
		}
	}
	return out
}

// Bits written by hand from the table of ISO7811-2, so that encoder and
// decoder cannot be wrong together.
func TestBitsOfTheStandard(t *testing.T) {
	const stripe = "00000 00000" +
		"11010" + // ; start sentinel
		"00001 10000 01000 11001 00100 10101 01101 11100 00010 10011" + // 0..9
		"10110" + // = separator
		"00010 00100" + // 8 4
		"11111" + // ? end sentinel
		"00100" + // LRC: 4 hex
		"00000 00000"
	bits := parse(stripe)
	tr, reversed := msr.DecodeTrack(1, bits)
	if tr.Fault != hal.TrackOK || reversed || text(tr) != "0123456789=84" {
		t.Errorf("fault %v reversed %v", tr.Fault, reversed)
	}
	if own := msrsim.Bits(1, "0123456789=84"); !slices.Equal(own, bits[10:len(bits)-10]) {
		t.Error("the simulator's bits are not the standard's")
	}
}

// Any track survives the stripe in both directions and through noise, and each
// damage is told for what it is.
func TestAnyTrackSurvivesTheStripe(t *testing.T) {
	forms := []string{`B[0-9]{13,19}\^[A-Z /.]{2,26}\^[0-9]{7,20}`, `[0-9]{13,19}=[0-9]{7,17}`, `[0-9]{20,40}=[0-9=]{20,60}`}
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.IntRange(0, 2).Draw(t, "track")
		body := rapid.StringMatching(forms[i]).Draw(t, "body")
		q := rapid.SampledFrom(msrsim.Qualities).Draw(t, "quality")
		bits := msrsim.Stripe(i, body, q, rapid.Uint64().Draw(t, "seed"))
		back := rapid.Bool().Draw(t, "back")
		if back {
			slices.Reverse(bits)
		}
		tr, reversed := msr.DecodeTrack(i, bits)
		fault := want[q]
		if q == msrsim.Short && i != 1 {
			fault = hal.TrackOK // only track 2 has a least length
			body = body[:6]
		}
		if tr.Fault != fault {
			t.Fatalf("fault %v, want %v", tr.Fault, fault)
		}
		if fault == hal.TrackOK && (text(tr) != body || reversed != (back != (q == msrsim.Reverse))) {
			t.Fatalf("other data, or reversed %v", reversed)
		}
	})
}

// One wrong bit anywhere in the characters is never read as another card.
func TestOneWrongBitIsFound(t *testing.T) {
	clean := msrsim.Stripe(1, t2, msrsim.Clean, 0)
	for i := range clean {
		bits := slices.Clone(clean)
		bits[i] = !bits[i]
		if tr, _ := msr.DecodeTrack(1, bits); tr.Fault == hal.TrackOK && text(tr) != t2 {
			t.Fatalf("bit %d: another card was read", i)
		}
	}
}

func TestBitFaults(t *testing.T) {
	clean := msrsim.Stripe(1, t2, msrsim.Clean, 0)
	headless := slices.Clone(clean)
	for i := range 25 {
		headless[i] = false
	}
	for _, c := range []struct {
		name  string
		bits  []bool
		fault hal.TrackFault
	}{
		{"nothing", nil, hal.TrackAbsent},
		{"clocking zeros", make([]bool, 300), hal.TrackAbsent},
		{"no start sentinel", headless, hal.FaultNoStart},
		{"pulled out", clean[:120], hal.FaultNoEnd},
		{"pulled out, zeros behind", slices.Concat(clean[:120], make([]bool, 60)), hal.FaultNoEnd},
		{"lost the LRC", clean[:len(clean)-23], hal.FaultNoEnd},
		{"a start sentinel within", msrsim.Bits(1, "622588211640;091=3012"), hal.FaultForm},
		{"too long", msrsim.Bits(1, t2+"0"), hal.FaultForm},
		{"all ones", slices.Repeat([]bool{true}, 400), hal.FaultNoStart},
	} {
		if tr, _ := msr.DecodeTrack(1, c.bits); tr.Fault != c.fault {
			t.Errorf("%s: %v, want %v", c.name, tr.Fault, c.fault)
		}
	}
}

// The decoder takes any bits; packed eight to a byte, so that the fuzzer can
// grow them.
func FuzzDecodeTrack(f *testing.F) {
	pack := func(bits []bool) []byte {
		out := make([]byte, (len(bits)+7)/8)
		for i, b := range bits {
			if b {
				out[i/8] |= 1 << (i % 8)
			}
		}
		return out
	}
	for _, q := range msrsim.Qualities {
		f.Add(pack(msrsim.Stripe(1, t2, q, 1)))
		f.Add(pack(msrsim.Stripe(0, t1, q, 2)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		bits := make([]bool, 8*min(len(b), 256))
		for i := range bits {
			bits[i] = b[i/8]>>(i%8)&1 == 1
		}
		for i := range 3 {
			tr, reversed := msr.DecodeTrack(i, bits)
			if (tr.Fault == hal.TrackOK) != (tr.Data.Len() > 0) {
				t.Fatalf("fault %v with %d characters", tr.Fault, tr.Data.Len())
			}
			if tr.Fault != hal.TrackOK {
				continue
			}
			// What was read is on the stripe, bit by bit.
			own := msrsim.Bits(i, text(tr))
			if reversed {
				slices.Reverse(own)
			}
			found := false
			for at := 0; at+len(own) <= len(bits) && !found; at++ {
				found = slices.Equal(bits[at:at+len(own)], own)
			}
			if !found {
				t.Fatal("read what is not there")
			}
		}
	})
}

func BenchmarkDecodeTrack(b *testing.B) {
	bits := msrsim.Stripe(1, t2, msrsim.Reverse, 0)
	for b.Loop() {
		msr.DecodeTrack(1, bits)
	}
}

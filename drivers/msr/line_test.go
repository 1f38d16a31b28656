package msr_test

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"swipewell/drivers/msr"
	"swipewell/drivers/msr/msrsim"
	"swipewell/hal"
)

// A test card of the 6225 range, and what else may be on it.
const (
	t1 = "B6225882116400091^TEST/CARD                 ^30121010000000"
	t2 = "6225882116400091=30121010000012345678"
	t3 = "996225882116400091=1561560000000000"
)

func text(tr hal.Track) (s string) {
	tr.Data.Use(func(b []byte) { s = string(b) })
	return s
}

func reverse(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}

func TestParseLine(t *testing.T) {
	const lrc = ":" // of t2, by hand: the exclusive or of ;6225…78? is A hex
	for _, c := range []struct {
		name, in string
		fault    hal.TrackFault
		reversed bool
	}{
		{"three tracks, no LRC", "%" + t1 + "?;" + t2 + "?+0123456789?", hal.TrackOK, false},
		{"track 2 alone suffices", ";" + t2 + "?", hal.TrackOK, false},
		{"with LRC", ";" + t2 + "?" + lrc, hal.TrackOK, false},
		{"wrong LRC", ";" + t2 + "?0", hal.FaultLRC, false},
		{"the LRC failed its parity", ";" + t2 + "?~", hal.FaultLRC, false},
		{"a character failed", ";" + t2[:20] + "~" + t2[21:] + "?", hal.FaultParity, false},
		{"the head gave up", "%E?;E?+E?", hal.FaultParity, false},
		{"the head gave up on track 2", "%" + t1 + "?;E?", hal.FaultParity, false},
		{"pulled out", ";" + t2[:30], hal.FaultNoEnd, false},
		{"pulled out, track 3 behind", ";" + t2[:30] + "+01234567890123?", hal.FaultNoEnd, false},
		{"cut short", ";622588?", hal.FaultShort, false},
		{"no start sentinel", t2 + "?", hal.FaultNoStart, false},
		{"no start sentinel, track 1 good", "%" + t1 + "?" + t2 + "?", hal.FaultNoStart, false},
		{"track 1 alone", "%" + t1 + "?", hal.TrackAbsent, false},
		{"noise in front", "#;12!;;" + t2 + "?", hal.TrackOK, false},
		{"noise behind", ";" + t2 + "?" + lrc + "!#/", hal.TrackOK, false},
		{"empty track", "%" + t1 + "?;?", hal.TrackAbsent, false},
		{"letters on track 2", ";62258821164000A1=3012101?", hal.FaultForm, false},
		{"too long", ";" + t2 + "0?", hal.FaultForm, false},
		{"back to front", reverse(";" + t2 + "?" + lrc), hal.TrackOK, true},
		{"back to front, three tracks", reverse("%" + t1 + "?;" + t2 + "?" + lrc + "+" + t3 + "?"), hal.TrackOK, true},
		{"back to front and damaged", reverse(";" + t2 + "?0"), hal.FaultLRC, true},
		{"good behind bad", ";" + t2 + "?0;" + t2 + "?" + lrc, hal.TrackOK, false},
	} {
		s, pass := msr.ParseLine([]byte(c.in))
		if !pass || s.Tracks[1].Fault != c.fault || s.Reversed != c.reversed {
			t.Errorf("%s: pass %v fault %v reversed %v, want %v %v", c.name, pass, s.Tracks[1].Fault, s.Reversed, c.fault, c.reversed)
		}
		if c.fault == hal.TrackOK && text(s.Tracks[1]) != t2 {
			t.Errorf("%s: track 2 differs", c.name)
		}
	}
	for _, noise := range []string{"", "hello world", "???", ";", "%;+", "12345?", "+;x"} {
		if s, pass := msr.ParseLine([]byte(noise)); pass {
			t.Errorf("%q passes for a card: %v %v %v", noise, s.Tracks[0].Fault, s.Tracks[1].Fault, s.Tracks[2].Fault)
		}
	}
}

// line is what the simulated head sends, without its line end.
func line(t interface{ Fatal(...any) }, card msrsim.Tracks, q msrsim.Quality, seed uint64) []byte {
	var b bytes.Buffer
	if err := msrsim.NewHead(&b, seed).Swipe(card, q); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimRight(b.Bytes(), "\r\n")
}

// want is what each quality does to track 2.
var want = map[msrsim.Quality]hal.TrackFault{msrsim.LRC: hal.FaultLRC, msrsim.Parity: hal.FaultParity, msrsim.Short: hal.FaultShort}

// Any card survives head and parser in either direction and through noise, and
// each damage is told for what it is.
func TestAnyCardSurvivesTheLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		card := msrsim.Tracks{
			Track1: rapid.StringMatching(`|B[0-9]{13,19}\^[A-Z /.]{2,26}\^[0-9]{7,20}`).Draw(t, "1"),
			Track2: rapid.StringMatching(`[0-9]{13,19}=[0-9]{7,17}`).Draw(t, "2"),
			Track3: rapid.StringMatching(`|[0-9]{20,40}=[0-9=]{20,60}`).Draw(t, "3"),
		}
		q := rapid.SampledFrom(msrsim.Qualities).Draw(t, "quality")
		s, pass := msr.ParseLine(line(t, card, q, rapid.Uint64().Draw(t, "seed")))
		if !pass || s.Tracks[1].Fault != want[q] || s.Reversed != (q == msrsim.Reverse) {
			t.Fatalf("pass %v fault %v reversed %v", pass, s.Tracks[1].Fault, s.Reversed)
		}
		for i, body := range []string{card.Track1, card.Track2, card.Track3} {
			if i == 1 && !s.Readable() {
				continue
			}
			if body != "" && (s.Tracks[i].Fault != hal.TrackOK || text(s.Tracks[i]) != body) {
				t.Fatalf("track %d: fault %v", i+1, s.Tracks[i].Fault)
			}
		}
	})
}

// A head that sends LRCs never has a wrong character read as another card.
func TestOneWrongCharacterIsFound(t *testing.T) {
	clean := line(t, msrsim.Tracks{Track2: t2}, msrsim.Clean, 1)
	for i := range clean {
		for bit := range 7 {
			b := bytes.Clone(clean)
			b[i] ^= 1 << bit
			if s, _ := msr.ParseLine(b); s.Readable() && text(s.Tracks[1]) != t2 {
				t.Fatalf("character %d, bit %d: another card was read", i, bit)
			}
		}
	}
}

func FuzzParseLine(f *testing.F) {
	for _, s := range []string{"%" + t1 + "?;" + t2 + "?+0?", ";E?", ";;;?", "?", reverse(";" + t2 + "?"), ";" + t2 + "??", "%E?;" + t2[:12] + "~?~"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		s, pass := msr.ParseLine(b)
		for i, tr := range s.Tracks {
			if (tr.Fault == hal.TrackOK) != (tr.Data.Len() > 0) {
				t.Errorf("track %d: fault %v with %d characters", i+1, tr.Fault, tr.Data.Len())
			}
			if tr.Fault != hal.TrackAbsent && !pass {
				t.Errorf("track %d: fault %v of what was no pass", i+1, tr.Fault)
			}
			if tr.Fault == hal.TrackOK && !bytes.Contains(b, []byte(text(tr))) && !s.Reversed {
				t.Errorf("track %d: made up", i+1)
			}
		}
		if !bytes.Equal(b, before) {
			t.Error("the line was changed")
		}
	})
}

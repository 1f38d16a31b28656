package iso8583

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Whatever a message holds, its view has no digit of the number, of a track, of a PIN
// block or of the chip's data.
func TestViewKeepsNothingSecret(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		pan := "62258800" + rapid.StringMatching(`[0-9]{8}`).Draw(rt, "pan")
		m := &Message{}
		m.Reset(0x0200)
		m.SetSecret(DEPAN, []byte(pan))
		m.SetTrack(DETrack2, []byte(pan+"=30122010000"))
		m.SetBytes(DEPIN, []byte("PINBLOCK"))
		m.SetDigits(DEExpiry, "3012")
		m.SetDigits(DEAmount, "000000081280")
		m.SetText(DETexts, "000 "+pan)
		icc := append([]byte{0x9F, 0x26, 4}, "CRYP"...)
		icc = append(icc, 0x5A, 8)
		icc = append(icc, "PANBYTES"...)
		m.SetBytes(DEICC, icc)
		if err := m.Err(); err != nil {
			rt.Fatal(err)
		}
		v := m.View()
		all := v.MTI().String()
		for de, s := range v.Fields {
			if de == DEPAN || de == DEExpiry || de == DETexts {
				rt.Fatalf("DE %d is in the view: %q", de, s)
			}
			all += " " + s
		}
		for _, s := range []string{pan[6:12], "PINBLOCK", "CRYP", "PANBYTES", "5A", "3012"} {
			if strings.Contains(all, s) && !strings.Contains("081280", s) {
				rt.Fatalf("%q is in %q", s, all)
			}
		}
		if want := "0200 81280 [28] [8] [17] 9F26"; all != want {
			rt.Fatalf("%q, want %q", all, want)
		}
	})
}

package page

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image/png"
	"net/http"
	"strconv"
	"strings"

	"swipewell/hal"
	"swipewell/ui/receipt"
)

// sheet is a slip as the page knows it. The picture comes from the device's own
// font, so that columns stand and no font of the browser is needed.
type sheet struct {
	Src   string `json:"src"`  // of the picture
	Text  string `json:"text"` // for whoever cannot see it
	Whole bool   `json:"whole"`
}

// onPage is how many slips a page shows, the newest.
const onPage = 30

func sheets(slips []Slip) []sheet {
	first := max(0, len(slips)-onPage)
	out := make([]sheet, 0, len(slips)-first)
	for i, s := range slips {
		if i < first {
			continue
		}
		text := receipt.Text(masked(s))
		out = append(out, sheet{Src: "paper/" + sheetName(i, s), Text: text, Whole: s.Whole})
	}
	return out
}

// sheetName has the slip's number, and a sum so that a browser may keep it.
func sheetName(i int, s Slip) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%v %v", s.Whole, s.Lines))
	return fmt.Sprintf("%d-%s.png", i, hex.EncodeToString(sum[:6]))
}

// masked is a slip as it may be shown: a slip that has a whole card number on it
// is a fault of the device, and none that the page repeats.
func masked(s Slip) hal.Slip {
	out := hal.Slip{Lines: make([]hal.PrintLine, len(s.Lines))}
	for i, l := range s.Lines {
		out.Lines[i] = hal.PrintLine{Text: mask(l.Text), Style: l.Style}
	}
	return out
}

// serveSlip draws slip N of "/paper/N-SUM.png".
func serveSlip(w http.ResponseWriter, r *http.Request, d Device) {
	number, _, _ := strings.Cut(r.PathValue("name"), "-")
	n, err := strconv.Atoi(number)
	slips := d.Paper()
	if err != nil || n < 0 || n >= len(slips) || sheetName(n, slips[n]) != r.PathValue("name") {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Cache-Control", "private, max-age=3600, immutable") // its name has its sum
	png.Encode(w, receipt.Image(masked(slips[n])))
}

// mask blanks the middle of whatever could be a whole card number: 13 to 19
// digits in a row, alone, that pass the check digit. Nothing that reaches the
// page should hold one; this is the last of several walls.
func mask(s string) string {
	out := []byte(nil)
	for i := 0; i < len(s); {
		if s[i] < '0' || s[i] > '9' {
			i++
			continue
		}
		end := i
		for end < len(s) && s[end] >= '0' && s[end] <= '9' {
			end++
		}
		if n := end - i; n >= 13 && n <= 19 && luhn(s[i:end]) {
			if out == nil {
				out = []byte(s)
			}
			for j := i + 6; j < end-4; j++ {
				out[j] = '*'
			}
		}
		i = end
	}
	if out == nil {
		return s
	}
	return string(out)
}

// luhn is the check of ISO/IEC 7812-1 Annex B.
func luhn(s string) bool {
	sum := 0
	for i := range len(s) {
		v := int(s[len(s)-1-i] - '0')
		if i%2 == 1 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return sum%10 == 0
}

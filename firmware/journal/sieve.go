package journal

import (
	"strconv"
	"strings"
)

// stars stand for what was taken out.
const stars = "********"

func digits(n int64) string { return strconv.FormatInt(n, 10) }

// Sieve stars out what looks like a card number or a track in a free text. It
// is the last net, not the first: it also takes numbers that are neither.
//
// Taken out: 12 to 19 digits that pass Luhn (ISO7812), also with single blanks
// or dashes between them; any 16 to 19 digits inside a longer number that pass
// and begin like a bank card; every number of 20 digits or more; and 12 digits
// or more before a track separator (= D ^), with all that follows them.
func Sieve(s string) string {
	if !hasDigits(s, 12) {
		return s
	}
	var out strings.Builder
	for i := 0; i < len(s); {
		if !isDigit(s[i]) {
			out.WriteByte(s[i])
			i++
			continue
		}
		run, end := number12(s, i)
		switch {
		case len(run) >= 12 && end < len(s) && trackSeparator(s[end:]):
			out.WriteString(stars)
			for end < len(s) && s[end] != '?' && s[end] != ' ' && s[end] != '"' && s[end] != '\n' {
				end++
			}
		case len(run) >= 20, suspicious(run) && !partSuspicious(s[i:end]):
			out.WriteString(stars)
		default:
			// "1 4111111111111111" joins into one number: each part is looked
			// at alone.
			for part := i; part < end; {
				if !isDigit(s[part]) {
					out.WriteByte(s[part])
					part++
					continue
				}
				stop := part
				for stop < end && isDigit(s[stop]) {
					stop++
				}
				if suspicious(s[part:stop]) {
					out.WriteString(stars)
				} else {
					out.WriteString(s[part:stop])
				}
				part = stop
			}
		}
		i = end
	}
	return out.String()
}

// hasDigits is the quick way out: most texts have few digits.
func hasDigits(s string, n int) bool {
	for i := 0; i < len(s); i++ {
		if isDigit(s[i]) {
			if n--; n == 0 {
				return true
			}
		}
	}
	return false
}

// number12 collects the digits from i on, over single blanks and dashes.
func number12(s string, i int) (run string, end int) {
	b := make([]byte, 0, 24)
	for end = i; i < len(s); i++ {
		switch {
		case isDigit(s[i]):
			b = append(b, s[i])
			end = i + 1
		case (s[i] == ' ' || s[i] == '-') && i+1 < len(s) && isDigit(s[i+1]):
		default:
			return string(b), end
		}
	}
	return string(b), end
}

// trackSeparator: '=' and '^' as the stripe has them, 'D' as DE 35 and tag 57
// do; a 'D' counts only before a digit, since it also begins words.
func trackSeparator(s string) bool {
	switch s[0] {
	case '=', '^':
		return true
	case 'D', 'd':
		return len(s) > 1 && isDigit(s[1])
	}
	return false
}

func suspicious(run string) bool {
	if len(run) < 12 {
		return false
	}
	if len(run) >= 20 || luhn(run) {
		return true
	}
	for n := 16; n < len(run); n++ {
		for i := 0; i+n <= len(run); i++ {
			if strings.IndexByte("34569", run[i]) >= 0 && luhn(run[i:i+n]) {
				return true
			}
		}
	}
	return false
}

// partSuspicious tells that one of the joined numbers is enough by itself.
func partSuspicious(s string) bool {
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '-' }) {
		if suspicious(part) {
			return true
		}
	}
	return false
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// luhn is the check of ISO7812 annex B over all digits.
func luhn(s string) bool {
	sum, double := 0, false
	for i := len(s) - 1; i >= 0; i-- {
		d := int(s[i] - '0')
		if double {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
		double = !double
	}
	return sum%10 == 0
}

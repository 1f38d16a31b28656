package iso8583

// Texts is DE 63. In an answer: the card organisation and up to three texts
// for the people at the terminal, to be shown and printed. They are bytes, in
// ASCII or GBK; Printable makes them safe to show. In a request only Org is
// set: the operator ("01 "), or the organisation of a refund. HOST §1.3.
type Texts struct {
	Org      string // 63.1 an3: CUP, VIS, MCC, MAE, JCB, DCC, AMX
	Issuer   string // 63.2, at most 20 bytes each
	UnionPay string
	Acquirer string
	Own      string // what stands behind them, of an acquirer's own
}

// textSize is the width of each text of DE 63.
const textSize = 20

// ParseTexts splits DE 63. A host may cut trailing blanks, so the last text may
// be short.
func ParseTexts(text string) (t Texts, err error) {
	if len(text) < 3 {
		return t, UnionPay.fail(DETexts, 0, BadLength)
	}
	t.Org, text = text[:3], text[3:]
	for _, v := range []*string{&t.Issuer, &t.UnionPay, &t.Acquirer} {
		n := min(len(text), textSize)
		*v, text = text[:n], text[n:]
	}
	t.Own = text
	return t, nil
}

// Text is DE 63 as SetText takes it: what is not the last is filled with
// blanks.
func (t Texts) Text() (string, error) {
	if len(t.Org) != 3 {
		return "", UnionPay.fail(DETexts, 0, BadLength)
	}
	out, end := make([]byte, 0, 163), 3
	out = append(out, t.Org...)
	for _, v := range []string{t.Issuer, t.UnionPay, t.Acquirer, t.Own} {
		if len(v) > textSize && end < 3+3*textSize {
			return "", UnionPay.fail(DETexts, len(out), BadLength)
		}
		for v != "" && len(out) < end {
			out = append(out, ' ')
		}
		out = append(out, v...)
		end += textSize
	}
	return string(out), nil
}

// Lines are the texts that say something, printable, without the fill.
func (t Texts) Lines() []string {
	var out []string
	for _, v := range []string{t.Issuer, t.UnionPay, t.Acquirer} {
		if p := Printable(v); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// Printable keeps what can be shown of a text: printable ASCII. Any run of
// other bytes, GBK characters too, becomes one blank; blanks are folded and
// trimmed.
func Printable(s string) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x81 && c < 0xFF && i+1 < len(s) && s[i+1] >= 0x40 {
			i++ // the second byte of a GBK character may look like a letter
		}
		if c > 0x20 && c < 0x7F {
			out = append(out, c)
		} else if n := len(out); n > 0 && out[n-1] != ' ' {
			out = append(out, ' ')
		}
	}
	if n := len(out); n > 0 && out[n-1] == ' ' {
		out = out[:n-1]
	}
	return string(out)
}

// Institutions splits DE 44 of an answer: the issuer in characters 1–8, the
// acquirer in 12–19, without their blanks. HOST §1.2.
func Institutions(text string) (issuer, acquirer string) {
	cut := func(from, to int) string { return Printable(text[min(from, len(text)):min(to, len(text))]) }
	return cut(0, 8), cut(11, 19)
}

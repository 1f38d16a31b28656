package iso8583

// Fields that are made of others are split and built here. HOST §1.2, §1.3.
// Their values are digits or text as they stand on the wire, so that nothing of
// an acquirer's own is lost, and what Parse split Digits or Text joins again.

// sub is one sub-field of a run of digits.
type sub struct {
	size int
	v    *string
}

// split cuts digits into sub-fields. A field may end behind any of them; one
// that is cut short is an error at its offset. What is left comes back.
func split(de int, digits string, subs []sub) (rest string, err error) {
	at := 0
	for _, s := range subs {
		if at == len(digits) {
			*s.v = ""
			continue
		}
		if len(digits)-at < s.size {
			return "", UnionPay.fail(de, at, BadLength)
		}
		*s.v = digits[at : at+s.size]
		at += s.size
	}
	return digits[at:], checkDigits(de, digits)
}

// join is the inverse: the first empty sub-field ends it.
func join(de int, subs []sub, rest string) (string, error) {
	out := make([]byte, 0, 40)
	ended := false
	for _, s := range subs {
		switch {
		case *s.v == "":
			ended = true
		case ended || len(*s.v) != s.size: // a gap, or not the size
			return "", UnionPay.fail(de, len(out), BadLength)
		}
		out = append(out, *s.v...)
	}
	if ended && rest != "" {
		return "", UnionPay.fail(de, len(out), BadLength)
	}
	out = append(out, rest...)
	return string(out), checkDigits(de, string(out))
}

func checkDigits(de int, s string) error {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return UnionPay.fail(de, i, BadDigit)
		}
	}
	return nil
}

// TypeBatch is DE 60: what kind of transaction, in which batch. Administrative
// messages stop behind Network. HOST §1.3.
type TypeBatch struct {
	Type       string // 60.1 n2: 22 sale, 23 void, 00 administrative …
	Batch      string // 60.2 n6
	Network    string // 60.3 n3: 000, 001 sign-on … 362 status
	Capability string // 60.4 n1: 5 contact chip, 6 contactless too, 0 or 2 stripe
	Chip       string // 60.5 n1: 0, or 2 after a chip that failed (fallback)
	Partial    string // 60.6 n1: 1 if a partial approval is welcome
	Account    string // 60.7 n3: 048 or 065 points
	Own        string // an acquirer's own, behind all of these
}

func (t *TypeBatch) subs() []sub {
	return []sub{{2, &t.Type}, {6, &t.Batch}, {3, &t.Network}, {1, &t.Capability}, {1, &t.Chip}, {1, &t.Partial}, {3, &t.Account}}
}

// ParseTypeBatch splits the digits of DE 60.
func ParseTypeBatch(digits string) (t TypeBatch, err error) {
	if t.Own, err = split(DEBatch, digits, t.subs()); err != nil {
		return TypeBatch{}, err
	}
	return t, nil
}

// Digits is DE 60 as SetDigits takes it.
func (t TypeBatch) Digits() (string, error) { return join(DEBatch, t.subs(), t.Own) }

// Original is DE 61: the transaction that this one is about. A void and a
// completion have 12 or 16 digits, a top-up sixteen zeros. HOST §1.3.
type Original struct {
	Batch       string // 61.1 n6
	STAN        string // 61.2 n6
	Date        string // 61.3 n4 MMDD
	AuthMode    string // 61.4 n2
	Institution string // 61.5 n11, who authorised
}

func (o *Original) subs() []sub {
	return []sub{{6, &o.Batch}, {6, &o.STAN}, {4, &o.Date}, {2, &o.AuthMode}, {11, &o.Institution}}
}

// ParseOriginal splits the digits of DE 61.
func ParseOriginal(digits string) (o Original, err error) {
	rest, err := split(DEOriginal, digits, o.subs())
	if err == nil && rest != "" {
		err = UnionPay.fail(DEOriginal, len(digits)-len(rest), BadLength)
	}
	if err != nil {
		return Original{}, err
	}
	return o, nil
}

// Digits is DE 61 as SetDigits takes it.
func (o Original) Digits() (string, error) { return join(DEOriginal, o.subs(), "") }

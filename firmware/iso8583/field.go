package iso8583

import "strconv"

// Fields of the dialect by name. ISO8583 §4.
const (
	DEPAN         = 2
	DEProcessing  = 3
	DEAmount      = 4
	DESTAN        = 11
	DETime        = 12
	DEDate        = 13
	DEExpiry      = 14
	DESettleDate  = 15
	DEEntryMode   = 22
	DEPANSequence = 23
	DECondition   = 25
	DEPINMax      = 26
	DEAcquirer    = 32
	DETrack2      = 35
	DETrack3      = 36
	DERRN         = 37
	DEAuthCode    = 38
	DEResponse    = 39
	DETerminalID  = 41
	DEMerchantID  = 42
	DEAdditional  = 44
	DEPrivate48   = 48
	DECurrency    = 49
	DEPIN         = 52
	DESecurity    = 53
	DEBalance     = 54
	DEICC         = 55
	DEPurse       = 58
	DELocation    = 59
	DEBatch       = 60
	DEOriginal    = 61
	DEKeys        = 62
	DETexts       = 63
	DEMAC         = 64
)

// kind is the attribute of a field, HOST §1.2.
type kind uint8

const (
	kindN    kind = iota + 1 // packed BCD digits
	kindZ                    // packed digits and the separator nibble D, or an encrypted track
	kindAN                   // ASCII letters, digits, blank
	kindANS                  // printable ASCII
	kindText                 // text for people: ASCII or GBK, any byte
	kindB                    // binary
)

// form is how the length of a field is known.
type form uint8

const (
	fixed form = iota // size is the length
	ll                // one BCD byte of length before it
	lll               // two
)

// view is what Describe shows of a field. The zero value hides, so that a row
// that says nothing of it, and a field without a row, show nothing.
type view uint8

const (
	hidden   view = iota
	firstSix      // of a card number: the first six and the last four. PCI 3.4
	shown
)

// right aligns a fixed odd n at the right, behind a 0 nibble: DE 23. All others
// stand left and are followed by one. HOST §1.2.
const right = true

// spec is one row of a dialect's table.
type spec struct {
	name  string
	kind  kind
	size  uint16 // fixed: the length; variable: the most. Digits for n and z, else bytes
	form  form
	view  view
	right bool
}

// packed tells that the value stands in nibbles.
func (s *spec) packed() bool { return s.kind == kindN || s.kind == kindZ }

// octets is how many bytes a value of n digits or bytes takes.
func (s *spec) octets(n int) int {
	if s.packed() {
		return (n + 1) / 2
	}
	return n
}

// skip is how many nibbles stand before the first digit of a value of n.
func (s *spec) skip(n int) int {
	if s.right && n%2 == 1 {
		return 1
	}
	return 0
}

// allows tells whether a value may have n digits or bytes. An empty variable
// field is legal: the format has a way to write it, and hosts use it (DE 44).
func (s *spec) allows(n int) bool {
	return s.name != "" && (n == int(s.size) || s.form != fixed && n < int(s.size))
}

// attr is the row as the document writes it: "n..19 LL".
func (s *spec) attr() string {
	a := [...]string{"", "n", "z", "an", "ans", "ans", "b"}[s.kind]
	n := strconv.Itoa(int(s.size))
	if s.kind == kindB && s.form == fixed {
		n = strconv.Itoa(8 * int(s.size)) // a fixed binary field is counted in bits: b64
	}
	return a + [...]string{n, ".." + n + " LL", ".." + n + " LLL"}[s.form]
}

// Dialect is a table of fields. It is never changed after it was made.
type Dialect struct {
	name string
	f    [65]spec
}

// Name of a field in this dialect; "" if it has none. 1 is the bitmap.
func (d *Dialect) Name(de int) string {
	if de == 1 {
		return "bitmap"
	}
	return d.spec(de).name
}

// none stands for a field that a dialect does not have.
var none spec

func (d *Dialect) spec(de int) *spec {
	if de < 2 || de > 64 {
		return &none
	}
	return &d.f[de]
}

func (d *Dialect) String() string { return d.name }

package emv

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // the checksum of B2 Annex B3
	"errors"
	"fmt"

	"swipewell/firmware/emv/tlv"
)

// Errors of a terminal's own data. They are bugs or bad parameters, never a card.
var (
	ErrConfig   = errors.New("emv: the terminal's data are not usable")
	ErrChecksum = errors.New("emv: wrong checksum of a CA public key")
)

// Values are data objects by tag. B3 Annex A.
type Values map[tlv.Tag][]byte

// Tags of an acquirer's parameters that the Books leave without a tag. They are
// those of the UnionPay parameter download. B4 §10.2 names what they hold.
const (
	TagTACDefault tlv.Tag = 0xDF11 // terminal action code – default, 5 bytes
	TagTACOnline  tlv.Tag = 0xDF12
	TagTACDenial  tlv.Tag = 0xDF13
	TagDDOL       tlv.Tag = 0xDF14 // default DDOL (9F49 is taken too)
	TagThreshold  tlv.Tag = 0xDF15 // threshold of biased random selection, binary minor units, 4 bytes
	TagMaxTarget  tlv.Tag = 0xDF16 // maximum target percentage, n 2
	TagTarget     tlv.Tag = 0xDF17 // target percentage, n 2
)

// App is one application that the terminal supports. B1 §12.2.1, B4 §10.2.
type App struct {
	AID     []byte // 5 to 16 bytes
	Partial bool   // Application Selection Indicator: a longer DF name matches too. B1 §12.3.1
	Data    Values // what differs from the terminal's data: 9F09, 9F1B, the action codes, DOLs
}

// CAKey is a certification authority public key. B2 §11.2.
type CAKey struct {
	RID      [5]byte
	Index    byte
	Modulus  []byte
	Exponent []byte // 03 or 010001
	Checksum []byte // SHA-1 over RID, index, modulus, exponent. B2 Annex B3; empty: not given
	Expiry   string // YYMMDD, the last day; empty: the acquirer gave none
}

// Check proves a key before it is used: size, exponent, checksum. B2 §11.2.
func (k CAKey) Check() error {
	n := len(k.Modulus)
	if n < minModulus || n > maxModulus || k.Modulus[0] == 0 || k.Modulus[n-1]&1 == 0 || !goodExponent(k.Exponent) {
		return fmt.Errorf("%w: CA key %X/%02X", ErrConfig, k.RID, k.Index)
	}
	if len(k.Checksum) == 0 {
		return nil
	}
	h := sha1.New() //nolint:gosec // as above
	h.Write(k.RID[:])
	h.Write([]byte{k.Index})
	h.Write(k.Modulus)
	h.Write(bytes.TrimLeft(k.Exponent, "\x00"))
	if !bytes.Equal(h.Sum(nil), k.Checksum) {
		return fmt.Errorf("%w: %X/%02X", ErrChecksum, k.RID, k.Index)
	}
	return nil
}

// Revoked is one entry of the certification revocation list. B2 §5.1.2.
type Revoked struct {
	RID    [5]byte
	Index  byte
	Serial [3]byte
}

// Config is what the terminal knows before a card comes: B4 §10.2. It is shared by
// many transactions and must not change while one runs.
type Config struct {
	Data       Values // 9F1A, 9F33, 9F35, 9F40 and the other data of the terminal
	Apps       []App  // in the order of the list of AIDs. B1 §12.3.3
	Keys       []CAKey
	Revoked    []Revoked
	CanChoose  bool // a cardholder can be asked to choose or to confirm. B1 §12.4
	RiskAlways bool // terminal risk management even if the card's AIP does not ask for it
	// DryRun reads a card as far as GENERATE AC 1 and asks it to decline: no
	// cardholder verification, no action analysis, no host. It serves a dump of a
	// card and transcripts of kernels that stop there.
	DryRun bool
}

// sizes of the terminal data that every transaction needs. B4 Annex A.
var needed = []struct {
	tag tlv.Tag
	n   int
}{{0x9F1A, 2}, {0x9F33, 3}, {0x9F35, 1}, {0x9F40, 5}}

// sizes of parameters that may be absent.
var optional = []struct {
	tag tlv.Tag
	n   int
}{{0x9F09, 2}, {0x9F1B, 4}, {TagTACDefault, 5}, {TagTACOnline, 5}, {TagTACDenial, 5}, {TagThreshold, 4}, {TagMaxTarget, 1}, {TagTarget, 1}}

// Check proves what the kernel relies on. B4 §10.2.
func (c *Config) Check() error {
	for _, w := range needed {
		if len(c.Data[w.tag]) != w.n {
			return fmt.Errorf("%w: %v wants %d bytes", ErrConfig, w.tag, w.n)
		}
	}
	if len(c.Apps) == 0 {
		return fmt.Errorf("%w: no application", ErrConfig)
	}
	for _, a := range c.Apps {
		if len(a.AID) < 5 || len(a.AID) > 16 {
			return fmt.Errorf("%w: AID %X", ErrConfig, a.AID)
		}
		for _, data := range []Values{c.Data, a.Data} {
			if err := data.check(); err != nil {
				return fmt.Errorf("AID %X: %w", a.AID, err)
			}
		}
	}
	for _, k := range c.Keys {
		if err := k.Check(); err != nil {
			return err
		}
	}
	return nil
}

func (v Values) check() error {
	for _, w := range optional {
		if b, ok := v[w.tag]; ok && len(b) != w.n {
			return fmt.Errorf("%w: %v wants %d bytes", ErrConfig, w.tag, w.n)
		}
	}
	for _, t := range []tlv.Tag{TagDDOL, 0x9F49, 0x97} {
		if _, err := tlv.ParseDOL(v[t]); err != nil {
			return fmt.Errorf("%w: %v: %w", ErrConfig, t, err)
		}
	}
	return nil
}

// Transaction is what is known of one sale before its card answers. B3 §10.1.
type Transaction struct {
	Data        Values  // 9F02, 9F03, 5F2A, 9A, 9F21, 9C, 9F41 …
	UN          [4]byte // Unpredictable Number 9F37, fresh for each transaction. B3 Annex A1
	Pick        uint8   // 1 to 99, evenly distributed: random transaction selection. B3 §10.6.2
	ForceOnline bool    // the merchant wants the issuer's word. B4 §6.5.3: sets TVR byte 4 bit 4
}

// Check proves a transaction's data: what B3 §10.1 wants before the card is asked.
func (t Transaction) Check() error {
	for _, w := range []struct {
		tag tlv.Tag
		n   int
	}{{0x9F02, 6}, {0x5F2A, 2}, {0x9A, 3}, {0x9C, 1}} {
		if len(t.Data[w.tag]) != w.n {
			return fmt.Errorf("%w: %v wants %d bytes", ErrConfig, w.tag, w.n)
		}
	}
	if _, ok := digits(t.Data[0x9F02]); !ok || !goodDate(t.Data[0x9A]) {
		return fmt.Errorf("%w: amount or date", ErrConfig)
	}
	if b, ok := t.Data[0x9F03]; ok {
		if _, good := digits(b); !good || len(b) != 6 {
			return fmt.Errorf("%w: 9F03", ErrConfig)
		}
	}
	if t.Pick < 1 || t.Pick > 99 {
		return fmt.Errorf("%w: Pick is 1 to 99", ErrConfig)
	}
	return nil
}

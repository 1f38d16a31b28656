package replay

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"swipewell/firmware/emv"
	"swipewell/firmware/emv/tlv"
)

// ErrFile says that a file is not a transcript.
var ErrFile = errors.New("replay: not a transcript")

// Hex is bytes in hexadecimal.
type Hex []byte

// UnmarshalJSON reads a text of hexadecimal digits.
func (h *Hex) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	v, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFile, err)
	}
	*h = v
	return nil
}

// MarshalJSON writes upper case digits.
func (h Hex) MarshalJSON() ([]byte, error) { return json.Marshal(upper(h)) }

func upper(b []byte) string { return strings.ToUpper(hex.EncodeToString(b)) }

// Key is a CA public key of a file.
type Key struct {
	RID      Hex    `json:"rid"`
	Index    Hex    `json:"index"`
	Modulus  Hex    `json:"modulus"`
	Exponent Hex    `json:"exponent"`
	SHA1     Hex    `json:"sha1,omitempty"`
	Expiry   string `json:"expiry,omitempty"` // YYMMDD
}

// Keys is one key or a list of them.
type Keys []Key

// UnmarshalJSON takes an object or an array.
func (k *Keys) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		*k = make(Keys, 1)
		return json.Unmarshal(b, &(*k)[0])
	}
	return json.Unmarshal(b, (*[]Key)(k))
}

// Revoked is an entry of the revocation list.
type Revoked struct {
	RID    Hex `json:"rid"`
	Index  Hex `json:"index"`
	Serial Hex `json:"serial"`
}

// App is a row of the terminal's list.
type App struct {
	AID    Hex            `json:"aid"`
	ASI    string         `json:"asi,omitempty"` // exact (default), partial
	Config map[string]Hex `json:"config,omitempty"`
}

// Exchange is a command and its answer; the answer "lost" is none.
type Exchange struct {
	C Hex    `json:"c"`
	R string `json:"r"`
}

// Texts is a text or a list of texts.
type Texts []string

// UnmarshalJSON takes a string or an array.
func (t *Texts) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*t = make(Texts, 1)
		return json.Unmarshal(b, &(*t)[0])
	}
	return json.Unmarshal(b, (*[]string)(t))
}

// Host is what the issuer answers: its objects, or the text "no-answer" or
// "never-sent".
type Host struct {
	Reach    string `json:"-"`
	ARC      string `json:"8A,omitempty"` // two characters, or four digits of hexadecimal
	AuthData Hex    `json:"91,omitempty"`
	Before   Texts  `json:"71,omitempty"`
	After    Texts  `json:"72,omitempty"`
}

// UnmarshalJSON takes a text or an object.
func (h *Host) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &h.Reach)
	}
	type plain Host
	return json.Unmarshal(b, (*plain)(h))
}

// MarshalJSON writes what UnmarshalJSON reads.
func (h Host) MarshalJSON() ([]byte, error) {
	if h.Reach != "" {
		return json.Marshal(h.Reach)
	}
	type plain Host
	return json.Marshal(plain(h))
}

// Expect is what must come out: the outcome, tags by their number, and more.
type Expect struct {
	Outcome    any
	Tags       map[string]Hex
	Candidates []Hex
	APDUs      *int
	Reversal   *string
	Signature  *bool
}

// UnmarshalJSON sorts the members: a number of four digits of hexadecimal is a tag.
func (e *Expect) UnmarshalJSON(b []byte) error {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	e.Tags = map[string]Hex{}
	for k, v := range m {
		var err error
		switch k {
		case "outcome":
			err = json.Unmarshal(v, &e.Outcome)
		case "tags":
			var tags map[string]Hex
			err = json.Unmarshal(v, &tags)
			for t, x := range tags {
				e.Tags[t] = x
			}
		case "candidates":
			err = json.Unmarshal(v, &e.Candidates)
		case "apdu_count":
			err = json.Unmarshal(v, &e.APDUs)
		case "reversal":
			err = json.Unmarshal(v, &e.Reversal)
		case "signature":
			err = json.Unmarshal(v, &e.Signature)
		default:
			if _, bad := tlv.ParseTag(k); bad != nil {
				return fmt.Errorf("%w: expect.%s", ErrFile, k)
			}
			var x Hex
			err = json.Unmarshal(v, &x)
			e.Tags[k] = x
		}
		if err != nil {
			return fmt.Errorf("expect.%s: %w", k, err)
		}
	}
	return nil
}

// MarshalJSON writes what UnmarshalJSON reads.
func (e Expect) MarshalJSON() ([]byte, error) {
	m := map[string]any{"outcome": e.Outcome}
	for t, v := range e.Tags {
		m[t] = v
	}
	if e.Candidates != nil {
		m["candidates"] = e.Candidates
	}
	if e.APDUs != nil {
		m["apdu_count"] = *e.APDUs
	}
	if e.Reversal != nil {
		m["reversal"] = *e.Reversal
	}
	if e.Signature != nil {
		m["signature"] = *e.Signature
	}
	return json.Marshal(m)
}

// File is a transcript. What it leaves out is what a terminal would do with
// nobody at it: the first application is chosen, no PIN is entered.
type File struct {
	Name         string         `json:"name"`
	Stage        string         `json:"stage,omitempty"` // one of early: the file ends at GENERATE AC 1 or before
	CAPK         Keys           `json:"capk,omitempty"`
	Revoked      []Revoked      `json:"revoked,omitempty"`
	Config       map[string]Hex `json:"config"`
	Apps         []App          `json:"aids"`
	Params       map[string]Hex `json:"params"`
	UN           Hex            `json:"unpredictable_number,omitempty"`
	Random       []Hex          `json:"random,omitempty"` // end to end: 4 bytes UN; a second entry of 1 byte is random selection; the rest PIN padding
	Clock        string         `json:"clock,omitempty"`  // YYMMDD or RFC 3339, if params has no 9A
	Choose       []int          `json:"choose,omitempty"`
	CannotChoose bool           `json:"cannot_choose,omitempty"`
	PIN          []string       `json:"pin,omitempty"` // digits, or bypass, broken, timeout, cancel
	Log          uint64         `json:"log,omitempty"` // minor units of the same card today
	Exception    bool           `json:"exception,omitempty"`
	ForceOnline  bool           `json:"force_online,omitempty"`
	RiskAlways   bool           `json:"risk_always,omitempty"`
	Host         *Host          `json:"host,omitempty"`
	Mode         string         `json:"mode,omitempty"` // apdu (default), tpdu
	APDUs        []Exchange     `json:"apdus"`
	Expect       Expect         `json:"expect"`
}

// Parse reads a file.
func Parse(b []byte) (*File, error) {
	var f File
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	if len(f.Apps) == 0 || f.Expect.Outcome == nil {
		return nil, fmt.Errorf("%w: no aids, or no expect.outcome", ErrFile)
	}
	return &f, nil
}

// early are the stages before the issuer is asked.
var early = map[string]bool{
	"select": true, "selection": true, "candidates": true, "gpo": true, "init": true, "read": true, "records": true, "oda": true,
	"restrictions": true, "cvm": true, "risk": true, "trm": true, "taa": true, "gac1": true, "dry-run": true,
}

// early tells that the file stops at GENERATE AC 1 or before: its stage says so, or
// its outcome is a number, as kernels that stop there write it.
func (f *File) early() bool {
	_, number := f.Expect.Outcome.(float64)
	return number || early[f.Stage]
}

// dryRun tells that such a file asks the card to decline, as kernels do that
// verify no cardholder; one that asks for another cryptogram, or that enters a PIN,
// is a real sale that is cut.
func (f *File) dryRun() bool {
	for _, x := range f.APDUs {
		if len(x.C) > 2 && x.C[1] == 0xAE && x.C[2]&0xC0 != 0 {
			return false
		}
	}
	return f.early() && len(f.PIN) == 0
}

func values(m map[string]Hex) (emv.Values, error) {
	v := emv.Values{}
	for k, b := range m {
		t, err := tlv.ParseTag(k)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrFile, err)
		}
		v[t] = b
	}
	return v, nil
}

// setup makes the kernel's configuration and transaction.
func (f *File) setup() (*emv.Config, emv.Transaction, []byte, error) {
	cfg := &emv.Config{CanChoose: !f.CannotChoose, DryRun: f.dryRun(), RiskAlways: f.RiskAlways}
	var txn emv.Transaction
	var err error
	if cfg.Data, err = values(f.Config); err != nil {
		return nil, txn, nil, err
	}
	for t, d := range map[tlv.Tag][]byte{0x9F40: make([]byte, 5), 0x9F33: make([]byte, 3), 0x9F35: {0x22}, 0x9F1A: {0, 0}} {
		if _, ok := cfg.Data[t]; !ok {
			cfg.Data[t] = d
		}
	}
	for _, a := range f.Apps {
		data, err := values(a.Config)
		if err != nil {
			return nil, txn, nil, err
		}
		if a.ASI != "disabled" {
			cfg.Apps = append(cfg.Apps, emv.App{AID: a.AID, Partial: a.ASI == "partial", Data: data})
		}
	}
	for _, k := range f.CAPK {
		key := emv.CAKey{Modulus: k.Modulus, Exponent: k.Exponent, Checksum: k.SHA1, Expiry: k.Expiry}
		if copy(key.RID[:], k.RID) != 5 || len(k.Index) != 1 {
			return nil, txn, nil, fmt.Errorf("%w: capk", ErrFile)
		}
		key.Index = k.Index[0]
		cfg.Keys = append(cfg.Keys, key)
	}
	for _, r := range f.Revoked {
		var x emv.Revoked
		if copy(x.RID[:], r.RID) != 5 || len(r.Index) != 1 || copy(x.Serial[:], r.Serial) != 3 {
			return nil, txn, nil, fmt.Errorf("%w: revoked", ErrFile)
		}
		x.Index = r.Index[0]
		cfg.Revoked = append(cfg.Revoked, x)
	}
	if txn.Data, err = values(f.Params); err != nil {
		return nil, txn, nil, err
	}
	f.defaults(txn.Data)
	random := append([]byte(nil), f.UN...)
	for _, r := range f.Random {
		random = append(random, r...)
	}
	n := copy(txn.UN[:], random)
	random = random[n:]
	txn.Pick = 99
	if len(f.UN) == 0 && len(f.Random) > 1 && len(f.Random[1]) == 1 {
		txn.Pick, random = random[0]%99+1, random[1:]
	}
	txn.ForceOnline = f.ForceOnline
	return cfg, txn, random, nil
}

// defaults fill what a file may leave out.
func (f *File) defaults(v emv.Values) {
	if _, ok := v[0x9A]; !ok {
		clock := f.Clock
		if len(clock) >= 10 && clock[4] == '-' {
			clock = clock[2:4] + clock[5:7] + clock[8:10]
		}
		if b, err := hex.DecodeString(clock); err == nil && len(b) == 3 {
			v[0x9A] = b
		}
	}
	for t, d := range map[tlv.Tag][]byte{0x9C: {0}, 0x9F02: make([]byte, 6), 0x5F2A: {0, 0}} {
		if _, ok := v[t]; !ok {
			v[t] = d
		}
	}
}

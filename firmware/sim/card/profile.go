package card

import (
	"embed"
	"errors"
	"fmt"
	"strings"

	"github.com/BurntSushi/toml"
)

//go:embed cards/*.toml
var cardFiles embed.FS

// ErrProfile says that a personalisation cannot make a card.
var ErrProfile = errors.New("card: not a personalisation")

// Profile is what a card is made of. Hexadecimal is text; an empty text is an
// object that the card does not have.
type Profile struct {
	Name, About string

	PAN, PSN, Expiry, Effective, Service, Holder string // digits; YYMMDD

	AID       string
	Label     string
	Preferred string // hexadecimal, in the code table
	CodeTable string // n 2
	Priority  string // one byte
	Languages string
	PSE       bool
	More      []App // further applications, which answer SELECT only

	AIP, PDOL, CDOL1, CDOL2, DDOL, TDOL string
	CVMList, AUC, Country, Currency     string
	IACDefault, IACDenial, IACOnline    string
	Version                             string
	Lower, Upper                        string // consecutive offline limits
	TagList                             bool   // 9F4A = 82

	CAIndex          string
	CA, Issuer, ICC  string // names of keys
	PINKey           string
	IIN              string // of the issuer's certificate; empty: the first six digits
	CertExpiry       string // MMYY
	CertSerial       string
	HashAlg, KeyAlg  int // of certificates; 0 is 1
	IMKAC, IMKSMI    string
	IMKSMC           string
	OptionB          bool
	CVN              string // "01" PBOC, "10" Visa's, "18" CCD's
	PIN              string
	Tries            int
	Format2          bool // GPO and GENERATE AC in template 77
	OfflineMax       int64
	ATC, LastOnline  int
	Answer1, Answer2 string            // TC, ARQC, AAC, RFU: what GENERATE AC answers whatever was asked
	SignAAC          bool              // an AAC is signed too if CDA was asked for
	NeedIssuer       bool              // AAC at GENERATE AC 2 unless the issuer proved itself
	Tags             map[string]string // objects of the records put in place of, or beside, those above; "-" takes one out
	Wire             []string          // what is done to the records once they are signed: "flip 93", "drop 9F46", "dup 5A"
	AFL              string            // instead of the right one
	Extra            string            // one more record, raw, in SFI 11, for offline data authentication
	AppBlocked       bool              // as a script left it
	Faults           []Fault

	// Of the contacts, for whoever puts the card behind a reader.
	Protocol int  // T=0, T=1
	Mute     bool // no answer to reset
}

// App is a further application: one that answers SELECT only, or another name of the
// same files and keys.
type App struct {
	AID, Label, Priority string
	Same                 bool
}

// Fault is one thing that goes wrong: the Nth command (0 is each) of an
// instruction answers otherwise.
type Fault struct {
	On     string // SELECT, READ RECORD, GPO, GET DATA, CHALLENGE, VERIFY, INTERNAL, EXTERNAL, GENERATE AC, SCRIPT
	Nth    int
	SW     string // status, no data
	Answer string // the whole R-APDU
	Mute   bool   // no answer
	Flip   int    // offset of a byte to change, from 1; negative from the end of the data
}

// Names are the cards of the tree cards/.
func Names() []string {
	list, err := cardFiles.ReadDir("cards")
	if err != nil {
		return nil
	}
	var names []string
	for _, f := range list {
		names = append(names, strings.TrimSuffix(f.Name(), ".toml"))
	}
	return names
}

// Load reads a profile of the tree cards/ by its name: "debit", "credit-pin".
func Load(name string) (Profile, error) {
	b, err := cardFiles.ReadFile("cards/" + name + ".toml")
	if err != nil {
		return Profile{}, fmt.Errorf("%w: %w", ErrProfile, err)
	}
	return Parse(b)
}

// Parse reads a personalisation; a key that it does not know is an error.
func Parse(b []byte) (Profile, error) {
	var p Profile
	md, err := toml.Decode(string(b), &p)
	if err != nil {
		return Profile{}, fmt.Errorf("%w: %w", ErrProfile, err)
	}
	if extra := md.Undecoded(); len(extra) > 0 {
		return Profile{}, fmt.Errorf("%w: %v", ErrProfile, extra)
	}
	return p, nil
}

// StripeExpiry is the expiry as stripes and field 14 have it: YYMM.
func (p Profile) StripeExpiry() string { return p.Expiry[:min(4, len(p.Expiry))] }

// Track2 is the track 2 equivalent data 57 as a message has them, with the separator D:
// their discretionary data are not those of the stripe. B3 Annex A.
func (p Profile) Track2() string { return p.PAN + "D" + p.StripeExpiry() + p.Service + "0000000000" }

// CAKey is the public key under which the card's issuer is certified, with the
// application provider that owns it.
func (p Profile) CAKey() (rid []byte, index byte, k *RSAKey, err error) {
	k, err = FindKey(p.CA)
	id, i := unhex(p.AID), unhex(p.CAIndex)
	if err != nil || len(id) < 5 || len(i) != 1 {
		return nil, 0, nil, errors.Join(ErrProfile, err)
	}
	return id[:5], i[0], k, nil
}

package recovery

import (
	"bytes"
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"swipewell/firmware/card"
	"swipewell/firmware/pos"
)

// Errors of this package.
var (
	ErrKey    = errors.New("recovery: a key is 32 bytes in base64, and not all of them are one")
	ErrSealed = errors.New("recovery: a sealed image does not open: another key, another record, or changed")
	ErrImage  = errors.New("recovery: not a sealed image")
)

// KeyID names a public key: the first half of its SHA-256.
type KeyID [8]byte

func (id KeyID) String() string { return hex.EncodeToString(id[:]) }

// Public is the acquirer's key, as the board file has it.
type Public struct {
	key hpke.PublicKey
	id  KeyID
}

// Private opens what is sealed to its Public. It prints nothing of itself.
type Private struct {
	key hpke.PrivateKey
	id  KeyID
}

// Format prints the name of the public key.
func (p *Private) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "recovery key %v", p.id) }

func kem() hpke.KEM { return hpke.DHKEM(ecdh.X25519()) }

func idOf(pub []byte) (id KeyID) {
	sum := sha256.Sum256(pub)
	copy(id[:], sum[:])
	return id
}

// ID names the key.
func (p *Public) ID() KeyID { return p.id }

// ID names the public half.
func (p *Private) ID() KeyID { return p.id }

// ParsePublic reads a public key in base64.
func ParsePublic(s string) (*Public, error) {
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
	if err != nil || len(b) != 32 {
		return nil, ErrKey
	}
	k, err := kem().NewPublicKey(b)
	if err != nil {
		return nil, ErrKey
	}
	p := &Public{k, idOf(b)}
	// A point of low order makes no secret: it is found here, not at the first sale.
	if _, err := p.Seal(pos.Record{}, []byte{0}, nil); err != nil {
		return nil, ErrKey
	}
	return p, nil
}

// ParsePrivate reads a private key in base64, as keygen wrote it.
func ParsePrivate(s string) (*Private, error) {
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
	defer clear(b)
	if err != nil || len(b) != 32 {
		return nil, ErrKey
	}
	k, err := kem().NewPrivateKey(b)
	if err != nil {
		return nil, ErrKey
	}
	return &Private{k, idOf(k.PublicKey().Bytes())}, nil
}

// NewKey makes a pair, each half in base64.
func NewKey() (private, public string, err error) {
	k, err := kem().GenerateKey()
	if err != nil {
		return "", "", fmt.Errorf("recovery: %w", err)
	}
	b, err := k.Bytes()
	if err != nil {
		return "", "", fmt.Errorf("recovery: %w", err)
	}
	defer clear(b)
	return base64.StdEncoding.EncodeToString(b), base64.StdEncoding.EncodeToString(k.PublicKey().Bytes()), nil
}

// version is the first byte of a sealed image; info separates these from other uses
// of the key.
const (
	version  = 1
	info     = "swipewell recovery v1"
	encLen   = 32
	overhead = 1 + 8 + encLen + 16
)

func suite() (hpke.KDF, hpke.AEAD) { return hpke.HKDFSHA256(), hpke.AES256GCM() }

// Seal makes the image of a record: card is what card.AppendSealable made, aad binds
// it to its place in the store. WIRE.
func (p *Public) Seal(r pos.Record, card, aad []byte) ([]byte, error) {
	if len(card) > 255 {
		return nil, ErrImage
	}
	raw, err := json.Marshal(shorten(r))
	if err != nil {
		return nil, fmt.Errorf("recovery: %w", err)
	}
	plain := make([]byte, 0, 1+len(card)+len(raw)) // whole at once: growth leaves a copy behind
	plain = append(append(append(plain, byte(len(card))), card...), raw...)
	defer clear(plain)
	kdf, aead := suite()
	enc, s, err := hpke.NewSender(p.key, kdf, aead, []byte(info))
	if err != nil {
		return nil, fmt.Errorf("recovery: %w", err)
	}
	ct, err := s.Seal(aad, plain)
	if err != nil {
		return nil, fmt.Errorf("recovery: %w", err)
	}
	out := append([]byte{version}, p.id[:]...)
	return append(append(out, enc...), ct...), nil
}

// SealedTo tells to which key a sealed image is; ErrImage if it is none.
func SealedTo(sealed []byte) (id KeyID, err error) {
	if len(sealed) < overhead+1 || sealed[0] != version {
		return id, ErrImage
	}
	copy(id[:], sealed[1:])
	return id, nil
}

// Image is an opened one: the record as it was when it was written first, and its
// card. The record's Card is zero: the name of a card means nothing elsewhere.
type Image struct {
	Record pos.Record
	PAN    card.PAN
	Expiry card.Expiry
}

// Open is the inverse of Seal. ErrSealed if it is not for this key or place.
func (p *Private) Open(sealed, aad []byte) (im Image, err error) {
	id, err := SealedTo(sealed)
	if err != nil {
		return im, err
	}
	if id != p.id {
		return im, fmt.Errorf("%w: it is sealed to %v, this is %v", ErrSealed, id, p.id)
	}
	kdf, aead := suite()
	r, err := hpke.NewRecipient(sealed[9:9+encLen], p.key, kdf, aead, []byte(info))
	if err != nil {
		return im, ErrSealed
	}
	plain, err := r.Open(aad, sealed[9+encLen:])
	if err != nil {
		return im, ErrSealed
	}
	defer clear(plain)
	n := 1 + int(plain[0])
	if len(plain) < n {
		return im, ErrImage
	}
	var s short
	d := json.NewDecoder(bytes.NewReader(plain[n:]))
	d.DisallowUnknownFields()
	if d.Decode(&s) != nil {
		return im, ErrImage
	}
	im.Record = s.long()
	if im.PAN, im.Expiry, err = card.ParseSealable(plain[1:n]); err != nil {
		return im, ErrImage
	}
	return im, nil
}

// short is a record with the least that settles it. WIRE.
type short struct {
	Context   string           `json:"x"`
	Batch     pos.BatchNo      `json:"b"`
	STAN      pos.STAN         `json:"n"`
	Class     pos.Class        `json:"c"`
	Kind      pos.TxnKind      `json:"k"`
	Amount    int64            `json:"a"`
	Currency  pos.Currency     `json:"u"`
	Process   string           `json:"p"`
	Entry     string           `json:"e"`
	Condition string           `json:"d"`
	Type60    string           `json:"t"`
	Orig      pos.Original     `json:"o,omitzero"`
	Tip       int64            `json:"i,omitempty"`
	Was       int64            `json:"w,omitempty"`
	Auth      pos.AuthCode     `json:"h,omitempty"`
	Reason    pos.ResponseCode `json:"r,omitempty"`
	At        int64            `json:"m"` // wall, Unix ms
}

func shorten(r pos.Record) short {
	return short{r.Context, r.Batch, r.STAN, r.Class, r.Kind, r.Amount.Minor, r.Amount.Currency, r.Process, r.Entry, r.Condition, r.Type60, r.Orig, r.Tip, r.Was, r.AuthCode, r.Reason, r.At.Wall}
}

func (s short) long() pos.Record {
	return pos.Record{RecordID: pos.RecordID{Context: s.Context, Batch: s.Batch, STAN: s.STAN}, Class: s.Class, Kind: s.Kind, Amount: pos.Amount{Minor: s.Amount, Currency: s.Currency},
		Process: s.Process, Entry: s.Entry, Condition: s.Condition, Type60: s.Type60, Orig: s.Orig, Tip: s.Tip, Was: s.Was, AuthCode: s.Auth, Reason: s.Reason, At: pos.Time{Wall: s.At}}
}

package challenge

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"swipewell/firmware/role"
)

// ErrDesk says that a Desk cannot be.
var ErrDesk = errors.New("challenge: a desk needs a serial number, a window of 1 s to 1 h, and keys with a name and a role")

// Technician is somebody whose key the board file names.
type Technician struct {
	Name   string
	Number int // for the journal; 0 none
	Role   role.Role
	Key    ed25519.PublicKey
}

// Kind is how an answer ended. The words stand in the journal.
type Kind uint8

const (
	Granted    Kind = iota
	Malformed       // no response; the challenge stays open
	NoneOpen        // nothing was asked
	Other           // for another challenge, device or run of this device; ours stays open
	Used            // answered already
	Expired         // too late
	UnknownKey      // signed by a key that this device does not know
	NotAllowed      // known, and for another role
	WrongSign       // the signature does not hold
)

var kinds = [...]string{"granted", "malformed", "none-open", "other", "used", "expired", "unknown-key", "not-allowed", "wrong-signature"}

func (k Kind) String() string { return kinds[min(int(k), len(kinds)-1)] }

// Outcome of an answer. Name and Number are those of the key, where it is known,
// and Role is what was granted, "" if nothing was.
type Outcome struct {
	Kind   Kind
	Name   string
	Number int
	Role   role.Role
}

// Desk asks and checks, for one run of the device. One challenge is open at a time:
// a new one closes the one before. It belongs to one goroutine.
type Desk struct {
	serial string
	boot   [16]byte
	window time.Duration
	people []Technician
	open   *open
	used   map[[8]byte]bool // answered, of this run; at most maxUsed
}

type open struct {
	raw    []byte
	digest [8]byte
	role   role.Role
	until  time.Duration // boottime
}

// maxUsed bounds what is remembered for a better word than Other.
const maxUsed = 64

// NewDesk draws the nonce of this run.
func NewDesk(serial string, people []Technician, window time.Duration, random io.Reader) (*Desk, error) {
	if !serialOK(serial) || window < time.Second || window > time.Hour {
		return nil, ErrDesk
	}
	seen := map[[8]byte]bool{}
	for _, p := range people {
		if len(p.Key) != ed25519.PublicKeySize || !role.Known(p.Role) || p.Name == "" || seen[idOf(p.Key)] {
			return nil, fmt.Errorf("%w: %q", ErrDesk, p.Name)
		}
		seen[idOf(p.Key)] = true
	}
	d := &Desk{serial: serial, window: window.Truncate(time.Second), people: people, used: map[[8]byte]bool{}}
	if _, err := io.ReadFull(random, d.boot[:]); err != nil {
		return nil, fmt.Errorf("challenge: %w", err)
	}
	return d, nil
}

// Has tells whether somebody of a role has a key.
func (d *Desk) Has(r role.Role) bool {
	return d != nil && slices.ContainsFunc(d.people, func(p Technician) bool { return p.Role == r })
}

// Ask opens a challenge for a role. wall is shown, boot counts.
func (d *Desk) Ask(r role.Role, wall time.Time, boot time.Duration, random io.Reader) (string, error) {
	c := Challenge{Serial: d.serial, Boot: d.boot, Role: r, From: time.Unix(max(0, wall.Unix()), 0).UTC(), Window: d.window}
	d.open = nil
	if _, err := io.ReadFull(random, c.Nonce[:]); err != nil {
		return "", fmt.Errorf("challenge: %w", err)
	}
	raw, err := c.pack()
	if err != nil {
		return "", err
	}
	d.open = &open{raw, digestOf(raw), r, boot + d.window}
	return challengeWord + base64.RawURLEncoding.EncodeToString(raw), nil
}

// Answer checks a response. Any that is for the open challenge closes it, also
// a wrong one.
func (d *Desk) Answer(text string, boot time.Duration) Outcome {
	r, err := parseResponse(text)
	switch {
	case err != nil:
		return Outcome{Kind: Malformed}
	case d.used[r.digest]:
		return Outcome{Kind: Used}
	case d.open == nil:
		return Outcome{Kind: NoneOpen}
	case d.open.digest != r.digest:
		return Outcome{Kind: Other}
	}
	o := d.open
	d.open = nil
	if len(d.used) >= maxUsed {
		clear(d.used)
	}
	d.used[r.digest] = true
	if boot > o.until {
		return Outcome{Kind: Expired}
	}
	for _, p := range d.people {
		if idOf(p.Key) != r.key {
			continue
		}
		switch {
		case !ed25519.Verify(p.Key, append([]byte(signedScope), o.raw...), r.sig[:]):
			return Outcome{Kind: WrongSign, Name: p.Name, Number: p.Number}
		case p.Role != o.role:
			return Outcome{Kind: NotAllowed, Name: p.Name, Number: p.Number}
		}
		return Outcome{Granted, p.Name, p.Number, o.role}
	}
	return Outcome{Kind: UnknownKey}
}

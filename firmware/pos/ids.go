package pos

import (
	"encoding/hex"
	"fmt"
	"time"
)

// STAN is the systems trace audit number, DE 11: 1..999999, then 1 again.
type STAN uint32

// MaxSTAN is the largest number that DE 11 (n6) carries.
const MaxSTAN STAN = 999_999

// Next is the number after s; it wraps to 1.
func (s STAN) Next() STAN {
	if s >= MaxSTAN {
		return 1
	}
	return s + 1
}

// String is the six digits of DE 11.
func (s STAN) String() string { return fmt.Sprintf("%06d", uint32(s)) }

// BatchNo numbers a batch, DE 60.2 (n6).
type BatchNo uint32

func (b BatchNo) String() string { return fmt.Sprintf("%06d", uint32(b)) }

// RRN is the retrieval reference number, DE 37 (an12).
type RRN string

// AuthCode is the authorisation code, DE 38 (an6).
type AuthCode string

// ResponseCode is DE 39 (an2) of a host's answer.
type ResponseCode string

// TerminalID is DE 41 (ans8), MerchantID DE 42 (ans15).
type (
	TerminalID string
	MerchantID string
)

// MaskedPAN is a card number as people may see it: first six, stars, last four.
type MaskedPAN string

// Tail is "****" and the last four digits.
func (m MaskedPAN) Tail() string {
	if len(m) < 4 {
		return "****"
	}
	return "****" + string(m[len(m)-4:])
}

// CardRef is a keyed hash of a PAN: equal cards have equal refs and nothing
// else can be learned from one. It prints as hex.
type CardRef [16]byte

func (r CardRef) String() string { return hex.EncodeToString(r[:]) }

// IsZero tells that there is no card.
func (r CardRef) IsZero() bool { return r == CardRef{} }

// MarshalText and UnmarshalText carry a CardRef as hex in JSON.
func (r CardRef) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

func (r *CardRef) UnmarshalText(b []byte) error {
	if hex.DecodedLen(len(b)) != len(r) {
		return fmt.Errorf("pos: a CardRef has %d hex digits, not %d", 2*len(r), len(b))
	}
	_, err := hex.Decode(r[:], b)
	return err
}

// Time is when something happened: by the wall, which may be wrong, and by
// the device's logical time, which never runs backwards and does not count
// the hours the device was off.
type Time struct {
	Wall    int64         `json:"w"` // Unix milliseconds
	Logical time.Duration `json:"l"`
}

// WallTime is the wall part in the given zone.
func (t Time) WallTime(zone *time.Location) time.Time { return time.UnixMilli(t.Wall).In(zone) }

// CST is the time zone of the dialect: China Standard Time, no daylight saving.
var CST = time.FixedZone("CST", 8*3600)

// HostWall is the time that DE 13 and DE 12 (MMDDhhmmss) tell. They have no year:
// it is the one that brings it nearest to near, or, where near is before floor
// and so cannot be true, the first that lies behind floor. ok is false if they
// are no time.
func HostWall(s string, near, floor time.Time) (t time.Time, ok bool) {
	year := near.In(CST).Year()
	if near.Before(floor) {
		year = floor.In(CST).Year()
	}
	best := time.Duration(-1)
	for y := year - 1; y <= year+1; y++ {
		c, err := time.ParseInLocation("20060102150405", fmt.Sprintf("%04d%s", y, s), CST)
		if err != nil {
			continue // 29 February of another year, or no time at all
		}
		d := c.Sub(near).Abs()
		if near.Before(floor) {
			if d = c.Sub(floor); d < -24*time.Hour {
				continue
			}
			d = d.Abs()
		}
		if !ok || d < best {
			t, best, ok = c, d, true
		}
	}
	return t, ok
}

// EntryMode is how the card came in, DE 22 digits 1–2.
type EntryMode string

const (
	EntryKeyed EntryMode = "01"
	EntrySwipe EntryMode = "02"
	EntryChip  EntryMode = "05"
)

package hal

import (
	"context"

	"periph.io/x/conn/v3"
)

// ChipReader is the slot for cards with contacts, at the APDU level.
type ChipReader interface {
	conn.Resource
	// WaitCard blocks until the slot's card-present switch equals present.
	WaitCard(ctx context.Context, present bool) error
	// PowerUp resets the card and returns its ATR. ISO7816 §6.2, §8.
	PowerUp(ctx context.Context) (atr []byte, err error)
	// Transmit exchanges one APDU; the answer, with SW1 SW2, is appended to dst.
	Transmit(ctx context.Context, dst, capdu []byte) ([]byte, error)
	// PowerDown deactivates the contacts. ISO7816 §6.4.
	PowerDown() error
}

package hal

import "fmt"

// KSN is a key serial number, as raw bytes: 10 with TDES DUKPT (X9.24-1, Annex A),
// 12 with AES DUKPT (X9.24-3 §6.2). It goes with the message in clear; none is
// used twice.
type KSN string

// String is upper-case hex, as hosts print it.
func (k KSN) String() string { return fmt.Sprintf("%X", string(k)) }

// Direction of a message: hosts and terminals have a key each.
type Direction uint8

const (
	Request  Direction = iota // from the terminal
	Response                  // from the host
)

package at

import (
	"errors"
	"strconv"
	"strings"

	"swipewell/hal"
)

// Errors beneath a *hal.LinkError.
var (
	// ErrSilent: a command got no final result in its time.
	ErrSilent = errors.New("at: no answer from the modem")
	// ErrRestarted: the modem has booted, and all it was told is gone.
	ErrRestarted = errors.New("at: the modem has restarted")
	// ErrHalted: the driver was halted.
	ErrHalted = errors.New("at: halted")
	// ErrNotSent: the prompt of a send did not come.
	ErrNotSent = errors.New("at: no prompt for the bytes")
)

// CommandError is a modem's refusal.
type CommandError struct {
	Command string // without its arguments: they may hold a password
	Result  string // "ERROR", "+CME ERROR: 10", "SEND FAIL"
}

func (e *CommandError) Error() string { return "at: " + e.Command + ": " + e.Result }

// Code is the number of a +CME ERROR, 0 if there is none.
func (e *CommandError) Code() int { return number(e.Result, 0, 0) }

// name is a command without its arguments.
func name(text string) string {
	n, _, _ := strings.Cut(text, "=")
	return n
}

// refusal is the CommandError within err, nil if there is none.
func refusal(err error) *CommandError {
	var ce *CommandError
	if errors.As(err, &ce) {
		return ce
	}
	return nil
}

// openCause is what a +QIOPEN result means. QTCP §4, table of error codes.
func openCause(code int) hal.LinkCause {
	switch code {
	case 561, 570, 573: // PDP open failed, PDP broken, no APN
		return hal.CauseNoData
	case 564, 565: // DNS busy, DNS parse failed
		return hal.CauseDNS
	case 566: // socket connect failed
		return hal.CauseHostRefused
	case 567: // socket was closed
		return hal.CauseClosed
	case 563, 568: // id in use, operation busy
		return hal.CauseBusy
	case 569: // operation timeout
		return hal.CauseHostSilent
	case 572: // operation not allowed
		return hal.CauseRefusedByNet
	case 553: // no memory
		return hal.CauseDevice
	}
	return hal.CauseUnknown
}

// simCause is what an error of AT+CPIN? means. 27.007 §9.2.1: 10 not inserted,
// 11 PIN required, 12 PUK required, 13 failure, 15 wrong.
func simCause(code int) hal.LinkCause {
	switch code {
	case 10, 11, 12, 13, 15, 16, 17, 18:
		return hal.CauseNoSIM
	}
	return hal.CauseUnknown
}

// simBusy is the CME error of a SIM that is still being read. 27.007 §9.2.1.
const simBusy = 14

// linkError gives err a cause, unless it has one: silence is the modem's.
func linkError(err error, cause hal.LinkCause) error {
	var le *hal.LinkError
	switch {
	case err == nil || errors.As(err, &le):
		return err
	case errors.Is(err, ErrSilent), errors.Is(err, ErrRestarted):
		return &hal.LinkError{Cause: hal.CauseModemSilent, Err: err}
	case refusal(err) != nil:
		return &hal.LinkError{Cause: cause, Code: refusal(err).Code(), Err: err}
	}
	return &hal.LinkError{Cause: hal.CauseDevice, Err: err}
}

func atoi(s string, def int) int {
	if n, err := strconv.Atoi(strings.TrimSpace(s)); err == nil {
		return n
	}
	return def
}

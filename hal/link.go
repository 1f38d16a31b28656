package hal

import (
	"context"
	"fmt"

	"periph.io/x/conn/v3"
)

// Dialer opens byte links to a host: a modem, a network socket.
type Dialer interface {
	conn.Resource
	// Dial opens a link to addr ("host:port"; a telephone number for dial-up).
	// What the world answers comes as *LinkError.
	Dial(ctx context.Context, addr string) (Link, error)
}

// Link is one open byte stream to a host.
type Link interface {
	conn.Resource
	// Read blocks until at least one byte is there. A close by the other end is
	// a *LinkError with CauseClosed.
	Read(ctx context.Context, p []byte) (int, error)
	// Write hands p over. n counts the bytes that may have left the device:
	// with n == 0 and an error it is known, not guessed, that none did (none
	// was handed to the modem after its prompt, none to a TCP write).
	Write(ctx context.Context, p []byte) (n int, err error)
	Close() error
}

// Evidencer is a Link that can say how much the other end has acknowledged.
// It is evidence for a diagnosis only, never a proof: unacknowledged bytes may
// have arrived (Quectel TCP/IP note, AT+QISEND=id,0).
type Evidencer interface {
	Evidence(ctx context.Context) (total, acked, unacked int, err error)
}

// Resender is a Link that can say how many segments it sent, and how many of them
// again because nobody acknowledged them: a lossy line shows there before an
// answer is late. LINUX: struct tcp_info, tcpi_total_retrans and tcpi_segs_out.
type Resender interface {
	Resent() (again, sent int, err error)
}

// LinkCause says why a link could not be opened or was lost.
type LinkCause uint8

const (
	CauseUnknown       LinkCause = iota
	CauseModemSilent             // the modem does not answer its command port
	CauseNoSIM                   // no SIM card, or it wants a PIN
	CauseNoSignal                // no usable radio signal
	CauseNotRegistered           // no network registration
	CauseRefusedByNet            // registration denied
	CauseNoData                  // no packet data context (APN)
	CauseDNS                     // the host's name does not resolve
	CauseHostRefused             // the host refused the connection
	CauseHostSilent              // no answer to the connection attempt
	CauseTLS                     // certificate or handshake refused
	CauseClosed                  // the other end or the network closed an open link
	CauseBusy                    // line busy, or the device is in use
	CauseNoDialTone              // PSTN: no dial tone
	CauseNoCarrier               // PSTN: no carrier
	CauseNoCable                 // no cable, no interface
	CauseDevice                  // the port itself failed
)

var linkCauses = [...]string{"unknown", "modem-silent", "no-sim", "no-signal", "not-registered", "refused-by-net", "no-data",
	"dns", "host-refused", "host-silent", "tls", "closed", "busy", "no-dial-tone", "no-carrier", "no-cable", "device"}

// String is a short stable word for logs.
func (c LinkCause) String() string {
	if int(c) < len(linkCauses) {
		return linkCauses[c]
	}
	return "unknown"
}

// LinkError is the world's answer to Dial, Read or Write.
type LinkError struct {
	Cause LinkCause
	Code  int   // the modem's own error code (+QIOPEN err, +CME ERROR), 0 if none
	Err   error // what lies beneath; may be nil
}

func (e *LinkError) Error() string {
	s := "link: " + e.Cause.String()
	if e.Code != 0 {
		s += fmt.Sprintf(" (modem code %d)", e.Code)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *LinkError) Unwrap() error { return e.Err }

// Signal is what a radio knows of its network.
type Signal struct {
	CSQ        int  // 0..31, 99 = unknown (3GPP TS 27.007 §8.5)
	BER        int  // bit error rate 0..7, 99 or less than 0 = unknown
	Registered bool // home or roaming
	Roaming    bool
	Operator   string // as the network names itself (27.007 §7.3); "" not known
}

// Bars maps CSQ to 0..4 for a status bar; below 10 is weak.
func (s Signal) Bars() int {
	switch {
	case !s.Registered || s.CSQ == 99 || s.CSQ <= 1:
		return 0
	case s.CSQ < 10:
		return 1
	case s.CSQ < 15:
		return 2
	case s.CSQ < 20:
		return 3
	}
	return 4
}

// Signaler is a Dialer over radio. Signal is the last known reading and does
// not block on the device.
type Signaler interface {
	Signal() Signal
}

// Measurer is a Signaler that can be asked now. While it is busy with a link the
// last reading is given.
type Measurer interface {
	Measure(ctx context.Context) (Signal, error)
}

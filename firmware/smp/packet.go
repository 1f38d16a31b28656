package smp

import (
	"encoding/binary"
	"errors"
)

const headerSize = 8

// Op of a packet.
type Op uint8

const (
	Read Op = iota
	ReadAnswer
	Write
	WriteAnswer
)

// Groups and their commands. SMP.
const (
	GroupOS    = 0
	GroupImage = 1
	GroupStat  = 2
	GroupFS    = 8
	GroupShell = 9
)

// Header of a packet: op and version, flags, length, group, sequence, command.
type Header struct {
	Op      Op
	Version uint8 // 0 or 1; 1 is "SMP version 2"
	Flags   uint8
	Len     uint16 // of what follows
	Group   uint16
	Seq     uint8
	Command uint8
}

// ErrPacket is bytes that are no packet.
var ErrPacket = errors.New("smp: not a packet")

// ParseHeader reads a packet's header; the packet must be as long as it says.
func ParseHeader(b []byte) (h Header, err error) {
	if len(b) < headerSize {
		return h, ErrPacket
	}
	h = Header{Op: Op(b[0] & 7), Version: b[0] >> 3 & 3, Flags: b[1], Len: binary.BigEndian.Uint16(b[2:]), Group: binary.BigEndian.Uint16(b[4:]), Seq: b[6], Command: b[7]}
	if int(h.Len) != len(b)-headerSize {
		return h, ErrPacket
	}
	return h, nil
}

// Append adds the header's bytes.
func (h Header) Append(b []byte) []byte {
	b = append(b, byte(h.Op)|h.Version<<3, h.Flags)
	b = binary.BigEndian.AppendUint16(b, h.Len)
	b = binary.BigEndian.AppendUint16(b, h.Group)
	return append(b, h.Seq, h.Command)
}

// Code is an error of the protocol. SMP, "Status/error codes in responses".
type Code int

const (
	CodeOK           Code = 0
	CodeUnknown      Code = 1
	CodeInvalid      Code = 3
	CodeNoEntry      Code = 5
	CodeBadState     Code = 6
	CodeTooLarge     Code = 7
	CodeNotSupported Code = 8
	CodeCorrupt      Code = 9
	CodeBusy         Code = 10
	CodeDenied       Code = 11
)

// Problem is an error with its code; what a backend gives without one is CodeUnknown.
type Problem struct {
	Code Code
	Err  error
}

func (p *Problem) Error() string { return p.Err.Error() }
func (p *Problem) Unwrap() error { return p.Err }

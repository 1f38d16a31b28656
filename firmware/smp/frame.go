package smp

import (
	"encoding/base64"
	"encoding/binary"
)

// Limits of the line. SERIAL.
const (
	maxFrame  = 127
	maxText   = 124  // base64 in a frame, 93 bytes
	MaxPacket = 4096 // header and CBOR that the device takes
)

// crc16 is CRC-16/XMODEM: polynomial 1021, from 0.
func crc16(b []byte) (c uint16) {
	for _, x := range b {
		c ^= uint16(x) << 8
		for range 8 {
			if c&0x8000 != 0 {
				c = c<<1 ^ 0x1021
			} else {
				c <<= 1
			}
		}
	}
	return c
}

// AppendFrames adds a packet as lines: 06 09, then 04 14, each with base64 of a
// part of the length (of packet and CRC), the packet and its CRC. SERIAL.
func AppendFrames(b, packet []byte) []byte {
	body := binary.BigEndian.AppendUint16(nil, uint16(len(packet)+2))
	body = append(body, packet...)
	body = binary.BigEndian.AppendUint16(body, crc16(packet))
	text := base64.StdEncoding.EncodeToString(body)
	for lead := [2]byte{6, 9}; len(text) > 0; lead = [2]byte{4, 20} {
		n := min(len(text), maxText)
		b = append(append(append(b, lead[:]...), text[:n]...), '\n')
		text = text[n:]
	}
	return b
}

// Demux parts what comes over the line: packets of good frames, and text.
type Demux struct {
	line    []byte // of a frame, with its two lead bytes
	inFrame bool
	mid     bool   // in a line of text
	held    byte   // a lead byte whose second is awaited
	packet  []byte // base64 of the packet so far
	open    bool   // a packet has begun
	// Bad counts frames that were dropped: a wrong CRC, too long, out of order.
	Bad int
}

// Feed takes bytes of the line and gives the packets that are complete with them,
// and the bytes that are text. Both are the caller's.
func (d *Demux) Feed(b []byte) (packets [][]byte, text []byte) {
	for _, c := range b {
		switch {
		case d.inFrame:
			if c != '\n' && c != '\r' {
				if len(d.line) < 2*maxFrame {
					d.line = append(d.line, c)
				}
				continue
			}
			d.inFrame = false
			if p := d.frame(); p != nil {
				packets = append(packets, p)
			}
		case d.held != 0:
			lead := d.held
			d.held = 0
			if lead == 6 && c == 9 || lead == 4 && c == 20 {
				d.inFrame, d.line = true, append(d.line[:0], lead, c)
				continue
			}
			d.mid = c != '\n' && c != '\r'
			text = append(text, lead, c)
		case !d.mid && (c == 6 || c == 4 && d.open): // Ctrl-D is a typist's, but for a frame that is under way
			d.held = c
		default:
			d.mid = c != '\n' && c != '\r'
			text = append(text, c)
		}
	}
	return packets, text
}

// frame takes a whole line; it gives the packet that it completes.
func (d *Demux) frame() []byte {
	first := d.line[0] == 6
	switch {
	case len(d.line)+1 > maxFrame, !first && !d.open:
		return d.drop()
	case first && d.open:
		d.Bad++ // the one before was never completed
	}
	if first {
		d.packet, d.open = d.packet[:0], true
	}
	d.packet = append(d.packet, d.line[2:]...)
	whole := len(d.packet) &^ 3
	body, err := base64.StdEncoding.DecodeString(string(d.packet[:whole]))
	if err != nil || len(body) < 2 {
		return d.drop()
	}
	n := int(binary.BigEndian.Uint16(body))
	switch {
	case n < headerSize+2 || n > MaxPacket+2, len(body) > n+2:
		return d.drop()
	case len(body) < n+2:
		return nil
	}
	packet := body[2:n]
	if crc16(packet) != binary.BigEndian.Uint16(body[n:]) {
		return d.drop()
	}
	d.open = false
	return packet
}

func (d *Demux) drop() []byte {
	d.open = false
	d.Bad++
	return nil
}

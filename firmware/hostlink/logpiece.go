package hostlink

import (
	"encoding/binary"
	"hash/crc32"

	"swipewell/firmware/txn"
)

// NetLog is the network code of a piece of the log: of the dialect's private use. Nobody but a
// host that knows it may see it, so that it is sent only where the board file says so. WIRE,
// "The log, to the host".
const NetLog = "990"

const (
	// logForm begins DE 62 of a piece.
	logForm = '1'
	// LogPiece is how many bytes of a log a piece has at most: DE 62 holds 512, and 13 stand before them.
	LogPiece = 480
)

// Log packs a piece of the log, the n-th from 0: 0820/990, no STAN, no MAC. DE 62 is the form,
// the upload's name, the piece's number from 1 and how many there are, CRC-32 (IEEE 802.3) over
// these and the bytes, and the bytes. The answer repeats name and number.
func (l *Line) Log(run txn.LogRun, b []byte) Request {
	de62 := binary.BigEndian.AppendUint32([]byte{logForm}, run.Sum)
	de62 = binary.BigEndian.AppendUint16(de62, uint16(run.Done+1))
	de62 = binary.BigEndian.AppendUint16(de62, uint16(run.Of))
	sum := crc32.Update(crc32.ChecksumIEEE(de62), crc32.IEEETable, b)
	echo := string(de62[1:7])
	r := l.admin(0x0820, 0, NetLog, append(binary.BigEndian.AppendUint32(de62, sum), b...))
	r.want.echo = echo
	return r
}

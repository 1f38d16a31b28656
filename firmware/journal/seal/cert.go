package seal

import (
	"crypto/ed25519"
	"encoding/binary"
	"errors"
)

// Bounds are what retention may go by in an era, and what it has to count: sealed with the
// era, so that whoever finds a later key cannot say that there was less room.
type Bounds struct {
	At     int64  // when the era began: Unix milliseconds of the wall clock
	Before uint64 // bytes of the segments of all eras before it, also of those that are gone
	Room   uint64 // bytes that closed segments may take; 0: not known
	Hours  uint32 // how long entries are kept; 0: no bound
}

// Cert begins an era.
type Cert struct {
	Era   uint32
	Seq   uint64 // of the last entry before it
	Prev  Hash   // the chain after that entry
	Key   Public // signs the next era
	Epoch Public // signs the first checkpoint
	Bounds
	Sig  [ed25519.SignatureSize]byte // by the era before: what stays checkable when its segment is gone
	Last [ed25519.SignatureSize]byte // by the key after its last checkpoint: nothing was cut off before this
}

// Checkpoint is the chain's value after an entry.
type Checkpoint struct {
	Era  uint32
	N    uint32 // its number in the era
	Seq  uint64
	Hash Hash
	Next Public // signs the next one
	Sig  [ed25519.SignatureSize]byte
}

// Reason of a removal.
type Reason byte

const (
	Aged  Reason = 'a' // its entries were older than the bound
	Sized Reason = 's' // the segments were larger than the bound
	Full  Reason = 'f' // the disk took no more
)

// Removal says that a segment was taken away, why and when.
type Removal struct {
	Cert Cert
	Last uint64 // its last entry
	By   uint32 // the era under way then
	At   int64  // Unix milliseconds of the wall clock
	Why  Reason
	Sig  [ed25519.SignatureSize]byte
}

// Sizes on disk.
const (
	CertSize       = 4 + 8 + 3*32 + 28 + 2*64
	CheckpointSize = 4 + 4 + 8 + 2*32 + 64
	RemovalSize    = CertSize + 8 + 4 + 8 + 1 + 64
)

var errSize = errors.New("seal: wrong size")

func (c Cert) signed() []byte {
	b := append(make([]byte, 0, 192), "cert"...)
	b = binary.BigEndian.AppendUint32(b, c.Era)
	b = binary.BigEndian.AppendUint64(b, c.Seq)
	b = append(append(append(b, c.Prev[:]...), c.Key[:]...), c.Epoch[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(c.At))
	b = binary.BigEndian.AppendUint64(b, c.Before)
	b = binary.BigEndian.AppendUint64(b, c.Room)
	return binary.BigEndian.AppendUint32(b, c.Hours)
}

// Append is the form on disk.
func (c Cert) Append(b []byte) []byte {
	return append(append(append(b, c.signed()[4:]...), c.Sig[:]...), c.Last[:]...)
}

// ParseCert is the inverse.
func ParseCert(b []byte) (c Cert, err error) {
	if len(b) < CertSize {
		return c, errSize
	}
	c.Era, c.Seq = binary.BigEndian.Uint32(b), binary.BigEndian.Uint64(b[4:])
	copy(c.Prev[:], b[12:])
	copy(c.Key[:], b[44:])
	copy(c.Epoch[:], b[76:])
	c.At, c.Before, c.Room = int64(binary.BigEndian.Uint64(b[108:])), binary.BigEndian.Uint64(b[116:]), binary.BigEndian.Uint64(b[124:])
	c.Hours = binary.BigEndian.Uint32(b[132:])
	copy(c.Sig[:], b[136:])
	copy(c.Last[:], b[200:])
	return c, nil
}

// Signed tells that the era's key by made the certificate.
func (c Cert) Signed(by Public) bool { return ed25519.Verify(by[:], c.signed(), c.Sig[:]) }

// Follows tells that the key by, of the last checkpoint before it, was in force when it was made.
func (c Cert) Follows(by Public) bool { return ed25519.Verify(by[:], c.signed(), c.Last[:]) }

func (c Checkpoint) signed() []byte {
	b := append(make([]byte, 0, 128), "chck"...)
	b = binary.BigEndian.AppendUint32(b, c.Era)
	b = binary.BigEndian.AppendUint32(b, c.N)
	b = binary.BigEndian.AppendUint64(b, c.Seq)
	return append(append(b, c.Hash[:]...), c.Next[:]...)
}

// Append is the form on disk.
func (c Checkpoint) Append(b []byte) []byte {
	return append(append(b, c.signed()[4:]...), c.Sig[:]...)
}

// ParseCheckpoint is the inverse.
func ParseCheckpoint(b []byte) (c Checkpoint, err error) {
	if len(b) < CheckpointSize {
		return c, errSize
	}
	c.Era, c.N, c.Seq = binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint64(b[8:])
	copy(c.Hash[:], b[16:])
	copy(c.Next[:], b[48:])
	copy(c.Sig[:], b[80:])
	return c, nil
}

// Signed tells that the key by made the checkpoint.
func (c Checkpoint) Signed(by Public) bool { return ed25519.Verify(by[:], c.signed(), c.Sig[:]) }

func (r Removal) signed() []byte {
	b := r.Cert.Append(append(make([]byte, 0, 352), "gone"...))
	b = binary.BigEndian.AppendUint64(b, r.Last)
	b = binary.BigEndian.AppendUint32(b, r.By)
	return append(binary.BigEndian.AppendUint64(b, uint64(r.At)), byte(r.Why))
}

// Append is the form on disk.
func (r Removal) Append(b []byte) []byte { return append(append(b, r.signed()[4:]...), r.Sig[:]...) }

// ParseRemoval is the inverse.
func ParseRemoval(b []byte) (r Removal, err error) {
	if len(b) < RemovalSize {
		return r, errSize
	}
	r.Cert, _ = ParseCert(b)
	b = b[CertSize:]
	r.Last, r.By = binary.BigEndian.Uint64(b), binary.BigEndian.Uint32(b[8:])
	r.At, r.Why = int64(binary.BigEndian.Uint64(b[12:])), Reason(b[20])
	copy(r.Sig[:], b[21:])
	return r, nil
}

// Signed tells that the key by made it.
func (r Removal) Signed(by Public) bool { return ed25519.Verify(by[:], r.signed(), r.Sig[:]) }

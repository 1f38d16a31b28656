package seal

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// Hash is a value of the chain.
type Hash [sha256.Size]byte

// Next chains a record.
func (h Hash) Next(record []byte) Hash {
	d := sha256.New()
	d.Write(h[:])
	d.Write(record)
	d.Sum(h[:0])
	return h
}

// Tag is what is stored with each record: enough to name the first one that
// was changed, as long as whoever changed it did not chain all that follows anew. Then the
// next checkpoint tells.
func (h Hash) Tag() (t [4]byte) { copy(t[:], h[:]); return t }

// Public is a public key.
type Public [ed25519.PublicKeySize]byte

// seed of a key pair; the next one is its hash.
type seed [32]byte

func (s seed) next(what string) (n seed) {
	return sha256.Sum256(append([]byte("swipewell journal "+what+" "), s[:]...))
}

func (s seed) public() (p Public) {
	k := ed25519.NewKeyFromSeed(s[:])
	copy(p[:], k[ed25519.SeedSize:])
	clear(k)
	return p
}

func (s seed) sign(m []byte) (sig [ed25519.SignatureSize]byte) {
	k := ed25519.NewKeyFromSeed(s[:])
	copy(sig[:], ed25519.Sign(k, m))
	clear(k)
	return sig
}

// Key is the secret of a journal: what can sign its next checkpoint and the
// next era. It moves on with each; what it was cannot be found from what it is.
type Key struct {
	Era   uint32 // the one under way; 0: none has begun
	N     uint32 // the next checkpoint's number in it
	era   seed   // signs the next era
	epoch seed   // signs the next checkpoint
}

// NewKey makes a key from randomness.
func NewKey(random io.Reader) (*Key, error) {
	k := &Key{}
	if _, err := io.ReadFull(random, k.era[:]); err != nil {
		return nil, err
	}
	k.epoch = k.era.next("epoch")
	return k, nil
}

// Root is the key of the era under way: a new key's is what a whole journal is checked against.
func (k *Key) Root() Public { return k.era.public() }

// Sector is the size of a key on disk: written in one piece, so that a power
// cut leaves the old or the new one.
const Sector = 512

const keyMagic = "SWJKEY1\n"

// Marshal is the form on disk.
func (k *Key) Marshal() []byte {
	b := make([]byte, 0, Sector)
	b = append(b, keyMagic...)
	b = binary.BigEndian.AppendUint32(b, k.Era)
	b = binary.BigEndian.AppendUint32(b, k.N)
	b = append(append(b, k.era[:]...), k.epoch[:]...)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return b[:Sector]
}

// ErrKey says that a file is no key.
var ErrKey = errors.New("seal: the key cannot be read")

// ParseKey is the inverse of Marshal.
func ParseKey(b []byte) (*Key, error) {
	const n = len(keyMagic) + 4 + 4 + 32 + 32
	if len(b) < n+4 || string(b[:len(keyMagic)]) != keyMagic || binary.BigEndian.Uint32(b[n:]) != crc32.ChecksumIEEE(b[:n]) {
		return nil, ErrKey
	}
	b = b[len(keyMagic):]
	k := &Key{Era: binary.BigEndian.Uint32(b), N: binary.BigEndian.Uint32(b[4:])}
	copy(k.era[:], b[8:])
	copy(k.epoch[:], b[40:])
	return k, nil
}

// Begin makes the certificate of the next era, whose first entry comes after
// seq with the chain at h, and moves on.
func (k *Key) Begin(seq uint64, h Hash, b Bounds) Cert {
	c := Cert{Era: k.Era + 1, Seq: seq, Prev: h, Bounds: b}
	sign, last := k.era, k.epoch
	if k.Era > 0 {
		k.era = k.era.next("era")
	}
	k.Era, k.N, k.epoch = k.Era+1, 0, k.era.next("epoch")
	c.Key, c.Epoch = k.era.public(), k.epoch.public()
	c.Sig, c.Last = sign.sign(c.signed()), last.sign(c.signed())
	return c
}

// Check makes the next checkpoint and moves on.
func (k *Key) Check(seq uint64, h Hash) Checkpoint {
	next := k.epoch.next("epoch")
	c := Checkpoint{Era: k.Era, N: k.N, Seq: seq, Hash: h, Next: next.public()}
	c.Sig = k.epoch.sign(c.signed())
	k.N, k.epoch = k.N+1, next
	return c
}

// Remove signs that retention took an era's segment away.
func (k *Key) Remove(c Cert, last uint64, at int64, why Reason) Removal {
	r := Removal{Cert: c, Last: last, By: k.Era, At: at, Why: why}
	r.Sig = k.era.sign(r.signed())
	return r
}

// Catch moves the key on to where the journal is: a power cut came between a
// checkpoint and the key's own write. False: it is not on the key's way.
func (k *Key) Catch(era, n uint32) bool {
	for k.Era < era && era-k.Era < 1000 {
		if k.Era > 0 { // as Begin does: the first era has the root key
			k.era = k.era.next("era")
		}
		k.Era, k.N, k.epoch = k.Era+1, 0, k.era.next("epoch")
	}
	for k.Era == era && k.N < n && n-k.N < 1<<20 {
		k.epoch, k.N = k.epoch.next("epoch"), k.N+1
	}
	return k.Era == era && k.N >= n
}

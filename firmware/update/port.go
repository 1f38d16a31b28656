package update

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
)

// Medium is a file or a partition. What was written is on it after Sync; before,
// a power cut may leave any of it, in parts.
type Medium interface {
	io.ReaderAt
	io.WriterAt
	Sync() error
}

// Port is where a loader looks for the boot record.
type Port interface {
	// Load gives the record in force: [ErrRecord] if no copy is one.
	Load() (Record, error)
	// Save puts one in force, with its counter moved on, or leaves the one before.
	Save(Record) error
	// Keep puts the record of a confirmed build aside, where Save does not write:
	// what Load gives, and a loader follows, once no copy is a record any more.
	// One that is kept already is not written again.
	Keep(Record) error
}

// UBoot keeps the record as U-Boot's redundant environment: two copies of Size
// bytes, one behind the other, the first that fits in force; behind them the one
// that is kept. UBOOT.
type UBoot struct {
	M    Medium
	Size int // of a copy; 4096 in scripts/ab.env
}

func (u UBoot) load(copy int) (Record, error) {
	b := make([]byte, u.Size)
	if _, err := u.M.ReadAt(b, int64(copy*u.Size)); err != nil && err != io.EOF {
		return Record{}, err
	}
	return ParseEnv(b)
}

// ParseEnv reads one copy of an environment.
func ParseEnv(b []byte) (Record, error) {
	if len(b) < 6 || binary.LittleEndian.Uint32(b) != crc32.ChecksumIEEE(b[4:]) {
		return Record{}, fmt.Errorf("%w: its CRC does not fit", ErrRecord)
	}
	body := b[4:]
	end := bytes.Index(body, []byte{0, 0})
	if end < 0 {
		return Record{}, fmt.Errorf("%w: no end", ErrRecord)
	}
	return parseWords(strings.Split(string(body[:end]), "\x00"))
}

// AppendEnv gives one copy of size bytes.
func AppendEnv(r Record, size int) ([]byte, error) {
	b := make([]byte, 4, size)
	for _, w := range r.words() {
		b = append(append(b, w...), 0)
	}
	if len(b)+1 > size {
		return nil, fmt.Errorf("update: a record of %d bytes, and room for %d", len(b)+1, size)
	}
	b = b[:size]
	binary.LittleEndian.PutUint32(b, crc32.ChecksumIEEE(b[4:]))
	return b, nil
}

// Load reads the first copy that fits.
func (u UBoot) Load() (Record, error) {
	r, err := u.load(0)
	for copy := 1; err != nil && copy <= uKept; copy++ {
		if c, e := u.load(copy); e == nil {
			return c, nil
		}
	}
	return r, err
}

// uKept is the place of the record that is kept, counted in copies.
const uKept = 2

// Keep writes behind the second copy.
func (u UBoot) Keep(r Record) error {
	if k, err := u.load(uKept); err == nil && k.same(r) {
		return nil
	}
	b, err := AppendEnv(r, u.Size)
	if err != nil {
		return err
	}
	return u.put(uKept, b)
}

// Save writes the second copy once the first is on the medium. The first is in
// force once it is whole; torn, the second still is the record before.
func (u UBoot) Save(r Record) error {
	// The first copy is written over first: the second must then be the record in
	// force, not one before it.
	first, second := make([]byte, u.Size), make([]byte, u.Size)
	for i, b := range [][]byte{first, second} {
		if _, err := u.M.ReadAt(b, int64(i*u.Size)); err != nil && err != io.EOF {
			return err
		}
	}
	if _, err := ParseEnv(first); err == nil && !bytes.Equal(first, second) {
		if err := u.put(1, first); err != nil {
			return err
		}
	}
	r.Counter++
	b, err := AppendEnv(r, u.Size)
	if err != nil {
		return err
	}
	for copy := range 2 {
		if err := u.put(copy, b); err != nil {
			return err
		}
	}
	return nil
}

func (u UBoot) put(copy int, b []byte) error {
	if _, err := u.M.WriteAt(b, int64(copy*u.Size)); err != nil {
		return err
	}
	return u.M.Sync()
}

// Plain keeps the record as text in two files that scripts/bootsel reads: the
// words, a line each, and a last line "cksum CRC LENGTH" over what stands before
// it, as cksum(1) of POSIX prints it. The one that fits and has the higher
// counter is in force. Kept is a third file, for [Port]'s Keep; nil: none is kept.
type Plain struct {
	Copies [2]Medium
	Kept   Medium
}

// plainSize is what a copy takes; it is filled with line ends.
const plainSize = 1024

// Load gives the newest copy, or the one that is kept.
func (p Plain) Load() (Record, error) {
	r, from, err := p.newest()
	if from < 0 {
		if k, e := plainAt(p.Kept); e == nil {
			return k, nil
		}
	}
	return r, err
}

// Keep writes the third file.
func (p Plain) Keep(r Record) error {
	if k, err := plainAt(p.Kept); p.Kept == nil || err == nil && k.same(r) {
		return nil
	}
	return putPlain(p.Kept, r)
}

func plainAt(m Medium) (Record, error) {
	if m == nil {
		return Record{}, ErrRecord
	}
	b := make([]byte, plainSize)
	n, err := m.ReadAt(b, 0)
	if err != nil && err != io.EOF {
		return Record{}, err
	}
	return ParseText(b[:n])
}

func putPlain(m Medium, r Record) error {
	b, err := AppendText(r)
	if err != nil {
		return err
	}
	if _, err := m.WriteAt(b, 0); err != nil {
		return err
	}
	return m.Sync()
}

func (p Plain) newest() (r Record, from int, err error) {
	from, err = -1, ErrRecord
	for i, m := range p.Copies {
		c, e := plainAt(m)
		if e != nil && !errors.Is(e, ErrRecord) {
			return r, -1, e
		}
		if e == nil && (from < 0 || c.Counter > r.Counter) {
			r, from = c, i
		}
		if e != nil && from < 0 {
			err = e
		}
	}
	if from < 0 {
		return r, from, err
	}
	return r, from, nil
}

// Save writes over the copy that is not in force.
func (p Plain) Save(r Record) error {
	_, from, err := p.newest()
	if err != nil && from < 0 {
		from = 1
	}
	r.Counter++
	return putPlain(p.Copies[1-from], r)
}

// AppendText gives one copy of the plain record.
func AppendText(r Record) ([]byte, error) {
	body := strings.Join(r.words(), "\n") + "\n"
	s := fmt.Sprintf("%scksum %d %d\n", body, cksum([]byte(body)), len(body))
	if len(s) > plainSize {
		return nil, fmt.Errorf("update: a record of %d bytes, and room for %d", len(s), plainSize)
	}
	return []byte(s + strings.Repeat("\n", plainSize-len(s))), nil
}

// ParseText reads one copy of the plain record.
func ParseText(b []byte) (Record, error) {
	s := strings.TrimRight(string(b), "\n")
	body, last := s[:strings.LastIndexByte(s, '\n')+1], s[strings.LastIndexByte(s, '\n')+1:]
	if last != fmt.Sprintf("cksum %d %d", cksum([]byte(body)), len(body)) {
		return Record{}, fmt.Errorf("%w: its checksum does not fit", ErrRecord)
	}
	return parseWords(strings.Split(strings.TrimSuffix(body, "\n"), "\n"))
}

// cksum is the CRC of POSIX's cksum utility: polynomial 04C11DB7, most
// significant bit first, the length behind the bytes, all turned over.
func cksum(b []byte) uint32 {
	var c uint32
	add := func(x byte) {
		c ^= uint32(x) << 24
		for range 8 {
			if c>>31 == 1 {
				c = c<<1 ^ 0x04C11DB7
			} else {
				c <<= 1
			}
		}
	}
	for _, x := range b {
		add(x)
	}
	for n := len(b); n > 0; n >>= 8 {
		add(byte(n))
	}
	return ^c
}

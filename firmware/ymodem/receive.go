package ymodem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"swipewell/hal"
)

const (
	soh = 0x01
	stx = 0x02
	eot = 0x04
	ack = 0x06
	nak = 0x15
	can = 0x18
)

// Waits and tries. YM §7.3; LRZSZ resends after 10 s or 60 s of its own.
const (
	askEvery   = 3 * time.Second
	blockWait  = 10 * time.Second
	byteWait   = time.Second
	quietWait  = 100 * time.Millisecond
	maxAsks    = 20
	maxErrors  = 10 // in a row
	maxName    = 64
	longBlock  = 1024
	shortBlock = 128
)

// File is one that is offered.
type File struct {
	Name string // the last part of its path, printable; at most 64 bytes
	Size int64  // -1: not said; the file then ends in padding
}

// Opts of a receiver.
type Opts struct {
	Clock  hal.Clock
	Stream bool // YMODEM-g: blocks are not answered; for lines without errors
	// Open takes a file or refuses it with an error, which ends the session.
	Open func(File) (io.WriteCloser, error)
}

// Errors of a session.
var (
	ErrCancelled = errors.New("ymodem: the sender cancelled")
	ErrLine      = errors.New("ymodem: the line is too bad, or the sender stopped")
)

// Receive takes one batch. Errors of Open and of the file's Write and Close come
// through after the sender was told to stop.
func Receive(ctx context.Context, line Line, o Opts) ([]File, error) {
	r := &receiver{reader: reader{ctx: ctx, line: line, clock: o.Clock}, o: o, ask: 'C'}
	if o.Stream {
		r.ask = 'G'
	}
	var files []File
	for {
		f, more, err := r.head(len(files) > 0)
		if err == nil && !more {
			return files, nil
		}
		if err == nil {
			if err = r.file(f); err == nil {
				files = append(files, f)
				continue
			}
		}
		if !errors.Is(err, ErrCancelled) {
			r.send(can, can, can, can, can, can, can, can, 8, 8, 8, 8, 8, 8, 8, 8) // YM §4: eight, and as many backspaces
		}
		return files, err
	}
}

type receiver struct {
	reader
	o    Opts
	ask  byte
	data [longBlock]byte
	next *block // came where the end of a file was awaited: the head of the next
}

func (r *receiver) send(b ...byte) { r.line.Write(r.ctx, b) }

// what came: a block of n bytes in data, or the end of the file.
type block struct {
	number byte
	n      int
	end    bool
}

// errBlock is a block that is to be asked for again.
var errBlock = errors.New("ymodem: a damaged block")

func (r *receiver) block(wait time.Duration) (b block, err error) {
	lead, err := r.byte(wait)
	if err != nil {
		return b, err
	}
	switch lead {
	case soh:
		b.n = shortBlock
	case stx:
		b.n = longBlock
	case eot:
		return block{end: true}, nil
	case can:
		if next, err := r.byte(byteWait); err == nil && next == can {
			return b, ErrCancelled
		}
		return b, r.lost()
	default:
		return b, r.lost()
	}
	var head, crc [2]byte
	if err := r.full(head[:], byteWait); err != nil {
		return b, damaged(err)
	}
	if head[0] != ^head[1] {
		return b, r.lost()
	}
	b.number = head[0]
	if err := r.full(r.data[:b.n], byteWait); err != nil {
		return b, damaged(err)
	}
	if err := r.full(crc[:], byteWait); err != nil {
		return b, damaged(err)
	}
	if crc16(r.data[:b.n]) != uint16(crc[0])<<8|uint16(crc[1]) {
		if r.o.Stream { // what was sent ahead is not of use
			return b, r.lost()
		}
		return b, errBlock
	}
	return b, nil
}

// damaged: a block that stops in the middle.
func damaged(err error) error {
	if err == errSilence {
		return errBlock
	}
	return err
}

// lost: the beginning of a block was not found; wait until the sender waits.
func (r *receiver) lost() error {
	if err := r.quiet(quietWait); err != nil {
		return err
	}
	return errBlock
}

// head asks for the next file; more is false at the end of the batch. Behind a
// whole file a sender that is gone has ended it: LRZSZ's sb -g may lose the block
// that says so, because it leaves without waiting for an answer.
func (r *receiver) head(behind bool) (f File, more bool, err error) {
	if r.next == nil {
		r.send(r.ask)
	}
	for n := range maxAsks {
		b, err := block{}, error(nil)
		if r.next != nil {
			b, r.next = *r.next, nil
		} else {
			b, err = r.block(askEvery)
		}
		switch {
		case err == errSilence && behind && n >= 1:
			return f, false, nil
		case err == errSilence:
			r.send(r.ask)
		case err == errBlock:
			r.send(nak)
		case err != nil:
			return f, false, err
		case b.end: // its ACK was lost
			r.send(ack, r.ask)
		case b.number != 0:
			r.send(nak)
		case r.data[0] == 0:
			r.send(ack)
			return f, false, nil
		default:
			f, err := parseHead(r.data[:b.n])
			return f, true, err
		}
	}
	return f, false, ErrLine
}

// parseHead reads block 0: a path, a zero, then the size in decimal. YM §5.
func parseHead(b []byte) (File, error) {
	name, rest, _ := strings.Cut(string(b), "\x00")
	name = name[strings.LastIndexAny(name, "/\\")+1:]
	if name == "" || len(name) > maxName || strings.ContainsFunc(name, func(c rune) bool { return c < ' ' || c == 0x7F || c == '�' }) {
		return File{}, fmt.Errorf("ymodem: the name of the file is %q", name)
	}
	f := File{Name: name, Size: -1}
	rest, _, _ = strings.Cut(rest, "\x00")
	if word, _, _ := strings.Cut(rest, " "); word != "" {
		n, err := strconv.ParseInt(word, 10, 64)
		if err != nil || n < 0 {
			return File{}, fmt.Errorf("ymodem: the size of %s is %q", name, word)
		}
		f.Size = n
	}
	return f, nil
}

func (r *receiver) file(f File) (err error) {
	w, err := r.o.Open(f)
	if err != nil {
		return err
	}
	defer func() {
		if e := w.Close(); err == nil {
			err = e
		}
	}()
	if r.o.Stream {
		r.send(r.ask)
	} else {
		r.send(ack, r.ask)
	}
	want, left, ends, bad := byte(1), f.Size, 0, 0
	first := true
	for bad < maxErrors {
		b, err := r.block(blockWait)
		switch {
		case err == errSilence && first && !r.o.Stream:
			bad++
			r.send(ack, r.ask)
		case err == errSilence, err == errBlock:
			if r.o.Stream {
				return fmt.Errorf("%w: a damaged block, and YMODEM-g cannot ask again", ErrLine)
			}
			bad++
			r.send(nak)
		case err != nil:
			return err
		case b.end && ends == 0 && !r.o.Stream:
			ends++
			r.send(nak)
		case b.end:
			if left > 0 {
				return fmt.Errorf("%w: %s ends %d bytes early", ErrLine, f.Name, left)
			}
			r.send(ack)
			return nil
		case b.number == 0 && ends > 0 && left == 0:
			// A stray ACK from before was taken for that of the end: LRZSZ goes on.
			r.next = &b
			return nil
		case b.number == 0 && first: // the ACK of the head was lost
			r.send(ack, r.ask)
		case b.number == want-1:
			r.send(ack) // it came before; the ACK was lost
		case b.number != want:
			return fmt.Errorf("%w: block %d, and %d was wanted", ErrLine, b.number, want)
		default:
			first, bad, ends = false, 0, 0
			n := int64(b.n)
			if f.Size >= 0 {
				n = min(n, left)
				left -= n
			}
			if _, err := w.Write(r.data[:n]); err != nil {
				return err
			}
			want++
			if !r.o.Stream {
				r.send(ack)
			}
		}
	}
	return ErrLine
}

// crc16 is CRC-16/XMODEM. YM §8.
func crc16(b []byte) (c uint16) {
	for _, x := range b {
		c = c<<8 ^ table[byte(c>>8)^x]
	}
	return c
}

var table = func() (t [256]uint16) {
	for i := range t {
		c := uint16(i) << 8
		for range 8 {
			if c&0x8000 != 0 {
				c = c<<1 ^ 0x1021
			} else {
				c <<= 1
			}
		}
		t[i] = c
	}
	return t
}()

package console

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"swipewell/firmware/journal/export"
	"swipewell/firmware/role/challenge"
)

// The log over the cable is lines among the console's own: "SWJ", the place of what it carries,
// CRC-32 over that place and the bytes, and the bytes in base64. A line that noise hit is asked
// for again from its place on. WIRE.

// pieceLine is how many bytes a line carries, pieceLines how many lines answer a request.
const (
	pieceLine  = 384
	pieceLines = 128
)

func pieceSum(off int64, b []byte) uint32 {
	return crc32.Update(crc32.ChecksumIEEE(binary.BigEndian.AppendUint64(nil, uint64(off))), crc32.IEEETable, b)
}

func (s *Shell) carry(off int64, b []byte) {
	s.println(fmt.Sprintf("SWJ %d %08x %s", off, pieceSum(off, b), base64.StdEncoding.EncodeToString(b)))
}

// pieces lists what there is, as one text of JSON in lines.
func (s *Shell) pieces() error {
	var m export.Manifest
	if l, ok := s.o.Backend.(Logs); ok {
		m = l.Manifest()
	}
	m, ps, err := s.o.Journal.Pieces(m)
	if err != nil {
		return err
	}
	b, err := json.Marshal(pieceList{m, ps})
	if err != nil {
		return err
	}
	for off := 0; off < len(b); off += pieceLine {
		s.carry(int64(off), b[off:min(off+pieceLine, len(b))])
	}
	s.carry(int64(len(b)), nil)
	return nil
}

type pieceList struct {
	Manifest export.Manifest `json:"manifest"`
	Pieces   []export.Piece  `json:"pieces"`
}

// piece carries a part of one; an empty line is its end.
func (s *Shell) piece(name string, off int64) error {
	b := make([]byte, pieceLine)
	for range pieceLines {
		n, err := s.o.Journal.ReadPiece(name, off, b)
		if err != nil {
			return err
		}
		s.carry(off, b[:n])
		if off += int64(n); n == 0 {
			return nil
		}
	}
	return nil
}

// Cable is a console at the far end of a service cable.
type Cable struct {
	rw io.ReadWriter
	in *bufio.Reader
}

// NewCable is a console on a port. Nothing else may read it. A Read that waited for some seconds
// in vain returns os.ErrDeadlineExceeded.
func NewCable(rw io.ReadWriter) *Cable { return &Cable{rw, bufio.NewReaderSize(rw, 4096)} }

var (
	// A prompt begins its line: a UART hands over a few bytes at a time, and what has come of
	// a line so far may end like one.
	waiting  = regexp.MustCompile(`(^|\r|\x1b[78]|\x1b\[[0-9;]*[A-Za-z])(swipewell( [a-z]+#|>)|PIN:|answer:|密码:|回答:) $`)
	cableAsk = regexp.MustCompile(`SWC1\.[A-Za-z0-9_-]+`)
)

// do types a line and gives what the console says until it waits again, line by line.
func (c *Cable) do(ctx context.Context, line string, fn func(string) error) (last string, err error) {
	return c.until(ctx, line, "", fn)
}

// settle brings both ends to the same prompt: a device that has just started has
// written one that nobody asked for, and each answer would be taken for the next
// question's. A word of ours is typed and struck out again; what came before its
// echo is of before.
func (c *Cable) settle(ctx context.Context) error {
	mark := rand.Text()[:8]
	_, err := c.until(ctx, mark+"\x15", mark, func(string) error { return nil })
	return err
}

// until is do, and what comes before a line with mark in it is nobody's.
func (c *Cable) until(ctx context.Context, line, mark string, fn func(string) error) (last string, err error) {
	if _, err := io.WriteString(c.rw, line+"\r"); err != nil {
		return "", err
	}
	var at strings.Builder
	seen, quiet := 0, 0
	for {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		b, err := c.in.ReadByte()
		if errors.Is(err, os.ErrDeadlineExceeded) && quiet < 5 { // noise hit the prompt: another one comes
			quiet++
			again := "\r"
			if mark != "" {
				again = line + again
			} else {
				seen++
			}
			if _, err := io.WriteString(c.rw, again); err != nil {
				return "", err
			}
			continue
		}
		if err != nil {
			return "", err
		}
		if b != '\n' {
			if at.Len() < 8<<10 {
				at.WriteByte(b)
			}
			if c.in.Buffered() == 0 && b == ' ' && seen > 0 && waiting.MatchString(at.String()) {
				return at.String(), nil
			}
			continue
		}
		text := strings.Trim(at.String(), "\r")
		at.Reset()
		if mark != "" {
			if strings.Contains(text, mark) {
				mark, seen = "", 1
			}
			continue
		}
		if seen++; seen == 1 && strings.HasSuffix(text, line) {
			continue // what was typed
		}
		if err := fn(text); err != nil {
			return "", err
		}
	}
}

// ErrLogin says that the device did not let the key in.
var ErrLogin = errors.New("console: the device did not accept the key")

// Login logs a role in with a key.
func (c *Cable) Login(ctx context.Context, r Role, key ed25519.PrivateKey) error {
	if err := c.settle(ctx); err != nil {
		return err
	}
	ask := ""
	last, err := c.do(ctx, "login "+string(r), func(l string) error {
		if m := cableAsk.FindString(l); m != "" {
			ask = m
		}
		return nil
	})
	if err != nil {
		return err
	}
	if ask == "" {
		return fmt.Errorf("%w: it asked for %q", ErrLogin, last)
	}
	answer, err := challenge.Sign(ask, key)
	if err != nil {
		return err
	}
	if last, err = c.do(ctx, answer, func(string) error { return nil }); err != nil {
		return err
	}
	if !strings.Contains(last, string(r)+"#") {
		return ErrLogin
	}
	return nil
}

// Logout ends the login.
func (c *Cable) Logout(ctx context.Context) error {
	_, err := c.do(ctx, "logout", func(string) error { return nil })
	return err
}

// carried asks for lines and gives what they carry, in order, as far as they are whole. end: the
// empty line came.
func (c *Cable) carried(ctx context.Context, line string, off int64, fn func([]byte) error) (end bool, err error) {
	said := ""
	hit := false
	_, err = c.do(ctx, line, func(l string) error {
		f := strings.Fields(l)
		if len(f) < 3 || f[0] != "SWJ" {
			said = l
			return nil
		}
		at, aerr := strconv.ParseInt(f[1], 10, 63)
		sum, serr := strconv.ParseUint(f[2], 16, 32)
		var b []byte
		var berr error
		if len(f) > 3 {
			b, berr = base64.StdEncoding.DecodeString(f[3])
		}
		if hit = hit || errors.Join(aerr, serr, berr) != nil || at != off || uint32(sum) != pieceSum(at, b); hit {
			return nil // what follows a gap is asked for again
		}
		said = ""
		if len(b) == 0 {
			end = true
			return nil
		}
		off += int64(len(b))
		return fn(b)
	})
	if err == nil && said != "" && !hit && !end {
		err = errors.New("console: " + said)
	}
	return end, err
}

// tries is how often lines that noise hit are asked for again without any that was whole.
const tries = 20

// Pieces is what there is.
func (c *Cable) Pieces(ctx context.Context) (export.Manifest, []export.Piece, error) {
	for range tries {
		var b []byte
		end, err := c.carried(ctx, "log pieces", 0, func(p []byte) error { b = append(b, p...); return nil })
		if err != nil {
			return export.Manifest{}, nil, err
		}
		if !end {
			continue
		}
		var l pieceList
		err = json.Unmarshal(b, &l)
		return l.Manifest, l.Pieces, err
	}
	return export.Manifest{}, nil, errNoise
}

var errNoise = errors.New("console: the cable carries nothing whole")

// Read is of one piece what one request carries.
func (c *Cable) Read(ctx context.Context, name string, off int64, fn func([]byte) error) error {
	for range tries {
		n := 0
		end, err := c.carried(ctx, fmt.Sprintf("log piece %s %d", name, off), off, func(b []byte) error { n += len(b); return fn(b) })
		if err != nil || end || n > 0 {
			return err
		}
	}
	return errNoise
}

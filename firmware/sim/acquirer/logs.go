package acquirer

import (
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"swipewell/firmware/pos"
)

// A terminal that was told that this host takes its log sends it in pieces, 0820 with the network
// code 990. WIRE, "The log, to the host". It is put together here by a hand of its own.

const (
	codeLog     = "990"
	mostUploads = 32   // of all terminals; the oldest goes
	mostPieces  = 4096 // of an upload
)

// logPiece is DE 62 of one.
type logPiece struct {
	id    uint32
	n, of int // n from 1
	data  string
}

var errPiece = errors.New("not a piece of a log")

// parseLogPiece reads form 1, name 4, number 2, how many 2, CRC-32 4, bytes; all numbers
// have their high byte first.
func parseLogPiece(s string) (p logPiece, err error) {
	num := func(from, n int) (v uint64) {
		for i := from; i < from+n; i++ {
			v = v*256 + uint64(s[i])
		}
		return v
	}
	if len(s) <= 13 {
		return p, fmt.Errorf("%w: %d bytes", errPiece, len(s))
	}
	if s[0] != '1' {
		return p, fmt.Errorf("%w: form %q", errPiece, s[0])
	}
	p = logPiece{id: uint32(num(1, 4)), n: int(num(5, 2)), of: int(num(7, 2)), data: s[13:]}
	sum := uint64(crc32.ChecksumIEEE([]byte(s[:9] + s[13:])))
	switch {
	case sum != num(9, 4):
		return p, fmt.Errorf("%w: its sum is another", errPiece)
	case p.of < 1 || p.of > mostPieces || p.n < 1 || p.n > p.of:
		return p, fmt.Errorf("%w: %d of %d", errPiece, p.n, p.of)
	}
	return p, nil
}

// logUpload is what came of one.
type logUpload struct {
	tid    pos.TerminalID
	id     uint32
	pieces []string
	have   int
	again  int // pieces that had come before
}

// name is its file's.
func (u *logUpload) name() string { return fmt.Sprintf("%s-%08x.swjx", u.tid, u.id) }

func (u *logUpload) whole() bool { return u.have == len(u.pieces) }

func (u *logUpload) bytes() string { return strings.Join(u.pieces, "") }

// right: what was put together is what its name says.
func (u *logUpload) right() bool {
	return u.whole() && crc32.ChecksumIEEE([]byte(u.bytes())) == u.id
}

// logPiece answers 0820/990.
func (x *exchange) logPiece() message {
	if a, bad := x.fields([]int{41, 42, 60, 62}, nil); bad {
		return a
	}
	if rc := x.how.rc; rc != "" && !approving[rc] {
		return x.answer(rc)
	}
	p, err := parseLogPiece(x.m.f[62])
	if err != nil {
		return x.refuse(FindValue, 62, err.Error(), "30")
	}
	u := x.h.uploadOf(x.t.tid, p)
	if len(u.pieces) != p.of {
		return x.refuse(FindValue, 62, fmt.Sprintf("piece %d of %d, and there were %d before", p.n, p.of, len(u.pieces)), "30")
	}
	if had := u.pieces[p.n-1]; had == "" {
		u.pieces[p.n-1] = p.data
		u.have++
	} else if u.again++; had != p.data {
		return x.refuse(FindValue, 62, fmt.Sprintf("piece %d is another than before", p.n), "30")
	}
	if u.whole() {
		if !u.right() {
			return x.refuse(FindValue, 62, "the pieces do not make what the name says", "30")
		}
		if dir := x.h.o.SaveUploads; dir != "" && u.again == 0 {
			if err := u.save(dir); err != nil {
				x.finding(FindOwnMistake, 62, err.Error(), "")
			}
		}
	}
	a := x.answer("00")
	a.f[62] = x.m.f[62][1:7]
	return a
}

// uploadOf is the one that a piece is of.
func (h *Host) uploadOf(tid pos.TerminalID, p logPiece) *logUpload {
	for _, u := range h.uploads {
		if u.tid == tid && u.id == p.id {
			return u
		}
	}
	u := &logUpload{tid: tid, id: p.id, pieces: make([]string, p.of)}
	if h.uploads = append(h.uploads, u); len(h.uploads) > mostUploads {
		h.uploads = slices.Delete(h.uploads, 0, 1)
	}
	return u
}

func (u *logUpload) save(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, u.name()), []byte(u.bytes()), 0o600)
}

// LogUpload is what a terminal has sent of its log.
type LogUpload struct {
	TID    pos.TerminalID `json:"tid"`
	File   string         `json:"file"`
	Pieces int            `json:"pieces"`
	Have   int            `json:"have"`
	Again  int            `json:"again,omitempty"` // pieces that came once more
	Whole  bool           `json:"whole"`
	Bytes  int            `json:"bytes"`
	Data   []byte         `json:"-"` // of one that is whole
}

// LogUploads is what terminals have sent of their logs, the oldest first.
func (h *Host) LogUploads() []LogUpload {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.logUploads()
}

func (h *Host) logUploads() (list []LogUpload) {
	for _, u := range h.uploads {
		x := LogUpload{TID: u.tid, File: u.name(), Pieces: len(u.pieces), Have: u.have, Again: u.again, Whole: u.right(), Bytes: len(u.bytes())}
		if x.Whole {
			x.Data = []byte(u.bytes())
		}
		list = append(list, x)
	}
	return list
}

// commandLogs is "logs", "logs save DIR" and "logs clear"; the caller holds mu.
func (h *Host) commandLogs(args []string) (string, error) {
	switch {
	case len(args) == 0:
		return lines(h.logUploads())
	case len(args) == 1 && args[0] == "clear":
		h.uploads = nil
		return "", nil
	case len(args) == 2 && args[0] == "save":
		n := 0
		for _, u := range h.uploads {
			if !u.right() {
				continue
			}
			if err := u.save(args[1]); err != nil {
				return "", fmt.Errorf("acquirer: %w", err)
			}
			n++
		}
		if n == 0 {
			return "", errors.New("acquirer: no upload of a log is whole")
		}
		return lines(h.logUploads())
	}
	return "", errors.New("acquirer: logs | logs save DIR | logs clear")
}

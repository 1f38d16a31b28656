// Package kmsg reads the kernel's messages, and knows which of them it has read.
//
// Sources:
//   - KMSG: Linux Documentation/ABI/testing/dev-kmsg
//   - SYSLOG: RFC 5424 §6.2.1, facility and severity
//
// A record is "PRIO,SEQ,MICROSECONDS,FLAGS[,…];TEXT", then lines that begin with a
// blank: a dictionary, which is left out. PRIO is facility*8 + severity. Bytes that do not
// print stand as \xHH. One read of /dev/kmsg gives one record; of a pipe or a file, lines.
package kmsg

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"syscall"
	"time"

	"swipewell/hal"
)

// Message is one of the kernel's.
type Message struct {
	Level slog.Level
	User  bool          // a program wrote it to /dev/kmsg, not the kernel
	Seq   uint64        // counts from the kernel's start
	At    time.Duration // since then
	Text  string
}

// MaxText bounds a message: what is longer is cut off.
const MaxText = 400

// maxRecord is more than the kernel makes of a record (KMSG: 8 KiB).
const maxRecord = 16 << 10

// Parse reads the first line of a record; false: it is none, or a line of a dictionary.
func Parse(line string) (m Message, ok bool) {
	head, text, ok := strings.Cut(line, ";")
	fields := strings.Split(head, ",")
	if !ok || len(fields) < 3 || strings.HasPrefix(line, " ") {
		return m, false
	}
	prio, err := strconv.ParseUint(fields[0], 10, 16)
	if err != nil {
		return m, false
	}
	if m.Seq, err = strconv.ParseUint(fields[1], 10, 64); err != nil {
		return m, false
	}
	us, err := strconv.ParseUint(fields[2], 10, 53)
	if err != nil {
		return m, false
	}
	m.At, m.User = time.Duration(us)*time.Microsecond, prio>>3 != 0
	switch severity := prio & 7; {
	case severity <= 3: // emergency, alert, critical, error
		m.Level = slog.LevelError
	case severity == 4:
		m.Level = slog.LevelWarn
	case severity == 7:
		m.Level = slog.LevelDebug
	}
	m.Text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\ufffd' {
			return '?'
		}
		return r
	}, strings.TrimSuffix(text, "\n"))
	if n := MaxText; len(m.Text) > n {
		for m.Text[n]&0xc0 == 0x80 {
			n--
		}
		m.Text = m.Text[:n]
	}
	return m, true
}

// Read gives each message to fn until ctx ends or the reader does. Records that the kernel
// wrote over before they were read (EPIPE) are a gap in Seq. A file that may grow (again > 0)
// is looked at again after its end.
func Read(ctx context.Context, r io.Reader, again time.Duration, fn func(Message)) error {
	in := bufio.NewReaderSize(reader{r}, maxRecord)
	var rest []byte // of a line whose end has not come
	for ctx.Err() == nil {
		line, err := in.ReadSlice('\n')
		rest = append(rest, line[:min(len(line), maxRecord-len(rest))]...) // what is longer is no record of the kernel's
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && again > 0:
			_ = hal.Sleep(ctx, hal.SystemClock{}, again) // a file grows in real time
			continue
		case err != nil && !errors.Is(err, io.EOF):
			return err
		}
		if m, ok := Parse(string(rest)); ok {
			fn(m)
		}
		rest = rest[:0]
		if err != nil {
			return nil
		}
	}
	return nil
}

// reader reads on after a gap.
type reader struct{ r io.Reader }

func (r reader) Read(b []byte) (n int, err error) {
	for range 1000 {
		if n, err = r.r.Read(b); !errors.Is(err, syscall.EPIPE) {
			return n, err
		}
	}
	return n, err
}

package entry

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
)

// Head is what an index looks at, without the fields; its texts are parts of the record.
type Head struct {
	Seq    uint64
	Wall   int64 // Unix milliseconds
	Level  slog.Level
	Code   []byte
	Source []byte
	Tx     []byte
	Ref    []byte
}

// ParseHead reads the head of a record.
func ParseHead(b []byte) (h Head, ok bool) {
	_, ok = walk(b, func(p byte, v uint64, s []byte) {
		switch p {
		case pSeq << 1:
			h.Seq = v
		case pWall << 1:
			h.Wall = int64(v)
		case pLevel << 1:
			h.Level = slog.Level(int64(v) - levelBase)
		case pCode<<1 | 1:
			h.Code = s
		case pSource<<1 | 1:
			h.Source = s
		case pTx<<1 | 1:
			h.Tx = s
		case pRef<<1 | 1:
			h.Ref = s
		}
	})
	return h, ok && h.Seq > 0 && h.Wall >= 0 && uint64(h.Wall) <= maxMillis && h.Level <= levelBase
}

// walk calls fn for each part of a record.
func walk(b []byte, fn func(p byte, v uint64, s []byte)) (n int, ok bool) {
	for ; len(b) > 0; n++ {
		p := b[0]
		v, k := uint64(0), 0
		if len(b) > 1 && b[1] < 0x80 {
			v, k = uint64(b[1]), 1
		} else {
			v, k = binary.Uvarint(b[1:])
		}
		if k <= 0 {
			return n, false
		}
		b = b[1+k:]
		var s []byte
		if p&1 == 1 {
			if v > uint64(len(b)) {
				return n, false
			}
			s, b = b[:v], b[v:]
		}
		fn(p, v, s)
	}
	return n, true
}

// Line is an entry in one line of plain words: level, code, source, transaction, card,
// message and fields. It is what a search looks at.
func (e *Entry) Line() string { return string(AppendLine(nil, e.Append(nil))) }

// AppendLine puts a record's Line behind dst, without making an entry of it.
func AppendLine(dst, record []byte) []byte {
	level := slog.LevelInfo
	var at [pRef + 1][]byte
	walk(record, func(p byte, v uint64, s []byte) {
		if p == pLevel<<1 {
			level = slog.Level(int64(v) - levelBase)
		} else if p&1 == 1 && p>>1 <= pRef {
			at[p>>1] = s
		}
	})
	switch level {
	case slog.LevelInfo:
		dst = append(dst, "INFO"...)
	case slog.LevelWarn:
		dst = append(dst, "WARN"...)
	case slog.LevelError:
		dst = append(dst, "ERROR"...)
	default:
		dst = append(dst, level.String()...)
	}
	for _, p := range [...]int{pCode, pSource, pTx, pRef, pMsg} {
		if len(at[p]) > 0 {
			dst = append(append(dst, ' '), at[p]...)
		}
	}
	if at[pField] == nil {
		return dst
	}
	walk(record, func(p byte, _ uint64, s []byte) {
		if p != pField<<1|1 {
			return
		}
		i := bytes.IndexByte(s, 0)
		if i < 0 || i+2 > len(s) {
			return
		}
		dst = append(append(append(dst, ' '), s[:i]...), '=')
		v := s[i+2:]
		if s[i+1] == 'f' {
			if f, err := strconv.ParseFloat(string(v), 64); err == nil {
				dst = fmt.Append(dst, f)
				return
			}
		}
		if bytes.ContainsAny(v, " \"\n\t") {
			dst = strconv.AppendQuote(dst, string(v))
			return
		}
		dst = append(dst, v...)
	})
	return dst
}

// Text is the fields as people read them: "amount=12.80 rc=00".
func (e Entry) Text() string {
	var b strings.Builder
	for i, p := range e.Fields {
		if i > 0 {
			b.WriteByte(' ')
		}
		v := fmt.Sprint(p.Value)
		if strings.ContainsAny(v, " \"\n\t") {
			v = strconv.Quote(v)
		}
		fmt.Fprintf(&b, "%s=%s", p.Key, v)
	}
	return b.String()
}

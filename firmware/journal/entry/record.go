package entry

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"time"

	"swipewell/firmware/pos"
	"swipewell/ui/prompt"
)

// Parts of a record.
const (
	pSeq = iota + 1
	pWall
	pUp
	pLogical
	pBoot
	pLevel
	pCode
	pSource
	pTx
	pMsg
	pField
	pRef
)

// MaxRecord bounds a record: no entry that passed the constructors is as long.
const MaxRecord = 64 << 10

// levelBase makes levels above -16 positive.
const levelBase = 16

// Append puts e's record behind b.
func (e *Entry) Append(b []byte) []byte {
	num := func(p byte, n uint64) {
		if n != 0 {
			b = binary.AppendUvarint(append(b, p<<1), n)
		}
	}
	str := func(p byte, s string) {
		if s != "" {
			b = append(binary.AppendUvarint(append(b, p<<1|1), uint64(len(s))), s...)
		}
	}
	num(pSeq, e.Seq)
	num(pWall, uint64(max(0, e.Wall.UnixMilli())))
	num(pUp, uint64(e.Up.Milliseconds()))
	num(pLogical, uint64(e.Logical.Milliseconds()))
	str(pBoot, e.Boot)
	num(pLevel, uint64(int64(Level(e.Level))+levelBase))
	str(pCode, string(e.Code))
	str(pSource, e.Source)
	str(pTx, e.Tx)
	str(pMsg, e.Msg)
	str(pRef, e.Ref)
	var val [32]byte
	for _, f := range e.Fields {
		kind, v := byte('s'), val[:0]
		switch x := f.Value.(type) {
		case string:
			b = binary.AppendUvarint(append(b, pField<<1|1), uint64(len(f.Key)+2+len(x)))
			b = append(append(append(b, f.Key...), 0, 's'), x...)
			continue
		case int64:
			kind, v = 'i', strconv.AppendInt(v, x, 10)
		case float64:
			kind, v = 'f', strconv.AppendFloat(v, x, 'g', -1, 64)
		case bool:
			kind, v = 'b', strconv.AppendBool(v, x)
		default:
			v = fmt.Append(v, x)
		}
		b = binary.AppendUvarint(append(b, pField<<1|1), uint64(len(f.Key)+2+len(v)))
		b = append(append(append(b, f.Key...), 0, kind), v...)
	}
	return append(b, e.Unknown...)
}

var errRecord = errors.New("entry: not a record")

// Parse reads one record.
func Parse(b []byte) (e Entry, err error) {
	level := uint64(levelBase)
	for len(b) > 0 {
		start, p := b, b[0]
		v, n := binary.Uvarint(b[1:])
		if n <= 0 {
			return e, errRecord
		}
		b = b[1+n:]
		var s []byte
		if p&1 == 1 {
			if v > uint64(len(b)) {
				return e, errRecord
			}
			s, b = b[:v], b[v:]
		}
		switch p {
		case pSeq << 1:
			e.Seq = v
		case pWall << 1:
			if v > maxMillis {
				return e, errRecord
			}
			if e.Wall = time.UnixMilli(int64(v)).In(pos.CST); v == 0 {
				e.Wall = time.Time{}
			}
		case pUp << 1, pLogical << 1:
			if v > maxMillis {
				return e, errRecord
			}
			d := time.Duration(v) * time.Millisecond
			if p == pUp<<1 {
				e.Up = d
			} else {
				e.Logical = d
			}
		case pBoot<<1 | 1:
			e.Boot = string(s)
		case pLevel << 1:
			if level = v; v > 2*levelBase {
				return e, errRecord
			}
		case pCode<<1 | 1:
			e.Code = prompt.Code(s)
		case pSource<<1 | 1:
			e.Source = string(s)
		case pTx<<1 | 1:
			e.Tx = string(s)
		case pMsg<<1 | 1:
			e.Msg = string(s)
		case pRef<<1 | 1:
			e.Ref = string(s)
		case pField<<1 | 1:
			f, err := field(s)
			if err != nil {
				return e, err
			}
			e.Fields = append(e.Fields, f)
		default:
			e.Unknown = append(e.Unknown, start[:len(start)-len(b)]...)
		}
	}
	if e.Seq == 0 {
		return e, errRecord
	}
	e.Level = slog.Level(int64(level) - levelBase).String()
	return e, nil
}

// maxMillis keeps a time.Duration of milliseconds whole: 292 years.
const maxMillis = uint64(math.MaxInt64 / int64(time.Millisecond))

func field(s []byte) (f Pair, err error) {
	i := bytes.IndexByte(s, 0)
	if i < 0 || i+2 > len(s) {
		return f, errRecord
	}
	f.Key = string(s[:i])
	v := string(s[i+2:])
	switch s[i+1] {
	case 'i':
		f.Value, err = strconv.ParseInt(v, 10, 64)
	case 'f':
		f.Value, err = strconv.ParseFloat(v, 64)
	case 'b':
		f.Value, err = strconv.ParseBool(v)
	default: // 's', and what a newer version has
		f.Value = v
	}
	return f, err
}

// Level reads a level's name; one that is none is INFO.
func Level(s string) slog.Level {
	switch s {
	case "INFO", "":
		return slog.LevelInfo
	case "WARN":
		return slog.LevelWarn
	case "ERROR":
		return slog.LevelError
	case "DEBUG":
		return slog.LevelDebug
	}
	var l slog.Level
	if l.UnmarshalText([]byte(s)) != nil {
		return slog.LevelInfo
	}
	return min(max(l, -levelBase), levelBase)
}

// SeqOf is a record's number without reading the rest: it comes first. 0: none.
func SeqOf(b []byte) uint64 {
	if len(b) < 2 || b[0] != pSeq<<1 {
		return 0
	}
	v, n := binary.Uvarint(b[1:])
	if n <= 0 {
		return 0
	}
	return v
}

package journal

import (
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"swipewell/firmware/iso8583"
	"swipewell/firmware/tape"
	"swipewell/ui/prompt"
)

// Message is a message as its view has it: mti, and deN for each field.
func Message(v iso8583.View) (fields []Field) {
	if v.MTI() == 0 {
		return nil
	}
	fields = append(fields, text("mti", v.MTI().String()))
	for de, s := range v.Fields {
		fields = append(fields, text("de"+strconv.Itoa(de), s))
	}
	return fields
}

// Screen is what a screen said, and when: since the form was begun.
type Screen struct {
	Code, Note prompt.Code
	At         time.Duration
}

// Screens are several: "P-CRD-01@1.2 P-PIN-01/C-NET-01@4", in seconds.
func Screens(key string, list []Screen) Field {
	var b strings.Builder
	for i, s := range list {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(clip(word(string(s.Code)), 16))
		if s.Note != "" {
			b.WriteString("/" + clip(word(string(s.Note)), 16))
		}
		b.WriteString("@" + strconv.FormatFloat(s.At.Round(100*time.Millisecond).Seconds(), 'f', -1, 64))
	}
	return text(key, clip(b.String(), 600))
}

// TapeKey is the field that holds a part of a tape, in base64.
const TapeKey = "tape"

// Tape is a part of a tape: redacted by type when it was made.
func Tape(p tape.Packed) Field {
	return text(TapeKey, base64.StdEncoding.EncodeToString(p.Bytes()))
}

// TapeOf is the part that an entry holds; nil if it holds none.
func TapeOf(e Entry) []byte {
	s, _ := e.Get(TapeKey).(string)
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil
	}
	return b
}

package console

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"

	"swipewell/firmware/journal/segment"
)

// A request of the service socket goes over the cable, too: `ask ID BYTE SUM REQUEST` carries it out
// once for each ID, and answers with the socket's lines, packed, from that byte on. What noise hit
// is asked for again under the same ID. WIRE.

// readable are the requests that change nothing; upkeep those of technicians, of which each has its
// own guard (a signature, the board file) or changes nothing but the log.
var (
	readable = []string{"ping", "status", "queue", "batch", "tx", "log", "log-boots", "log-stats", "log-verify", "check", "page", "alerts", "limits", "seals", "rules", "rules-try",
		"selfcheck", "signal", "config", "config-diff"}
	upkeep = []string{"config-set", "rules-load", "log-upload", "service-note"}
)

// maxAnswer bounds an answer over the cable, before it is packed.
const maxAnswer = 2 << 20

// asked is the last answer.
type asked struct {
	id     string
	packed []byte
}

var errTooMuch = errors.New("the answer is too long for the cable: ask for less (-n, --since), or take an export")

func cmdAsk(s *Shell, ctx context.Context, args []string) error {
	if len(args) != 4 {
		return errUsage
	}
	if args[2] != askSum(args[0], args[3]) {
		s.println("SWJ ? ?") // noise: it is asked again
		return nil
	}
	off, err := strconv.Atoi(args[1])
	if err != nil || off < 0 {
		return errUsage
	}
	if s.answered.id != args[0] {
		raw, err := base64.StdEncoding.DecodeString(args[3])
		if err != nil {
			return errUsage
		}
		if s.answered.packed, err = s.answer(ctx, raw); err != nil {
			return err
		}
		s.answered.id = args[0]
	}
	b := s.answered.packed
	for range pieceLines {
		part := b[min(off, len(b)):min(off+pieceLine, len(b))]
		s.carry(int64(off), part)
		if off += len(part); len(part) == 0 {
			return nil
		}
	}
	return nil
}

// askSum keeps a request that noise hit from being another one.
func askSum(id, request string) string {
	return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(id+" "+request)))
}

// answer is what the socket would say, packed.
func (s *Shell) answer(ctx context.Context, raw []byte) ([]byte, error) {
	var q Request
	if err := json.Unmarshal(raw, &q); err != nil {
		return nil, fmt.Errorf("not a request: %w", err)
	}
	staff := s.who() == Technician || s.who() == Supervisor
	if !slices.Contains(readable, q.Cmd) && !(staff && slices.Contains(upkeep, q.Cmd)) || q.Follow {
		return nil, fmt.Errorf("not over the cable: %q", q.Cmd)
	}
	var out []byte
	add := func(r Reply) error {
		line, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if len(out)+len(line) > maxAnswer {
			return errTooMuch
		}
		out = append(append(out, line...), '\n')
		return nil
	}
	end := Reply{End: true, OK: true}
	err := (&Server{o: s.o}).answer(ctx, q, func(kind string, v any) error {
		data, err := json.Marshal(v)
		if err != nil {
			return err
		}
		return add(Reply{Kind: kind, Data: data})
	})
	if errors.Is(err, errTooMuch) {
		out = nil
	}
	if err != nil {
		end = Reply{End: true, Error: err.Error()}
	}
	if err := add(end); err != nil {
		return nil, err
	}
	return segment.Pack(nil, out), nil
}

// Do is [Client.Do] over the cable.
func (c *Cable) Do(ctx context.Context, q Request, fn func(Reply) error) error {
	raw, err := json.Marshal(q)
	if err != nil {
		return err
	}
	var id [6]byte
	rand.Read(id[:])
	name, line, packed := hex.EncodeToString(id[:]), base64.StdEncoding.EncodeToString(raw), []byte(nil)
	for empty := 0; ; {
		had := len(packed)
		end, err := c.carried(ctx, fmt.Sprintf("ask %s %d %s %s", name, had, askSum(name, line), line), int64(had), func(b []byte) error {
			packed = append(packed, b...)
			return nil
		})
		if err != nil {
			return err
		}
		if end {
			break
		}
		if empty++; len(packed) > had {
			empty = 0
		}
		if empty == tries {
			return errNoise
		}
	}
	text, err := segment.Unpack(nil, packed)
	if err != nil {
		return err
	}
	return replies(text, fn)
}

// replies gives the items of an answer; the device's no is *Refused.
func replies(text []byte, fn func(Reply) error) error {
	for len(text) > 0 {
		line := text
		if i := slices.Index(text, '\n'); i >= 0 {
			line, text = text[:i], text[i+1:]
		} else {
			text = nil
		}
		var r Reply
		if err := json.Unmarshal(line, &r); err != nil {
			return err
		}
		switch {
		case r.End && !r.OK:
			return &Refused{r.Error}
		case r.End:
			return nil
		}
		if err := fn(r); err != nil {
			return err
		}
	}
	return errors.New("console: the answer has no end")
}

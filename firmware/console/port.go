package console

import (
	"bytes"
	"context"
	"io"
	"regexp"
	"sync"

	"swipewell/hal"
)

// portStream makes a stream of a service port for x/term. Reads end with ctx.
type portStream struct {
	ctx  context.Context
	port hal.ServicePort
	err  error // of the last Read; owned by the reader
	keys keys  // owned by the reader
	have []byte
	brk  bool // the line that x/term gives now was given up

	mu   sync.Mutex
	werr error
	dumb bool
}

func (p *portStream) Read(b []byte) (int, error) {
	if err := p.fill(p.ctx); err != nil {
		p.err = err
		return 0, io.EOF
	}
	if p.have[0] == 0x03 {
		// x/term gives an EOF for ^C and ^D, does not take the key out of its input,
		// and gives it again without end; and what was typed, half a PIN, comes back at
		// the next prompt. So it gets an empty line instead.
		p.have = p.have[1:]
		p.brk = true
		return copy(b, dropLine+"\r"), nil
	}
	n := len(p.have)
	if i := bytes.IndexByte(p.have, 0x03); i > 0 {
		n = i
	}
	n = copy(b, p.have[:n])
	p.have = p.have[n:]
	return n, nil
}

// gaveUp tells whether the line that was read ended in ^C or ^D.
func (p *portStream) gaveUp() bool {
	was := p.brk
	p.brk = false
	return was
}

// fill waits until there is a key.
func (p *portStream) fill(ctx context.Context) error {
	var buf [256]byte
	for len(p.have) == 0 {
		n, err := p.port.Read(ctx, buf[:])
		p.have = p.keys.take(nil, buf[:n])
		clear(buf[:n])
		if err != nil {
			return err
		}
	}
	return nil
}

// key is one byte that was typed. Only the goroutine that reads lines may call it,
// and between two.
func (p *portStream) key(ctx context.Context) (byte, error) {
	if err := p.fill(ctx); err != nil {
		return 0, err
	}
	b := p.have[0]
	p.have = p.have[1:]
	return b, nil
}

// How x/term takes the typed line away before it writes a line of the log: it
// counts characters, and a Chinese one takes two places, so its way back to the
// left ends too early. The left edge is where a CR leads in any case. VT100.
var takesAway = regexp.MustCompile(`(\x1b\[[0-9]*D)?\x1b\[K`)

// controlSeq is any of its orders to the terminal.
var controlSeq = regexp.MustCompile(`\x1b\[[0-9;]*[A-Za-z]`)

func (p *portStream) Write(b []byte) (int, error) {
	p.mu.Lock()
	dumb := p.dumb
	p.mu.Unlock()
	out := b
	switch {
	case bytes.IndexByte(b, 0x1b) < 0:
	case dumb: // the line that is being typed stays; it comes again below
		out = controlSeq.ReplaceAll(takesAway.ReplaceAll(b, []byte("\r\n")), nil)
	default:
		out = takesAway.ReplaceAll(b, []byte("\r$0"))
	}
	_, err := p.port.Write(p.ctx, out)
	p.mu.Lock()
	p.werr = err
	p.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return len(b), nil
}

func (p *portStream) setDumb(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dumb = on
}

func (p *portStream) isDumb() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dumb
}

// failed is the error of the last write.
func (p *portStream) failed() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.werr
}

// Package at drives a cellular modem with Quectel-style sockets over its AT
// command port, as a hal.Dialer.
//
// Sources:
//   - TCPIP: Quectel EC200U/EG25 TCP/IP application note V1.1 (QI commands)
//   - V250: ITU-T V.250, command and result format
//   - 27.007: 3GPP TS 27.007 (CSQ §8.5, CREG §7.2, CMEE §9.1)
//   - HOST: firmware/doc/wire.md §6, the recovery ladder
//
// Three traps of such drivers are closed by construction. An indication never
// leaks into a reply: a line belongs to a command only if it is a final result
// or begins with what that command asked for. A late reply never completes
// another command: after a time-out the channel is out of step, and nothing is
// asked before a probe with an answer of its own kind has come back. Payload
// never meets the line splitter: counted data is a state of the parser.
package at

import (
	"strconv"
	"strings"
)

// TokenKind is what the parser found.
type TokenKind uint8

const (
	TokenLine   TokenKind = iota + 1 // a line without its line ends
	TokenPrompt                      // "> ": the modem wants payload
	TokenData                        // counted payload, or bytes of transparent mode
)

// Token is one thing the modem said. Data is valid until the next Feed.
type Token struct {
	Kind TokenKind
	Line string
	Data []byte
}

// mode of the parser.
type mode uint8

const (
	modeCommand mode = iota
	modeData         // so many bytes of payload
	modeTransparent
)

// maxText bounds a line; a longer one is noise.
const maxText = 1024

// Parser splits what a modem sends, byte by byte. It has no I/O.
type Parser struct {
	mode mode
	ask  bool // a '>' at a line's start is the prompt; holds over payload in between
	line []byte
	need int  // modeData: bytes still to come
	due  int  // payload announced by a line whose LF is still to come
	skip bool // the rest of an over-long line
}

// WantPrompt makes the next '>' at a line's start a prompt, also if payload
// comes first.
func (p *Parser) WantPrompt(on bool) { p.ask = on }

// Transparent switches between commands and raw bytes.
func (p *Parser) Transparent(on bool) {
	p.mode, p.ask, p.line = modeCommand, false, p.line[:0]
	if on {
		p.mode = modeTransparent
	}
}

// Reset forgets a half-received line or payload: the channel was re-opened.
func (p *Parser) Reset() { *p = Parser{line: p.line[:0]} }

// Feed hands bytes to the parser; emit is called for each token, in order. A
// CONNECT switches nothing by itself: the caller knows which command it ends.
func (p *Parser) Feed(b []byte, emit func(Token)) {
	for len(b) > 0 {
		switch p.mode {
		case modeData:
			n := min(p.need, len(b))
			emit(Token{Kind: TokenData, Data: b[:n]})
			if p.need -= n; p.need == 0 {
				p.mode = modeCommand
			}
			b = b[n:]
		case modeTransparent:
			emit(Token{Kind: TokenData, Data: b})
			return
		default:
			c := b[0]
			b = b[1:]
			p.char(c, emit)
		}
	}
}

func (p *Parser) char(c byte, emit func(Token)) {
	if p.due > 0 {
		n := p.due
		p.due = 0
		if c == '\n' { // the payload follows the line end, CR LF
			p.mode, p.need = modeData, n
			return
		}
	}
	switch {
	case c == '\r' || c == '\n':
		line := strings.TrimSpace(string(p.line))
		p.line = p.line[:0]
		if p.skip || line == "" {
			p.skip = false
			return
		}
		emit(Token{Kind: TokenLine, Line: line})
		if c == '\r' {
			p.due = counted(line)
		}
	case p.ask && c == '>' && len(p.line) == 0:
		p.ask = false
		emit(Token{Kind: TokenPrompt})
	case len(p.line) == 0 && c == ' ': // behind a prompt
	case len(p.line) >= maxText:
		p.skip = true
	default:
		p.line = append(p.line, c)
	}
}

// counted is how many bytes of payload follow a line: `+QIRD: n` in buffer
// mode, `+QIURC: "recv",id,n` in push mode. TCPIP §2.3.10, §2.4. 0 if none.
func counted(line string) int {
	var tail string
	switch {
	case strings.HasPrefix(line, "+QIRD:"):
		tail = strings.TrimPrefix(line, "+QIRD:")
	case strings.HasPrefix(line, `+QIURC: "recv",`):
		parts := strings.Split(line, ",")
		if len(parts) != 3 {
			return 0
		}
		tail = parts[2]
	default:
		return 0
	}
	n, err := strconv.Atoi(strings.TrimSpace(tail))
	if err != nil || n < 0 || n > 1<<16 {
		return 0 // statistics (AT+QIRD=id,0) have commas and no payload
	}
	return n
}

// indications come on their own, whatever a command waits for. TCPIP §2.4, 27.007.
var indications = []string{"+QIURC:", "+QIOPEN:", "+CREG:", "+CGREG:", "+CEREG:", "RDY", "POWERED DOWN", "NORMAL POWER DOWN", "+QIND:",
	"+CPIN: NOT", "+CFUN:", "RING", "NO CARRIER", "+CMTI:", "+QUSIM:", "APP RDY"}

func isIndication(line string) bool {
	for _, p := range indications {
		if strings.HasPrefix(line, p) {
			return true
		}
	}
	return false
}

// final result codes. V250 §5.7, TCPIP §2.3.9.
func isFinal(line string) bool {
	switch line {
	case "OK", "ERROR", "SEND OK", "SEND FAIL", "BUSY", "NO ANSWER", "NO DIALTONE":
		return true
	}
	return strings.HasPrefix(line, "+CME ERROR:") || strings.HasPrefix(line, "CONNECT")
}

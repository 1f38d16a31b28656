package at

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// ErrOutOfStep is returned by [Parser.Begin] while an abandoned command may
// still be answered and x is not a probe that can be told from it.
var ErrOutOfStep = errors.New("at: an earlier command may still be answered")

// ErrRunning is returned by [Parser.Begin] while a command runs.
var ErrRunning = errors.New("at: a command is running")

const (
	// maxLine bounds a line; what is longer is noise and is dropped whole.
	maxLine = 512
	// maxCounted bounds a counted block. QTCP 2.3.9: at most 1500 bytes a read.
	maxCounted = 1500
)

// Kind of an [Item].
type Kind uint8

const (
	// Indication is a line that belongs to no command: an unsolicited result
	// code, or the remains of an abandoned reply.
	Indication Kind = iota
	// Info is an information line of the running command.
	Info
	// Final ends the running command.
	Final
	// Prompt asks for the bytes of the running send.
	Prompt
	// Data is a counted block: pushed (ID is the socket) or read (ID is -1).
	Data
	// Raw is data in transparent mode.
	Raw
	// CarrierLost ends transparent mode: the other end closed.
	CarrierLost
	// Escaped ends transparent mode: the modem has heard the escape.
	Escaped
)

var kinds = [...]string{"indication", "info", "final", "prompt", "data", "raw", "carrier lost", "escaped"}

func (k Kind) String() string { return kinds[min(int(k), len(kinds)-1)] }

// Item is one thing that the modem said.
type Item struct {
	Kind Kind
	Line string // Indication, Info, Final
	ID   int    // Data
	Data []byte // Data, Raw: valid until the callback returns
}

// Expect says what a command may get. Whatever does not fit it is an
// indication: that is how indications stay out of replies.
type Expect struct {
	Text string // the command line without its CR; its echo is dropped
	Info string // prefix of its information lines with the colon, "+CSQ:"; "" none
	// Params is the least number of parameters of an information line: "+CREG: 1"
	// is an indication, "+CREG: 1,1" answers AT+CREG? (27.007 §7.2).
	Params  int
	Query   bool // always has an information line: an OK without one is not its OK
	Probe   bool // no final counts before the information line, not even ERROR
	Prompt  bool // a send: "> ", then SEND OK or SEND FAIL; OK is none of its results
	Connect bool // ends in CONNECT and transparent mode; OK is none of its results
}

type state uint8

const (
	inCommand     state = iota // lines
	inPrompt                   // lines, or the prompt
	inCounted                  // a block of known length
	inTransparent              // the host's bytes, until NO CARRIER
)

// Parser sorts the modem's bytes. It is a pure struct: no port, no clock. The
// zero value is out of step, since nobody knows what the modem was last told.
type Parser struct {
	state  state
	line   []byte
	flood  bool // the line is too long to be one
	skipLF bool // the LF of a CR that ended a line
	skipSP bool // the blank behind ">"

	running  bool
	x        Expect
	informed bool // an information line of x was seen
	prompted bool

	inStep bool
	stale  []string // information prefixes of unanswered commands

	need  int // bytes that a counted block lacks
	id    int
	block []byte

	escaping bool
	held     int // bytes of end() that the transparent tail matches
}

// carrier ends transparent mode. QTCP 2.2.3: the module reports NO CARRIER when
// the connection is closed by the other end.
const carrier = "\r\nNO CARRIER\r\n"

// escaped is what a modem says when it has left transparent mode.
const escaped = "\r\nOK\r\n"

// InStep tells whether no earlier command can be answered any more.
func (p *Parser) InStep() bool { return p.inStep }

// Transparent tells whether bytes are the host's.
func (p *Parser) Transparent() bool { return p.state == inTransparent }

// Begin is called before the first byte of a command is written.
func (p *Parser) Begin(x Expect) error {
	if p.running {
		return ErrRunning
	}
	if !p.inStep && (!x.Probe || x.Info == "" || slices.Contains(p.stale, x.Info)) {
		return ErrOutOfStep
	}
	p.running, p.x, p.informed, p.prompted = true, x, false, false
	if x.Prompt && p.state == inCommand {
		p.state = inPrompt
	}
	return nil
}

// Abandon gives up the running command: its reply may come late, or never.
func (p *Parser) Abandon() {
	if p.running {
		p.Lose(p.x.Info)
	}
	p.running = false
	if p.state == inPrompt {
		p.state = inCommand
	}
}

// Lose notes that a command with this information prefix went out without a
// Begin, or that the step was lost in another way.
func (p *Parser) Lose(info string) {
	p.inStep = false
	if info != "" && !slices.Contains(p.stale, info) {
		p.stale = append(p.stale, info)
	}
}

// Restarted is called when the modem is known to have forgotten all commands:
// it has booted. It says nothing of the bytes of the line that is being read.
func (p *Parser) Restarted() {
	p.running, p.inStep, p.stale = false, true, nil
	if p.state != inCounted {
		p.state = inCommand
	}
	p.held, p.escaping = 0, false
}

// Leave returns to command mode by force, whatever bytes come.
func (p *Parser) Leave() {
	p.state, p.held, p.escaping = inCommand, 0, false
	p.Lose("")
}

// probes are queries that answer without a SIM and without a network, and
// whose information lines are never indications (with two parameters).
var probes = []Expect{
	{Text: "AT+CSQ", Info: "+CSQ:", Params: 2, Query: true, Probe: true},
	{Text: "AT+CMEE?", Info: "+CMEE:", Query: true, Probe: true},
	{Text: "AT+CGATT?", Info: "+CGATT:", Query: true, Probe: true},
	{Text: "AT+IPR?", Info: "+IPR:", Query: true, Probe: true},
	{Text: "AT+CCLK?", Info: "+CCLK:", Query: true, Probe: true},
	{Text: "AT+CREG?", Info: "+CREG:", Params: 2, Query: true, Probe: true},
	{Text: "AT+CGREG?", Info: "+CGREG:", Params: 2, Query: true, Probe: true},
	{Text: "AT+CEREG?", Info: "+CEREG:", Params: 2, Query: true, Probe: true},
}

// NextProbe is a probe that can be told from all unanswered commands; ok is
// false if there is none left.
func (p *Parser) NextProbe() (x Expect, ok bool) {
	for _, x := range probes {
		if !slices.Contains(p.stale, x.Info) {
			return x, true
		}
	}
	return Expect{}, false
}

// Feed takes bytes as they come and calls emit for each item, in order. emit
// may call Restarted, and no other method.
func (p *Parser) Feed(b []byte, emit func(Item)) {
	for i := 0; i < len(b); {
		switch p.state {
		case inTransparent:
			i += p.raw(b[i:], emit)
		case inCounted:
			i += p.counted(b[i:], emit)
		default:
			p.char(b[i], emit)
			i++
		}
	}
}

func (p *Parser) char(c byte, emit func(Item)) {
	skipLF, skipSP := p.skipLF, p.skipSP
	p.skipLF, p.skipSP = false, false
	switch {
	case c == '\n' && skipLF:
	case c == ' ' && skipSP:
	case c == '\r' || c == '\n':
		p.skipLF = c == '\r'
		p.endLine(emit)
	case len(p.line) == 0 && (c < ' ' || c >= 0x7F):
		// A waking or rebooting UART leads with noise; within a line it would
		// make the line unknown, which is right.
	case len(p.line) == 0 && c == '>' && p.state == inPrompt:
		p.state, p.prompted, p.skipSP = inCommand, true, true
		emit(Item{Kind: Prompt})
	case len(p.line) == maxLine:
		p.flood = true
	default:
		p.line = append(p.line, c)
	}
}

func (p *Parser) endLine(emit func(Item)) {
	line, flood := string(p.line), p.flood
	p.line, p.flood = p.line[:0], false
	if line == "" || flood {
		return
	}
	kind := p.sort(line)
	if kind == Final {
		p.finish(line)
	}
	// The length of a block is taken at its word also when nobody waits for
	// it: the host's bytes must never be read as lines.
	if id, n, ok := blockHeader(line); ok {
		p.state, p.id, p.need = inCounted, id, n
		if kind == Indication {
			return
		}
	}
	if kind == echo {
		return
	}
	emit(Item{Kind: kind, Line: line})
}

// echo is the running command read back; it is dropped.
const echo Kind = 0xFF

func (p *Parser) sort(line string) Kind {
	switch {
	case !p.running:
		return Indication
	case line == p.x.Text:
		return echo
	case p.isFinal(line):
		return Final
	case p.x.Info != "" && strings.HasPrefix(line, p.x.Info) && !isError(line):
		if p.x.Params > 0 && len(params(line)) < p.x.Params {
			return Indication
		}
		p.informed = true
		return Info
	}
	return Indication
}

// isFinal tells whether line ends the running command. V.250 §5.7.1, 27.007
// §9.1 and QTCP 2.3.6.
func (p *Parser) isFinal(line string) bool {
	x := p.x
	switch {
	case x.Probe && !p.informed:
		return false
	case isError(line):
		return true
	case x.Prompt:
		return line == "SEND FAIL" || line == "SEND OK" && p.prompted
	case x.Connect:
		return line == "CONNECT" || strings.HasPrefix(line, "CONNECT ") || line == "NO CARRIER" || line == "BUSY" || line == "NO ANSWER"
	}
	return line == "OK" && (!x.Query || p.informed)
}

func isError(line string) bool {
	return line == "ERROR" || strings.HasPrefix(line, "+CME ERROR:") || strings.HasPrefix(line, "+CMS ERROR:")
}

func (p *Parser) finish(line string) {
	p.running, p.state = false, inCommand
	if p.x.Probe {
		p.inStep, p.stale = true, nil
	}
	if p.x.Connect && strings.HasPrefix(line, "CONNECT") {
		p.state, p.held, p.escaping = inTransparent, 0, false
	}
}

// blockHeader recognises `+QIRD: <n>` and `+QIURC: "recv",<id>,<n>`.
func blockHeader(line string) (id, n int, ok bool) {
	f := params(line)
	switch {
	case strings.HasPrefix(line, "+QIRD:") && len(f) == 1:
		id = -1
	case strings.HasPrefix(line, "+QIURC:") && len(f) == 3 && f[0] == "recv":
		var err error
		if id, err = strconv.Atoi(f[1]); err != nil || id < 0 {
			return 0, 0, false
		}
	default:
		return 0, 0, false
	}
	n, err := strconv.Atoi(f[len(f)-1])
	return id, n, err == nil && n > 0 && n <= maxCounted
}

func (p *Parser) counted(b []byte, emit func(Item)) int {
	if p.skipLF {
		p.skipLF = false
		if b[0] == '\n' {
			return 1
		}
	}
	n := min(p.need, len(b))
	p.block = append(p.block, b[:n]...)
	p.need -= n
	if p.need == 0 {
		p.state = inCommand
		if p.running && p.x.Prompt && !p.prompted {
			p.state = inPrompt
		}
		emit(Item{Kind: Data, ID: p.id, Data: p.block})
		clear(p.block)
		p.block = p.block[:0]
	}
	return n
}

// raw passes the host's bytes on. A tail that could be the beginning of the
// end (NO CARRIER, or the OK of an escape) is held until the next byte or
// [Parser.Flush]: a message may well end in CR or CR LF.
func (p *Parser) raw(b []byte, emit func(Item)) int {
	if p.skipLF { // of the CR behind CONNECT
		p.skipLF = false
		if b[0] == '\n' {
			return 1
		}
	}
	end := p.end()
	out := make([]byte, 0, len(b)+p.held)
	for _, c := range b {
		for p.held > 0 && (p.held == len(end) || c != end[p.held]) {
			border := 0 // both ends begin as they end, with CR LF
			switch p.held {
			case len(end):
				border = 2
			case len(end) - 1:
				border = 1
			}
			out = append(out, end[:p.held-border]...)
			p.held = border
		}
		if c == end[p.held] {
			p.held++
		} else {
			out = append(out, c)
		}
	}
	if len(out) > 0 {
		emit(Item{Kind: Raw, Data: out})
		clear(out)
	}
	return len(b)
}

func (p *Parser) end() string {
	if p.escaping {
		return escaped
	}
	return carrier
}

// Escape is called before "+++" is written: the next OK that is followed by
// silence ends transparent mode.
func (p *Parser) Escape() {
	if p.state == inTransparent {
		p.escaping, p.held = true, 0
	}
}

// Held tells whether Flush has something to decide.
func (p *Parser) Held() bool { return p.state == inTransparent && p.held > 0 }

// Flush is called after a silence in transparent mode: a held tail is data,
// unless it is an end as a whole, behind which a modem falls silent.
func (p *Parser) Flush(emit func(Item)) {
	if !p.Held() {
		return
	}
	n, end := p.held, p.end()
	p.held = 0
	if n == len(end) {
		kind := CarrierLost
		if p.escaping {
			kind = Escaped
		}
		p.state, p.escaping = inCommand, false
		emit(Item{Kind: kind})
		return
	}
	emit(Item{Kind: Raw, Data: []byte(end[:n])})
}

// params are the comma-separated parameters behind the colon, unquoted.
func params(line string) []string {
	_, rest, ok := strings.Cut(line, ":")
	if !ok {
		return nil
	}
	var out []string
	for rest = strings.TrimSpace(rest); ; {
		var field string
		if s, ok := strings.CutPrefix(rest, `"`); ok {
			field, rest, _ = strings.Cut(s, `"`)
			_, rest, ok = strings.Cut(rest, ",")
			out = append(out, field)
			if !ok {
				return out
			}
			continue
		}
		var more bool
		field, rest, more = strings.Cut(rest, ",")
		out = append(out, strings.TrimSpace(field))
		if !more {
			return out
		}
	}
}

// number is parameter i of a line, or def.
func number(line string, i, def int) int {
	f := params(line)
	if i >= len(f) {
		return def
	}
	n, err := strconv.Atoi(f[i])
	if err != nil {
		return def
	}
	return n
}

// Package modemsim is the modem's end of the serial line: it answers AT
// commands with real bytes, dials real TCP connections, and does to them what a
// bad day does.
//
// Sources:
//   - TCPIP: Quectel EC200U/EG25 TCP/IP application note V1.1
//   - 27.007: 3GPP TS 27.007
package modemsim

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"swipewell/hal"
)

// Opts of New. Clock is needed.
type Opts struct {
	Clock hal.Clock
	Dial  func(ctx context.Context, addr string) (net.Conn, error) // nil: TCP
	Seed  uint64
}

// bootTime is what a reboot takes before RDY.
const bootTime = time.Second

// Modem is one simulated modem. Its radio, and what the network does to its
// bytes, survive Unplug and Plug.
type Modem struct {
	o   Opts
	net *network

	mu      sync.Mutex
	rw      io.ReadWriter // nil: no power
	gen     int           // counts power cycles and reboots: late timers of before do nothing
	echo    bool
	line    []byte
	need    int    // bytes of payload still to come behind a prompt
	data    []byte // payload so far
	raw     bool   // transparent mode
	plus    int    // '+' seen in a row in transparent mode
	hung    bool
	booting bool
	csq     int
	ber     int
	reg     int
	urcReg  bool
	pdp     bool
	mode    int // of the socket: 0 buffer, 1 push, 2 transparent
	sock    *socket
	rx      []byte // buffer mode: received and not fetched
	told    bool   // "recv" was said and the buffer not emptied since
	last    string // the last command, without its arguments
	sent    int
}

// New makes a modem; Plug gives it its serial line.
func New(o Opts) *Modem {
	if o.Dial == nil {
		o.Dial = func(ctx context.Context, addr string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", addr)
		}
	}
	m := &Modem{o: o, csq: 24, reg: 1}
	m.net = newNetwork(o.Clock, rand.New(rand.NewPCG(o.Seed, 11)))
	m.restart()
	return m
}

// restart is the state after power-on. The caller holds mu, or nobody else knows m.
func (m *Modem) restart() {
	m.gen++
	m.echo, m.line, m.need, m.data, m.raw, m.plus = true, nil, 0, nil, false, 0
	m.hung, m.booting, m.pdp, m.urcReg, m.rx, m.told = false, false, false, false, nil, false
	if m.sock != nil {
		m.sock.kill()
		m.sock = nil
	}
}

// Plug powers the modem on a serial line and reads it until it ends.
func (m *Modem) Plug(rw io.ReadWriter) {
	m.mu.Lock()
	m.restart()
	m.rw = rw
	m.mu.Unlock()
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := rw.Read(buf)
			m.mu.Lock()
			if m.rw != rw {
				m.mu.Unlock()
				return
			}
			m.input(buf[:n])
			m.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
}

// Unplug is the power failing: sockets die, what was not read is gone. What
// has left into the network goes on.
func (m *Modem) Unplug() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rw = nil
	m.restart()
}

// say writes a line framed as V.250 does. The caller holds mu.
func (m *Modem) say(s string) { m.out("\r\n" + s + "\r\n") }

func (m *Modem) out(s string) {
	if m.rw != nil && !m.hung && !m.booting {
		io.WriteString(m.rw, s)
	}
}

// later runs f after d, unless the modem was reset meanwhile. Caller holds mu.
func (m *Modem) later(d time.Duration, f func()) {
	gen := m.gen
	m.o.Clock.AfterFunc(d, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.gen == gen {
			f()
		}
	})
}

// input takes what the device wrote. The caller holds mu.
func (m *Modem) input(b []byte) {
	for len(b) > 0 {
		switch {
		case m.raw:
			b = m.transparent(b)
		case m.need > 0 && !m.hung:
			n := min(m.need, len(b))
			m.data = append(m.data, b[:n]...)
			b = b[n:]
			if m.need -= n; m.need == 0 {
				m.payload()
			}
		default:
			c := b[0]
			b = b[1:]
			if m.echo && c != 0x1B {
				m.out(string(c))
			}
			switch {
			case c == '\r':
				cmd := strings.TrimSpace(string(m.line))
				m.line = m.line[:0]
				m.command(cmd)
			case c == '\n' || c == 0x1B:
			case len(m.line) < 1024:
				m.line = append(m.line, c)
			}
		}
	}
}

// transparent passes bytes on, and leaves at "+++". The guard silence is the
// driver's affair; here three in a row at the end of a write suffice.
func (m *Modem) transparent(b []byte) []byte {
	if string(b) == "+++" {
		m.raw = false
		m.say("OK")
		return nil
	}
	if m.sock != nil {
		m.sock.send(b)
		m.sent += len(b)
	}
	return nil
}

// payload is complete: it goes into the network.
func (m *Modem) payload() {
	b := m.data
	m.data = nil
	if m.sock == nil || m.sock.dead {
		m.say("SEND FAIL")
		return
	}
	m.sock.send(b)
	m.sent += len(b)
	m.say("SEND OK")
}

func (m *Modem) command(cmd string) {
	if m.booting || cmd == "" {
		return
	}
	if m.hung {
		if cmd == "AT+CFUN=1,1" {
			m.reboot()
		}
		return
	}
	name, args, _ := strings.Cut(cmd, "=")
	m.last = name
	a := strings.Split(args, ",")
	switch name {
	case "AT", "AT+CMEE", "AT+QICSGP", "AT+CGATT", "ATV1":
		m.say("OK")
	case "ATE0", "ATE1":
		m.echo = name == "ATE1"
		m.say("OK")
	case "ATZ", "AT&F":
		m.echo = true
		m.say("OK")
	case "AT+CREG":
		m.urcReg = args == "1"
		m.say("OK")
	case "AT+CFUN":
		m.say("OK")
		if args == "1,1" {
			m.reboot()
		}
	case "AT+CPIN?":
		m.say("+CPIN: READY")
		m.say("OK")
	case "AT+CSQ":
		m.say(fmt.Sprintf("+CSQ: %d,%d", m.csq, m.ber))
		m.say("OK")
	case "AT+CREG?":
		m.say(fmt.Sprintf("+CREG: 1,%d", m.reg))
		m.say("OK")
	case "AT+COPS?": // 27.007 §7.3: without a name while it is registered nowhere
		if m.reg == 1 || m.reg == 5 {
			m.say(`+COPS: 0,0,"CHN-BENCH",7`)
		} else {
			m.say("+COPS: 0")
		}
		m.say("OK")
	case "AT+QIACT?":
		if m.pdp {
			m.say(`+QIACT: 1,1,1,"10.0.0.2"`)
		}
		m.say("OK")
	case "AT+QIACT":
		if !m.net.isUp() || m.reg != 1 && m.reg != 5 {
			m.later(time.Second, func() { m.say("+CME ERROR: 30") })
			return
		}
		m.pdp = true
		m.say("OK")
	case "AT+QIDEACT":
		m.pdp = false
		m.say("OK")
	case "AT+QIOPEN":
		m.open(a)
	case "AT+QISEND":
		m.qisend(a)
	case "AT+QIRD":
		m.qird(a)
	case "AT+QICLOSE":
		if m.sock != nil {
			m.sock.close()
			m.sock = nil
		}
		m.rx, m.told = nil, false
		m.say("OK")
	case "ATO":
		if m.sock == nil {
			m.say("NO CARRIER")
			return
		}
		m.say("CONNECT")
		m.raw = true
	case "AT+QIGETERROR":
		m.say("+QIGETERROR: 0,operate successfully")
		m.say("OK")
	default:
		m.say("ERROR")
	}
}

func (m *Modem) reboot() {
	m.restart()
	m.booting = true
	m.later(bootTime, func() {
		m.booting = false
		m.say("RDY")
	})
}

// open is AT+QIOPEN=1,0,"TCP","host",port,0,mode. TCPIP §2.3.1.
func (m *Modem) open(a []string) {
	if len(a) < 7 || m.sock != nil {
		m.say("ERROR")
		return
	}
	addr := net.JoinHostPort(strings.Trim(a[3], `"`), a[4])
	m.mode, _ = strconv.Atoi(a[6])
	if m.mode != 2 {
		m.say("OK")
	}
	result := func(code int) {
		switch {
		case m.mode != 2:
			m.say(fmt.Sprintf("+QIOPEN: 0,%d", code))
		case code == 0:
			m.say("CONNECT")
			m.raw = true
		default:
			m.say("ERROR")
		}
	}
	if !m.pdp {
		result(561)
		return
	}
	if !m.net.isUp() {
		m.later(2*time.Second, func() { result(569) })
		return
	}
	gen := m.gen
	go func() {
		ctx, cancel := hal.WithTimeout(context.Background(), m.o.Clock, 10*time.Second)
		defer cancel()
		c, err := m.o.Dial(ctx, addr)
		m.mu.Lock()
		defer m.mu.Unlock()
		switch {
		case m.gen != gen:
			if err == nil {
				c.Close()
			}
		case err != nil:
			result(566)
		default:
			m.rx, m.told = nil, false
			m.sock = m.net.join(c, m.arrived, m.hostClosed)
			result(0)
		}
	}()
}

// arrived takes bytes from the network.
func (m *Modem) arrived(s *socket, b []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sock != s {
		return
	}
	switch m.mode {
	case 1:
		m.out(fmt.Sprintf("\r\n+QIURC: \"recv\",0,%d\r\n%s", len(b), b))
	case 2:
		m.out(string(b))
	default:
		m.rx = append(m.rx, b...)
		if !m.told {
			m.told = true
			m.say(`+QIURC: "recv",0`)
		}
	}
}

func (m *Modem) hostClosed(s *socket) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sock != s {
		return
	}
	if m.mode == 2 {
		m.raw, m.sock = false, nil
		m.say("NO CARRIER")
		return
	}
	m.say(`+QIURC: "closed",0`)
}

// qisend is AT+QISEND=0,n. TCPIP §2.3.9.
func (m *Modem) qisend(a []string) {
	n := -1
	if len(a) == 2 {
		n, _ = strconv.Atoi(a[1])
	}
	switch {
	case m.sock == nil || n < 0 || n > 1460:
		m.say("ERROR")
	case n == 0:
		acked := m.sock.delivered()
		m.say(fmt.Sprintf("+QISEND: %d,%d,%d", m.sock.total(), acked, m.sock.total()-acked))
		m.say("OK")
	case m.sock.isDead():
		m.say("ERROR")
	default:
		m.need, m.data = n, nil
		m.out("\r\n> ")
	}
}

// qird is AT+QIRD=0,max. TCPIP §2.3.10.
func (m *Modem) qird(a []string) {
	limit := 1500
	if len(a) == 2 {
		limit, _ = strconv.Atoi(a[1])
	}
	n := min(limit, len(m.rx))
	if n == 0 {
		m.told = false
		m.say("+QIRD: 0")
		m.say("OK")
		return
	}
	m.out(fmt.Sprintf("\r\n+QIRD: %d\r\n%s\r\n\r\nOK\r\n", n, m.rx[:n]))
	m.rx = m.rx[n:]
}

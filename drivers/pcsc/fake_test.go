package pcsc

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"swipewell/drivers/iso7816"
	"swipewell/hal"
)

// fake is a daemon in this process whose answers a test sets.
type fake struct {
	present  bool
	connect  Code
	transmit Code
	protocol uint32
	answer   []byte
	length   uint32 // said of the answer; 0: as it is
}

func (f *fake) serve(c net.Conn) {
	defer c.Close()
	for {
		var head [8]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return
		}
		body := make([]byte, order.Uint32(head[:]))
		if _, err := io.ReadFull(c, body); err != nil {
			return
		}
		rv := func(code Code) { order.PutUint32(body[len(body)-4:], uint32(code)) }
		switch order.Uint32(head[4:]) {
		case cmdStates, cmdWait:
			body = make([]byte, maxReaders*stateLen)
			copy(body, "Fake 00 00")
			if f.present {
				order.PutUint32(body[nameLen+4:], statePresent)
				copy(body[nameLen+12:], []byte{0x3B, 0x00})
				order.PutUint32(body[nameLen+12+atrLen+3:], 2)
			}
		case cmdConnect:
			order.PutUint32(body[4+nameLen+8:], 77)
			order.PutUint32(body[4+nameLen+12:], f.protocol)
			rv(f.connect)
		case cmdTransmit:
			io.ReadFull(c, make([]byte, order.Uint32(body[12:])))
			n := f.length
			if n == 0 {
				n = uint32(len(f.answer))
			}
			order.PutUint32(body[24:], n)
			if rv(f.transmit); f.transmit == 0 {
				body = append(body, f.answer...)
			}
		}
		if _, err := c.Write(body); err != nil {
			return
		}
	}
}

// The daemon's answers, and what they mean for a sale.
func TestCauses(t *testing.T) {
	for _, c := range []struct {
		name string
		f    fake
		want string
	}{
		{"good", fake{present: true, protocol: protoT1, answer: []byte{0x90, 0}}, ""},
		{"no card", fake{}, "removed"},
		{"no smart card", fake{present: true, connect: 0x8010000C}, "removed"},
		{"unresponsive", fake{present: true, connect: 0x80100066}, "mute"},
		{"unpowered", fake{present: true, connect: 0x80100067}, "mute"},
		{"mismatch", fake{present: true, connect: 0x8010000F}, "refused"},
		{"raw", fake{present: true, protocol: 4}, "refused"},
		{"no memory", fake{present: true, connect: 0x80100006}, "device"},
		{"unknown", fake{present: true, connect: 0x8010FFFF}, "device"},
		{"removed", fake{present: true, protocol: protoT1, transmit: 0x80100069}, "removed"},
		{"reset by another", fake{present: true, protocol: protoT0, transmit: 0x80100068}, "protocol"},
		{"not transacted", fake{present: true, protocol: protoT0, transmit: 0x80100016}, "protocol"},
		{"no status", fake{present: true, protocol: protoT1, answer: []byte{0x90}}, "protocol"},
		{"a long answer", fake{present: true, protocol: protoT1, answer: []byte{0x90, 0}, length: 1 << 30}, "device"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "s")
			ln, err := net.Listen("unix", path)
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			go func() {
				for {
					nc, err := ln.Accept()
					if err != nil {
						return
					}
					go c.f.serve(nc)
				}
			}()
			r, err := New(Opts{Socket: path, Clock: hal.SystemClock{}})
			if err != nil {
				t.Fatal(err)
			}
			_, err = r.PowerUp(t.Context())
			if err == nil {
				_, err = r.Transmit(t.Context(), nil, []byte{0, 0xA4, 4, 0})
			}
			var ce *hal.ChipError
			if c.want == "" && err != nil || c.want != "" && (!errors.As(err, &ce) || ce.Cause.String() != c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if err == nil {
				return
			}
			if _, err := r.Transmit(t.Context(), nil, []byte{0, 0xA4, 4, 0}); err != iso7816.ErrNoPower {
				t.Errorf("after an error: %v", err)
			}
		})
	}
}

// A daemon that does not answer, that hangs up, that is not there.
func TestNoDaemon(t *testing.T) {
	if _, err := New(Opts{}); err == nil {
		t.Error("no clock")
	}
	path := filepath.Join(t.TempDir(), "s")
	var ce *hal.ChipError
	if _, err := New(Opts{Socket: path, Clock: hal.SystemClock{}}); !errors.As(err, &ce) || ce.Cause != hal.ChipDevice {
		t.Errorf("%v", err)
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	hold := make(chan net.Conn, 8)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			hold <- c
		}
	}()
	go func() { (<-hold).Close() }()
	if _, err := New(Opts{Socket: path, Clock: hal.SystemClock{}}); !errors.As(err, &ce) || ce.Cause != hal.ChipDevice {
		t.Errorf("hung up: %v", err)
	}
	clock := hal.NewSteppedClock(nil, time.Unix(1_800_000_000, 0))
	done := make(chan error, 1)
	go func() { _, err := New(Opts{Socket: path, Clock: clock}); done <- err }()
	<-hold // and not a word
	clock.Jump(time.Minute)
	if err := <-done; !errors.As(err, &ce) || ce.Cause != hal.ChipDevice {
		t.Errorf("silent: %v", err)
	}
}

// The layout is the daemon's, byte by byte. PCSCLITE, eventhandler.h.
func TestLayout(t *testing.T) {
	if stateLen != 184 {
		t.Fatalf("a state of %d bytes", stateLen)
	}
	b := make([]byte, 2*184)
	copy(b[184:], "R")
	binary.NativeEndian.PutUint32(b[184+132:], 0x34)
	copy(b[184+140:], []byte{0x3B, 0x01, 0x02})
	binary.NativeEndian.PutUint32(b[184+176:], 3)
	all := parseStates(b)
	if len(all) != 1 || all[0].name != "R" || !all[0].present || string(all[0].atr) != "\x3B\x01\x02" {
		t.Errorf("%+v", all)
	}
	if got := Code(0x80100069).Error(); got != "pcsc: removed card (80100069)" {
		t.Error(got)
	}
}

func FuzzStates(f *testing.F) {
	f.Add(make([]byte, 184))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, s := range parseStates(b) {
			if len(s.atr) > atrLen || len(s.name) > nameLen {
				t.Errorf("%+v", s)
			}
		}
	})
}

package haltest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"swipewell/hal"
)

// DialerBench is a dialer and the hosts that it can reach.
type DialerBench struct {
	Dialer hal.Dialer
	// Echo is the address of a host that sends back what it gets.
	Echo string
	// HangUp makes that host close all its open connections.
	HangUp func()
	// Refused is an address where nobody listens; "" leaves that test out.
	Refused string
}

// Dialer is the conformance suite of hal.Dialer and of the hal.Link it opens.
func Dialer(t *testing.T, open func(t *testing.T) DialerBench) {
	dial := func(t *testing.T) (DialerBench, hal.Link) {
		t.Helper()
		b := open(t)
		l, err := b.Dialer.Dial(limit(t), b.Echo)
		if err != nil {
			t.Fatalf("Dial: %v", err)
		}
		t.Cleanup(func() { l.Close() })
		return b, l
	}
	t.Run("Resource", func(t *testing.T) { resource(t, open(t).Dialer) })
	t.Run("BytesThereAndBack", func(t *testing.T) {
		_, l := dial(t)
		if l.String() == "" {
			t.Error("a link without a name")
		}
		echo(t, l, all256())
		echo(t, l, bytes.Repeat(all256(), 12)) // more than one frame of any modem
	})
	t.Run("DialAgain", func(t *testing.T) {
		b, l := dial(t)
		echo(t, l, []byte("first"))
		if err := l.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if n, err := l.Write(limit(t), []byte("x")); n != 0 || err == nil {
			t.Errorf("Write after Close: %d %v, and none must have left", n, err)
		}
		if n, err := l.Read(limit(t), make([]byte, 8)); n != 0 || err == nil {
			t.Errorf("Read after Close: %d %v", n, err)
		}
		again, err := b.Dialer.Dial(limit(t), b.Echo)
		if err != nil {
			t.Fatalf("Dial again: %v", err)
		}
		defer again.Close()
		echo(t, again, []byte("second"))
	})
	t.Run("CancelFreesRead", func(t *testing.T) {
		_, l := dial(t)
		freed(t, "Read", func(ctx context.Context) (int, error) { return l.Read(ctx, make([]byte, 8)) })
		echo(t, l, []byte("still there"))
	})
	t.Run("CloseFreesRead", func(t *testing.T) {
		_, l := dial(t)
		done := start(func() (int, error) { return l.Read(limit(t), make([]byte, 8)) })
		l.Close()
		if _, err := await(t, "Read", done); err == nil {
			t.Error("Read of a closed link ended without an error")
		}
	})
	t.Run("FarCloseIsTyped", func(t *testing.T) {
		b, l := dial(t)
		echo(t, l, []byte("hello"))
		done := start(func() (int, error) { return l.Read(limit(t), make([]byte, 8)) })
		b.HangUp()
		_, err := await(t, "Read", done)
		cause(t, "Read", err, hal.CauseClosed)
	})
	t.Run("CancelledDial", func(t *testing.T) {
		b := open(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		done := start(func() (hal.Link, error) { return b.Dialer.Dial(ctx, b.Echo) })
		if l, err := await(t, "Dial", done); err == nil {
			l.Close()
			t.Error("Dial with a cancelled context opened a link")
		}
		l, err := b.Dialer.Dial(limit(t), b.Echo)
		if err != nil {
			t.Fatalf("Dial after a cancelled one: %v", err)
		}
		defer l.Close()
		echo(t, l, []byte("after"))
	})
	t.Run("RefusedIsTyped", func(t *testing.T) {
		b := open(t)
		if b.Refused == "" {
			t.Skip("needs an address where nobody listens")
		}
		l, err := b.Dialer.Dial(limit(t), b.Refused)
		if err == nil {
			l.Close()
			t.Fatal("somebody listens there")
		}
		cause(t, "Dial", err, hal.CauseHostRefused)
	})
}

// cause checks that err is a *hal.LinkError of that cause.
func cause(t *testing.T, what string, err error, want hal.LinkCause) {
	t.Helper()
	var le *hal.LinkError
	if !errors.As(err, &le) || le.Cause != want {
		t.Errorf("%s: %v, want a LinkError %q", what, err, want)
	}
}

func all256() []byte {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

// byteStream is what links and cables have in common.
type byteStream interface {
	Read(ctx context.Context, p []byte) (int, error)
	Write(ctx context.Context, p []byte) (int, error)
}

// echo writes and reads back.
func echo(t *testing.T, l byteStream, b []byte) {
	t.Helper()
	sent := start(func() (int, error) { return l.Write(limit(t), b) })
	got := readN(t, l, len(b))
	if n, err := await(t, "Write", sent); n != len(b) || err != nil {
		t.Fatalf("Write: %d of %d, %v", n, len(b), err)
	}
	if !bytes.Equal(got, b) {
		t.Fatal("other bytes came back than were sent")
	}
}

// readN reads exactly n bytes, in whatever pieces they come.
func readN(t *testing.T, l byteStream, n int) []byte {
	t.Helper()
	got, buf, ctx := make([]byte, 0, n), make([]byte, 100), limit(t)
	for len(got) < n {
		m, err := l.Read(ctx, buf)
		if m == 0 && err == nil {
			t.Fatal("Read returned nothing and no error")
		}
		got = append(got, buf[:m]...)
		if err != nil {
			t.Fatalf("Read after %d of %d bytes: %v", len(got), n, err)
		}
	}
	return got
}

// ServicePortBench is a service port and the technician's end of the cable.
type ServicePortBench struct {
	Port hal.ServicePort
	Far  io.ReadWriter
}

// ServicePort is the conformance suite of hal.ServicePort.
func ServicePort(t *testing.T, open func(t *testing.T) ServicePortBench) {
	t.Run("Resource", func(t *testing.T) { resource(t, open(t).Port) })
	t.Run("BytesBothWays", func(t *testing.T) {
		b := open(t)
		sent := start(func() (int, error) { return b.Far.Write(all256()) })
		if got := readN(t, b.Port, 256); !bytes.Equal(got, all256()) {
			t.Error("bytes changed on the way in")
		}
		await(t, "Write of the far end", sent)
		if n, err := b.Port.Write(limit(t), all256()); n != 256 || err != nil {
			t.Fatalf("Write: %d %v", n, err)
		}
		got := make([]byte, 256)
		read := start(func() (int, error) { return io.ReadFull(b.Far, got) })
		if _, err := await(t, "Read of the far end", read); err != nil || !bytes.Equal(got, all256()) {
			t.Errorf("bytes changed on the way out, %v", err)
		}
	})
	t.Run("SetBaud", func(t *testing.T) {
		b := open(t)
		for _, baud := range []int{9600, 57600, 115200} {
			if err := b.Port.SetBaud(baud); err != nil {
				t.Errorf("%d baud: %v", baud, err)
			}
		}
		if err := b.Port.SetBaud(-1); err == nil {
			t.Error("-1 baud is accepted")
		}
		go b.Far.Write([]byte("x"))
		readN(t, b.Port, 1)
	})
	t.Run("CancelFreesRead", func(t *testing.T) {
		b := open(t)
		freed(t, "Read", func(ctx context.Context) (int, error) { return b.Port.Read(ctx, make([]byte, 8)) })
		go b.Far.Write([]byte("x"))
		readN(t, b.Port, 1)
	})
	t.Run("CancelFreesWrite", func(t *testing.T) {
		b := open(t)
		freed(t, "Write", func(ctx context.Context) (int, error) { return b.Port.Write(ctx, make([]byte, 1<<22)) }) // nobody reads
	})
	t.Run("CloseFreesRead", func(t *testing.T) {
		b := open(t)
		done := start(func() (int, error) { return b.Port.Read(limit(t), make([]byte, 8)) })
		for i := range 2 {
			if err := b.Port.Close(); err != nil {
				t.Errorf("Close %d: %v", i+1, err)
			}
		}
		if _, err := await(t, "Read", done); err == nil {
			t.Error("Read of a closed port ended without an error")
		}
		if _, err := b.Port.Write(limit(t), []byte("x")); err == nil {
			t.Error("a closed port takes bytes")
		}
	})
}

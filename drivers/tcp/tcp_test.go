package tcp_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"swipewell/drivers/tcp"
	"swipewell/hal"
	"swipewell/hal/haltest"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// authority makes certificates for 127.0.0.1, good for one day around noon.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, NotBefore: noon.Add(-24 * time.Hour),
		NotAfter: noon.Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, _ := x509.ParseCertificate(der)
	return authority{cert, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

func (a authority) host(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(2), NotBefore: noon.Add(-24 * time.Hour), NotAfter: noon.Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"host.test"}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// echoHost sends back what it gets.
func echoHost(t *testing.T, cfg *tls.Config) (addr string, hangUp func()) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if cfg != nil {
		ln = tls.NewListener(ln, cfg)
	}
	var mu sync.Mutex
	var conns []net.Conn
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			go io.Copy(c, c)
		}
	}()
	return ln.Addr().String(), func() {
		mu.Lock()
		defer mu.Unlock()
		for _, c := range conns {
			c.Close()
		}
	}
}

// nobody is an address where nobody listens.
func nobody(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	return ln.Addr().String()
}

func TestConformance(t *testing.T) {
	clock := hal.NewSteppedClock(hal.SystemClock{}, noon)
	t.Run("plain", func(t *testing.T) {
		haltest.Dialer(t, func(t *testing.T) haltest.DialerBench {
			d, err := tcp.New(tcp.Opts{Clock: clock})
			if err != nil {
				t.Fatal(err)
			}
			addr, hangUp := echoHost(t, nil)
			return haltest.DialerBench{Dialer: d, Echo: addr, HangUp: hangUp, Refused: nobody(t)}
		})
	})
	t.Run("TLS", func(t *testing.T) {
		ca := newAuthority(t)
		haltest.Dialer(t, func(t *testing.T) haltest.DialerBench {
			d, err := tcp.New(tcp.Opts{Clock: clock, TLS: true, CA: ca.pem})
			if err != nil {
				t.Fatal(err)
			}
			addr, hangUp := echoHost(t, &tls.Config{Certificates: []tls.Certificate{ca.host(t)}, Time: func() time.Time { return noon }})
			return haltest.DialerBench{Dialer: d, Echo: addr, HangUp: hangUp, Refused: nobody(t)}
		})
	})
}

// Only the pinned CA is believed, for the right name, at the device's own time.
func TestTLSRefusals(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	for _, c := range []struct {
		name string
		ca   authority
		host string // the name asked for
		wall time.Time
		max  uint16
		want hal.LinkCause
	}{
		{name: "as it should be", ca: ca, wall: noon},
		{name: "by its name", ca: ca, host: "host.test", wall: noon},
		{name: "another CA", ca: other, wall: noon, want: hal.CauseTLS},
		{name: "another name", ca: ca, host: "else.test", wall: noon, want: hal.CauseTLS},
		{name: "run out", ca: ca, wall: noon.Add(72 * time.Hour), want: hal.CauseTLS},
		{name: "clock at 1970", ca: ca, wall: time.Unix(0, 0), want: hal.CauseTLS},
		{name: "TLS 1.1", ca: ca, wall: noon, max: tls.VersionTLS11, want: hal.CauseTLS},
	} {
		t.Run(c.name, func(t *testing.T) {
			addr, _ := echoHost(t, &tls.Config{Certificates: []tls.Certificate{ca.host(t)}, MaxVersion: c.max, MinVersion: tls.VersionTLS10,
				Time: func() time.Time { return noon }})
			d, err := tcp.New(tcp.Opts{Clock: hal.NewSteppedClock(hal.SystemClock{}, c.wall), TLS: true, CA: c.ca.pem, ServerName: c.host})
			if err != nil {
				t.Fatal(err)
			}
			l, err := d.Dial(t.Context(), addr)
			var le *hal.LinkError
			if c.want == hal.CauseUnknown {
				if err != nil {
					t.Fatal(err)
				}
				l.Close()
			} else if !errors.As(err, &le) || le.Cause != c.want {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

// A host that takes the call and says nothing: the dial ends with its deadline.
func TestSilentTLSHost(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	clock := hal.NewSteppedClock(nil, noon)
	d, err := tcp.New(tcp.Opts{Clock: clock, TLS: true, CA: newAuthority(t).pem})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := hal.WithTimeout(t.Context(), clock, 10*time.Second)
	defer cancel()
	go func() {
		if c, err := ln.Accept(); err == nil {
			defer c.Close()
			clock.Jump(11 * time.Second)
			io.Copy(io.Discard, c)
		}
	}()
	_, err = d.Dial(ctx, ln.Addr().String())
	var le *hal.LinkError
	if !errors.As(err, &le) || le.Cause != hal.CauseHostSilent {
		t.Errorf("%v", err)
	}
}

func TestNew(t *testing.T) {
	if _, err := tcp.New(tcp.Opts{}); err == nil {
		t.Error("no clock, no error")
	}
	for _, ca := range []string{"", "not PEM"} {
		if _, err := tcp.New(tcp.Opts{Clock: hal.SystemClock{}, TLS: true, CA: []byte(ca)}); !errors.Is(err, tcp.ErrCA) {
			t.Errorf("CA %q: %v", ca, err)
		}
	}
}

package service

import (
	"errors"
	"testing"
)

// TestErrorComesFirst: what was typed before a cable was pulled is gone, and what comes behind it waits until
// the reader has been told.
func TestErrorComesFirst(t *testing.T) {
	q, pulled := newInlet(100), errors.New("pulled")
	q.put([]byte("reboot\r"))
	q.fail(pulled)
	q.put([]byte("status\r"))
	b := make([]byte, 100)
	if n, err := q.read(t.Context(), b); n != 0 || !errors.Is(err, pulled) {
		t.Fatalf("%q %v", b[:n], err)
	}
	if n, err := q.read(t.Context(), b); string(b[:n]) != "status\r" || err != nil {
		t.Fatalf("%q %v", b[:n], err)
	}
}

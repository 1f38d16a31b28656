package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"swipewell/drivers/vpcd/vpcdsim"
	"swipewell/firmware/sim/card"
	"swipewell/hal"
)

// A card behind the virtual reader, by address and by board file, is shown as the tree
// that firmware/emv/dump keeps.
func TestCardDump(t *testing.T) {
	want, err := os.ReadFile("../../emv/dump/testdata/credit-pin.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, by := range []string{"--vpcd", "--board", "--json"} {
		p, err := card.Load("credit-pin")
		if err != nil {
			t.Fatal(err)
		}
		c, err := card.New(p)
		if err != nil {
			t.Fatal(err)
		}
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr := ln.Addr().String()
		ln.Close()
		args := []string{"card", "dump", "--vpcd", addr}
		switch by {
		case "--board":
			file := filepath.Join(t.TempDir(), "board.toml")
			if err := os.WriteFile(file, []byte("name = \"x\"\nbench = true\n[icc]\ndriver = \"vpcd\"\nlisten = \""+addr+"\"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			args = []string{"card", "dump", "--board", file}
		case "--json":
			args = append(args, by)
		}
		put := make(chan *vpcdsim.Card, 1)
		go func() {
			for range 200 {
				if k, err := vpcdsim.Dial(addr, []byte{0x3B, 0x60, 0, 0}, c.Transmit, c.Reset); err == nil {
					put <- k
					return
				}
				hal.Sleep(t.Context(), hal.SystemClock{}, 10*time.Millisecond)
			}
			close(put)
		}()
		var out, errs bytes.Buffer
		code := run(t.Context(), args, &out, &errs)
		if k := <-put; k != nil {
			k.Remove()
		}
		got := out.String()
		switch {
		case code != exitOK:
			t.Errorf("%s: %d %s", by, code, errs.String())
		case by == "--json":
			if !strings.HasPrefix(got, `{"text":"card, ATR 3B600000","sub":[`) || strings.Contains(got, p.PAN) {
				t.Error(got)
			}
		case got != string(want):
			t.Errorf("%s: %s", by, got)
		}
	}
}

func TestCardDumpRefuses(t *testing.T) {
	nothing := filepath.Join(t.TempDir(), "board.toml")
	if err := os.WriteFile(nothing, []byte("name = \"x\"\nbench = true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		args string
		code int
	}{
		{"card dump", exitUsage}, {"card dump --vpcd 127.0.0.1:0 --pcsc /none", exitUsage}, {"card dump --vpcd 127.0.0.1:0 --wait 20ms", exitRefused},
		{"card dump --pcsc /nonexistent/pcscd", exitRefused}, {"card dump --board /nonexistent/file", exitRefused}, {"card dump --board " + nothing, exitRefused},
	} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), strings.Fields(row.args), &out, &errs); code != row.code {
			t.Errorf("%s: %d %s", row.args, code, errs.String())
		}
	}
}

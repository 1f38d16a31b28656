package acquirer_test

import (
	"bytes"
	"net"
	"testing"

	"swipewell/firmware/emv/table"
	"swipewell/firmware/iso8583"
	"swipewell/firmware/sim/acquirer"
	"swipewell/hal"
)

// asks sends an administrative message with DE 62 and gives that of the answer.
func (f *firmware) asks(mti iso8583.MTI, code string, de62 []byte) (rc string, got []byte) {
	f.t.Helper()
	m := &iso8583.Message{}
	m.Reset(mti)
	m.SetText(iso8583.DETerminalID, "20260001")
	m.SetText(iso8583.DEMerchantID, "898100012340001")
	m.SetDigits(iso8583.DEBatch, "00000001"+code)
	if de62 != nil {
		m.SetBytes(iso8583.DEKeys, de62)
	}
	a := f.exchange(m, nil)
	return a.Text(iso8583.DEResponse), bytes.Clone(a.Bytes(iso8583.DEKeys))
}

// TestTables: this host's records against the device's reader, of which it shares
// nothing; and each lie is found, under its own name.
func TestTables(t *testing.T) {
	h, err := acquirer.New(acquirer.Opts{Clock: hal.SystemClock{}})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	f := &firmware{t: t}
	if f.c, err = net.Dial("tcp", h.Addr()); err != nil {
		t.Fatal(err)
	}
	defer f.c.Close()
	all := func() (out []string) {
		rc, list := f.asks(0x0820, "372", []byte("100"))
		keys, _, err := table.ParseKeyList(list[1:])
		if rc != "00" || list[0] != '1' || err != nil || len(keys) != 2 {
			t.Fatalf("%s %q %v", rc, list, err)
		}
		for _, k := range keys {
			_, b := f.asks(0x0800, "370", k.AppendID(nil))
			if len(b) < 2 {
				out = append(out, "none")
				continue
			}
			got, err := table.ParseKey(b[1:])
			if err == nil {
				err = got.Usable("20261126")
			}
			if err != nil {
				out = append(out, err.Error())
			}
		}
		rc, list = f.asks(0x0820, "382", []byte("100"))
		if rc != "00" || list[0] != '2' {
			t.Fatalf("%s %q", rc, list)
		}
		rc, rest := f.asks(0x0820, "382", []byte("101"))
		apps, _, err := table.ParseAppList(append(list[1:], rest[1:]...))
		if rc != "00" || rest[0] != '3' || err != nil || len(apps) != 3 {
			t.Fatalf("%s %q %v", rc, rest, err)
		}
		for _, aid := range apps {
			_, b := f.asks(0x0800, "380", table.AppendAID(nil, aid))
			if len(b) < 2 {
				out = append(out, "none")
				continue
			}
			if _, err := table.ParseApp(b[1:]); err != nil {
				out = append(out, err.Error())
			}
		}
		for _, code := range []string{"371", "381"} {
			if rc, _ := f.asks(0x0800, code, nil); rc != "00" {
				t.Errorf("%s: %s", code, rc)
			}
		}
		return out
	}
	if bad := all(); bad != nil {
		t.Errorf("refused %q", bad)
	}
	for _, c := range []struct {
		words []string
		want  string
	}{
		{[]string{"checksum", "A000000333/C1"}, "A000000333/C1: wrong checksum"}, {[]string{"tag", "A000000333/C2"}, "A000000333/C2: unknown tag DF7F"},
		{[]string{"expired", "A000000333/C1"}, "A000000333/C1: expired 20201231"}, {[]string{"tag", "A000000333010103"}, "A000000333010103: unknown tag DF7F"},
		{[]string{"missing", "A000000333010102"}, "none"},
	} {
		if _, err := h.Command(append([]string{"tables"}, c.words...)...); err != nil {
			t.Fatal(err)
		}
		if bad := all(); len(bad) != 1 || bad[0] != c.want {
			t.Errorf("%v: %q", c.words, bad)
		}
		if _, err := h.Command("tables", "normal"); err != nil {
			t.Fatal(err)
		}
	}
	if rc, _ := f.asks(0x0820, "372", []byte("page")); rc != "30" {
		t.Errorf("a page that is none: %s", rc)
	}
	if _, err := h.Command("tables", "sideways"); err == nil {
		t.Error("tables sideways is a command")
	}
}

package acquirer

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// HOST §1.7 vectors 1–3 and §5.3.
func TestMACVectors(t *testing.T) {
	_, whole, _ := unwrap(unhex(vector3)[2:])
	for _, c := range []struct {
		alg, key, want string
		mab            []byte
	}{
		{macECB, "2222222222222222", "E267B6E2", unhex("1234567890ABCDEFABCDEF1234567890")},
		{macECB, "C24A8FB57AA20123", "8A9E91B8", unhex("0200302004C020C0981100000000000000005100183402100006324392260009942820" +
			"D1312101120084393136363838303134303030303030303030303030303031313536ACF46E73838A82F926000000000000000008220000010000000000")},
		{macECB, "0723C80DB5F4CD3D", "B3A092AE", whole[:len(whole)-8]},
		{macECB, "0723C80DB5F4CD3D0723C80DB5F4CD3D", "B3A092AE", whole[:len(whole)-8]},
		{macX99, "0123456789ABCDEF", string(unhex("F1D30F6849312CA4")), []byte("7654321 Now is the time for ")},
		{macX919, "0123456789ABCDEFFEDCBA9876543210", string(unhex("A1C72E74EA3FA9B6")), []byte("Now is the time for all ")},
		{macX919, "0123456789ABCDEFFEDCBA9876543210", string(unhex("2E2B1428CC78254F")), []byte("Now is the time for it")},
	} {
		if got := macOf(c.alg, unhex(c.key), c.mab); got != c.want {
			t.Errorf("%s over %d bytes: %x, want %x", c.alg, len(c.mab), got, c.want)
		}
	}
}

// HOST §1.7 vector 4: its keys under its master key make its DE 62.
func TestKeyBundle(t *testing.T) {
	w := workingKeys{pik: unhex("807A23AD32B36D457AE91FDF927570EA"), mak: unhex("5BB5C72CD00B7338")}
	want := unhex("6701EAD6A9AD51E51AA406E2C27FCFA9 8D0A74B8 B651F9E9BACE9AE1 0000000000000000 AB7153CA")
	if got := w.bundle(unhex(BenchTMK)); !bytes.Equal([]byte(got), want) {
		t.Errorf("%x, want %x", got, want)
	}
	for code, size := range map[string]int{"001": 24, "003": 40, "004": 60} {
		for _, double := range []bool{false, true} {
			w, err := drawKeys(bytes.NewReader(bytes.Repeat([]byte{1, 2, 3, 5, 8}, 20)), code, double)
			if err != nil || len(w.bundle(unhex(BenchTMK))) != size {
				t.Errorf("%s: %d bytes (%v), want %d", code, len(w.bundle(unhex(BenchTMK))), err, size)
			}
		}
	}
	if _, err := drawKeys(strings.NewReader("short"), "003", false); err == nil {
		t.Error("keys from an empty well")
	}
	if s := fmt.Sprintf("%v %+v %x %s", w, w, w.pik, w.mak); strings.Contains(strings.ToUpper(s), "807A23") {
		t.Error("a key prints")
	}
}

// HOST §5.2: format 0 under vector 4's key, and what is no block.
func TestOpenPIN(t *testing.T) {
	pik := secret(unhex("807A23AD32B36D457AE91FDF927570EA"))
	block := string(unhex("710234B5A29C6D65"))
	if pin, ok := openPIN(pik, block, "6225882116400091", true); !ok || pin != "123456" {
		t.Error("the published block does not open")
	}
	if pin, ok := openPIN(secret(unhex("C5A1EFDE6AD4461B72AF90946EE006AC")), string(unhex("150A4D565B4A836E")), "6226168997066875", true); !ok || pin != "111111" {
		t.Error("the second published block does not open")
	}
	seal := func(clear string) string { return string(ecb(cipherOf(pik).Encrypt, unhex(clear))) }
	if pin, ok := openPIN(pik, seal("041234FFFFFFFFFF"), "", false); !ok || pin != "1234" {
		t.Error("without PAN")
	}
	for name, c := range map[string]struct {
		pik        secret
		block, pan string
	}{
		"another key":   {secret(unhex("C5A1EFDE6AD4461B72AF90946EE006AC")), block, "6225882116400091"},
		"another card":  {pik, block, "6225882116400190"},
		"a short PAN":   {pik, block, "622588211640"},
		"three digits":  {pik, seal("03123FFFFFFFFFFF"), "0000000000000000"},
		"not a digit":   {pik, seal("04123AFFFFFFFFFF"), "0000000000000000"},
		"filler":        {pik, seal("041234FFFFFFFFF0"), "0000000000000000"},
		"other format":  {pik, seal("341234FFFFFFFFFF"), "0000000000000000"},
		"thirteen long": {pik, seal("0D1234567890123F"), "0000000000000000"},
	} {
		if _, ok := openPIN(c.pik, c.block, c.pan, true); ok {
			t.Errorf("%s: opens", name)
		}
	}
}

// HOST §1.2, the derived sample.
func TestOpenTrack(t *testing.T) {
	tdk := secret(unhex("807A23AD32B36D457AE91FDF927570EA"))
	got, ok := openTrack(tdk, "622588211640009145C3822EAB55562B6")
	if !ok || got != "6225882116400091D0509567890123456" {
		t.Errorf("opens to %d digits, wrong ones", len(got))
	}
	if _, ok := openTrack(tdk, "1234567890123456"); ok {
		t.Error("a track that is too short opens")
	}
}

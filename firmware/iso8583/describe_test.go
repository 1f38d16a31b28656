package iso8583_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	. "swipewell/firmware/iso8583"
)

// What a log may show is a list; every other field is hidden, and so is one
// that gets no thought. PCI 3.3, 3.4, HOST §1.3 (DE 48 has card numbers).
func TestWhatIsHidden(t *testing.T) {
	for _, de := range []int{DEExpiry, DETrack2, DETrack3, DEPrivate48, DEPIN, DEBalance, DEICC, DEPurse, DELocation, DEKeys, DETexts, DEMAC, 5, 24, 47, 127, 0, -1} {
		if !UnionPay.Hidden(de) {
			t.Errorf("DE %d (%s) is shown", de, UnionPay.Name(de))
		}
	}
	for _, de := range []int{DEProcessing, DEAmount, DESTAN, DERRN, DEResponse, DETerminalID, DEBatch} {
		if UnionPay.Hidden(de) {
			t.Errorf("DE %d (%s) is hidden: a log is of no use without it", de, UnionPay.Name(de))
		}
	}
}

func TestDescribe(t *testing.T) {
	_, m := open(t, unhex(vector5Full))
	const want = "0200 DE 2 PAN 622424******0113 | DE 3 processing code 000000 | DE 4 amount 000000000001 | DE 11 STAN 000403 | " +
		"DE 14 expiry [4 hidden] | DE 22 POS entry mode 071 | DE 23 PAN sequence number 000 | DE 25 POS condition code 00 | DE 26 PIN length 12 | " +
		"DE 35 track 2 [34 hidden] | DE 41 terminal id 10000019 | DE 42 merchant id 850100082410002 | DE 48 private 48 [1 hidden] | DE 49 currency 156 | " +
		"DE 52 PIN block [8 hidden] | DE 53 security control 2600000000000000 | DE 55 ICC data [139 hidden] | DE 59 location [153 hidden] | " +
		"DE 60 type and batch 22000024000600 | DE 64 MAC [8 hidden]"
	if got := Describe(m); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("sent", "message", m, "copy", *m)
	if n := strings.Count(log.String(), `"DE 2 PAN":"622424******0113"`); n != 2 {
		t.Errorf("the number is there %d times, masked: %s", n, log.String())
	}
	if strings.Contains(log.String(), "00000113") {
		t.Error("the number is there in clear")
	}
}

// A number too short to keep four digits back is not a card's: all hidden.
func TestShortPAN(t *testing.T) {
	var m Message
	m.Reset(0x0200)
	m.SetDigits(DEPAN, "62258800001")
	if got := Describe(&m); got != "0200 DE 2 PAN [11 hidden]" {
		t.Error(got)
	}
}

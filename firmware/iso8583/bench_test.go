package iso8583_test

import (
	"testing"

	. "swipewell/firmware/iso8583"
)

// saleRequest sets what a swiped sale with a PIN carries. HOST §1.4.
func saleRequest(m *Message) {
	m.Reset(0x0200)
	m.SetDigits(DEProcessing, "000000")
	m.SetNumber(DEAmount, 1280)
	m.SetNumber(DESTAN, 123)
	m.SetDigits(DEExpiry, "3012")
	m.SetDigits(DEEntryMode, "021")
	m.SetDigits(DECondition, "00")
	m.SetDigits(DEPINMax, "12")
	m.SetDigits(DETrack2, "6225880000000091=30122010000000000000")
	m.SetText(DETerminalID, "10000019")
	m.SetText(DEMerchantID, "850100082410002")
	m.SetText(DECurrency, "156")
	m.SetBytes(DEPIN, pinBlock[:])
	m.SetDigits(DESecurity, "2600000000000000")
	m.SetDigits(DEBatch, "22000001000500")
	m.ReserveMAC()
}

var pinBlock = [8]byte{0xD1, 0xEE, 0xF4, 0x19, 0xD0, 0xAE, 0x26, 0x09}

// saleAnswer sets what a host answers with. HOST §1.4.
func saleAnswer(m *Message) {
	m.Reset(0x0210)
	m.SetDigits(DEPAN, "6225880000000091")
	m.SetDigits(DEProcessing, "000000")
	m.SetNumber(DEAmount, 1280)
	m.SetNumber(DESTAN, 123)
	m.SetDigits(DETime, "203113")
	m.SetDigits(DEDate, "1123")
	m.SetDigits(DEExpiry, "3012")
	m.SetDigits(DESettleDate, "1123")
	m.SetDigits(DECondition, "00")
	m.SetDigits(DEAcquirer, "00010000")
	m.SetText(DERRN, "203113000123")
	m.SetText(DEAuthCode, "123456")
	m.SetText(DEResponse, "00")
	m.SetText(DETerminalID, "10000019")
	m.SetText(DEMerchantID, "850100082410002")
	m.SetText(DEAdditional, "03050000   01020000    ")
	m.SetText(DECurrency, "156")
	m.SetDigits(DEBatch, "22000001000500")
	m.SetText(DETexts, "CUPAPPROVED")
	m.ReserveMAC()
}

var kinds = []struct {
	name string
	set  func(*Message)
}{{"request", saleRequest}, {"answer", saleAnswer}}

func packed(t testing.TB, set func(*Message)) []byte {
	t.Helper()
	var m Message
	set(&m)
	raw, err := UnionPay.Append(nil, &m)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// Nothing to parse, reading the values included; one to pack; none where the
// caller has room.
func TestAllocations(t *testing.T) {
	chip, _ := open(t, unhex(vector5Full))
	raws := [][]byte{packed(t, saleRequest), packed(t, saleAnswer), chip.Message}
	for _, raw := range raws {
		if n := testing.AllocsPerRun(100, func() {
			var m Message
			var digits [40]byte
			if UnionPay.Parse(&m, raw) != nil || len(m.AppendDigits(digits[:0], DESTAN)) != 6 || len(m.Bytes(DEMAC)) != 8 {
				t.Error("does not parse")
			}
			if _, ok := m.Number(DEAmount); !ok {
				t.Error("no amount")
			}
			MACRegion(raw)
		}); n != 0 {
			t.Errorf("%v allocations to parse", n)
		}
	}
	// The calls are direct, as a caller's are: one over a func value would move
	// the message to the heap.
	if n := testing.AllocsPerRun(100, func() {
		var m Message
		saleRequest(&m)
		if raw, err := UnionPay.Append(nil, &m); err != nil || len(raw) == 0 {
			t.Error(err)
		}
	}); n > 1 {
		t.Errorf("%v allocations to build and pack a request", n)
	}
	if n := testing.AllocsPerRun(100, func() {
		var m Message
		saleAnswer(&m)
		if raw, err := UnionPay.Append(nil, &m); err != nil || len(raw) == 0 {
			t.Error(err)
		}
	}); n > 1 {
		t.Errorf("%v allocations to build and pack an answer", n)
	}
	buf := make([]byte, 0, MaxFrame)
	if n := testing.AllocsPerRun(100, func() {
		var m Message
		saleRequest(&m)
		if _, err := UnionPay.Append(buf, &m); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations to pack into room", n)
	}
	framed := AppendFrame(nil, [5]byte{0x60}, Header{0x60}, raws[0])
	if n := testing.AllocsPerRun(100, func() {
		body, _, _ := NextFrame(framed)
		if _, err := ParseFrame(body); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations to take a frame apart", n)
	}
}

func BenchmarkParse(b *testing.B) {
	for _, k := range kinds {
		b.Run(k.name, func(b *testing.B) {
			raw := packed(b, k.set)
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				var m Message
				if err := UnionPay.Parse(&m, raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("chip", func(b *testing.B) {
		f, _ := open(b, unhex(vector5Full))
		b.SetBytes(int64(len(f.Message)))
		b.ReportAllocs()
		for b.Loop() {
			var m Message
			if err := UnionPay.Parse(&m, f.Message); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkPack packs a message that is built, into new memory each time.
func BenchmarkPack(b *testing.B) {
	for _, k := range kinds {
		b.Run(k.name, func(b *testing.B) {
			var m Message
			k.set(&m)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := UnionPay.Append(nil, &m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkBuildAndPack sets every field from its logical value first.
func BenchmarkBuildAndPack(b *testing.B) {
	for _, k := range kinds {
		b.Run(k.name, func(b *testing.B) {
			var m Message
			b.ReportAllocs()
			for b.Loop() {
				k.set(&m)
				if _, err := UnionPay.Append(nil, &m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkFrame(b *testing.B) {
	framed := AppendFrame(nil, [5]byte{0x60}, Header{0x60}, packed(b, saleAnswer))
	b.ReportAllocs()
	for b.Loop() {
		body, _, _ := NextFrame(framed)
		if _, err := ParseFrame(body); err != nil {
			b.Fatal(err)
		}
	}
}

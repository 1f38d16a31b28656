package iso8583_test

import (
	"errors"
	"fmt"

	"swipewell/firmware/iso8583"
	"swipewell/firmware/iso8583/tpdu"
)

// A request is built from logical values, packed once, signed in place and
// framed.
func Example_request() {
	var m iso8583.Message
	m.Reset(0x0800)
	m.SetNumber(iso8583.DESTAN, 7)
	m.SetText(iso8583.DETerminalID, "00000001")
	m.SetText(iso8583.DEMerchantID, "952718182217875")
	de60, _ := iso8583.TypeBatch{Type: "00", Batch: "000001", Network: "003"}.Digits()
	m.SetDigits(iso8583.DEBatch, de60)
	m.ReserveMAC()
	raw, err := iso8583.UnionPay.Append(nil, &m)
	if err != nil {
		fmt.Println(err)
		return
	}
	mab, mac, _ := iso8583.MACRegion(raw)
	copy(mac, "0123ABCD") // made over mab
	fmt.Printf("MAB of %d bytes\n", len(mab))

	to, _ := tpdu.Parse("6000030000")
	header, _ := iso8583.ParseHeader("603100310000")
	fmt.Printf("%X\n", iso8583.AppendFrame(nil, to, header, raw))
	// Output:
	// MAB of 44 bytes
	// 003F600003000060310031000008000020000000C00011000007303030303030303139353237313831383232313738373500110000000100303031323341424344
}

// An answer comes out of a stream; it prints itself masked, and what is wrong
// with it is named by field and offset.
func Example_answer() {
	stream := unhex(vector5Full)
	body, _, _ := iso8583.NextFrame(stream)
	frame, _ := iso8583.ParseFrame(body)
	var m iso8583.Message
	fmt.Println(iso8583.UnionPay.Parse(&m, frame.Message))
	amount, _ := m.Number(iso8583.DEAmount)
	fmt.Println(m.MTI, amount, m.Text(iso8583.DETerminalID), m.Digits(iso8583.DESTAN))
	de60, _ := iso8583.ParseTypeBatch(m.Digits(iso8583.DEBatch))
	fmt.Println("batch", de60.Batch)

	frame.Message[15] |= 0x0F
	err := iso8583.UnionPay.Parse(&m, frame.Message)
	var fe *iso8583.FieldError
	fmt.Println(errors.As(err, &fe), err)
	// Output:
	// <nil>
	// 0200 1 10000019 000403
	// batch 000024
	// true iso8583: DE 2 (PAN) at offset 15: not a digit
}

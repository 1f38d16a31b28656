package emv

// The commands of a terminal. B3 §6.5 gives each; B1 §11 those of selection. Case
// 4 and case 2 commands carry Le = 00, as B1 §9.1.3 wants.

func apduSelect(name []byte, next bool) []byte {
	p2 := byte(0)
	if next {
		p2 = 2 // the next occurrence. B1 §11.3.2
	}
	return withLe(0x00, 0xA4, 0x04, p2, name)
}

func apduReadRecord(sfi, record byte) []byte {
	return []byte{0x00, 0xB2, record, sfi<<3 | 4, 0x00} // B3 §6.5.11
}

func apduGPO(data []byte) []byte {
	body := append([]byte{0x83, byte(len(data))}, data...)
	if len(data) > 0x7F {
		body = append([]byte{0x83, 0x81, byte(len(data))}, data...)
	}
	return withLe(0x80, 0xA8, 0x00, 0x00, body) // B3 §6.5.8
}

func apduGetData(tag uint16) []byte {
	return []byte{0x80, 0xCA, byte(tag >> 8), byte(tag), 0x00} // B3 §6.5.7
}

func apduInternalAuth(data []byte) []byte { return withLe(0x00, 0x88, 0x00, 0x00, data) } // B3 §6.5.9

func apduExternalAuth(data []byte) []byte {
	return append([]byte{0x00, 0x82, 0x00, 0x00, byte(len(data))}, data...) // B3 §6.5.4
}

func apduChallenge() []byte { return []byte{0x00, 0x84, 0x00, 0x00, 0x00} } // B3 §6.5.6

func apduGenerateAC(p1 byte, data []byte) []byte { return withLe(0x80, 0xAE, p1, 0x00, data) } // B3 §6.5.5

func withLe(cla, ins, p1, p2 byte, data []byte) []byte {
	out := make([]byte, 0, len(data)+6)
	out = append(out, cla, ins, p1, p2)
	if len(data) > 0 {
		out = append(append(out, byte(len(data))), data...)
	}
	return append(out, 0x00)
}

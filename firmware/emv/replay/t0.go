package replay

// maxRounds bounds what one command may cost in TPDUs: a card that answers 61,
// 6C or 60 for ever is cut. ISO7816 §10.3 gives no bound.
const maxRounds = 600

// t0 carries one C-APDU over T=0 and returns the R-APDU; send exchanges bytes.
// ISO7816 §10.3.3 (procedure bytes), B1 §9.3.1 (61, 6C, warnings).
func t0(c []byte, send func([]byte) ([]byte, bool)) ([]byte, bool) {
	if len(c) < 4 {
		return nil, false
	}
	head := append([]byte(nil), c[:4]...)
	var body []byte
	withLe := false
	switch {
	case len(c) == 4:
		head = append(head, 0)
	case len(c) == 5:
		head = append(head, c[4])
	default:
		n := int(c[4])
		if len(c) < 5+n {
			return nil, false
		}
		head, body, withLe = append(head, c[4]), c[5:5+n], len(c) > 5+n
	}
	var data []byte
	var warning []byte
	for range maxRounds {
		d, sw, ok := tpdu(head, body, send)
		if !ok {
			return nil, false
		}
		data = append(data, d...)
		switch {
		case sw[0] == 0x61:
			head, body = []byte{c[0] & 0x03, 0xC0, 0, 0, sw[1]}, nil
		case sw[0] == 0x6C:
			head = append(head[:4:4], sw[1])
		case (sw[0] == 0x62 || sw[0] == 0x63) && withLe && len(data) == 0 && warning == nil && body != nil:
			warning = sw
			le := byte(0)
			if sw[0] == 0x62 && sw[1] >= 2 && sw[1] <= 0x80 {
				le = sw[1]
			}
			head, body = []byte{c[0] & 0x03, 0xC0, 0, 0, le}, nil
		default:
			if warning != nil {
				sw = warning
			}
			return append(data, sw...), true
		}
	}
	return nil, false
}

// tpdu sends one header and follows the procedure bytes. ISO7816 §10.3.3.
func tpdu(head, body []byte, send func([]byte) ([]byte, bool)) (data, sw []byte, ok bool) {
	r, ok := send(head)
	for range maxRounds {
		switch {
		case !ok || len(r) == 0:
			return nil, nil, false
		case r[0] == 0x60: // wait
			r = r[1:]
			if len(r) == 0 {
				return nil, nil, false
			}
			continue
		case r[0] == head[1] && len(body) > 0: // all that is left
			r, ok = send(body)
			body = nil
		case r[0] == ^head[1] && len(body) > 0: // one byte
			r, ok = send(body[:1])
			body = body[1:]
		case r[0] == head[1] && len(r) >= 3:
			n := len(r) - 2
			return append(data, r[1:n]...), r[n:], true
		case r[0] == ^head[1] && len(r) >= 2:
			data, r = append(data, r[1]), r[2:]
		case (r[0]&0xF0 == 0x60 || r[0]&0xF0 == 0x90) && len(r) == 2:
			return data, r, true
		default:
			return nil, nil, false
		}
	}
	return nil, nil, false
}

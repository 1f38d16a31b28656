package emv

// digits is a numeric value as a number; false if a nibble is no digit. B3 §4.3.
func digits(b []byte) (uint64, bool) {
	var n uint64
	for _, c := range b {
		if c>>4 > 9 || c&15 > 9 {
			return 0, false
		}
		n = n*100 + uint64(c>>4)*10 + uint64(c&15)
	}
	return n, len(b) <= 9
}

// number is a binary value, most significant byte first. B3 §4.3.
func number(b []byte) uint64 {
	var n uint64
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

// date is YYMMDD as a number that orders dates: YY 00–49 is 20YY, 50–99 is 19YY.
// B4 §6.7.3.
func date(b []byte) uint64 {
	n, _ := digits(b)
	if n < 500000 {
		return n + 20000000
	}
	return n + 19000000
}

// goodDate tells that b is three bytes YYMMDD of a day that can be. B3 §4.3.
func goodDate(b []byte) bool {
	if len(b) != 3 {
		return false
	}
	n, ok := digits(b)
	m, d := n/100%100, n%100
	return ok && m >= 1 && m <= 12 && d >= 1 && d <= 31
}

// nibbles are the digits of a compressed numeric value without its F padding;
// false if something else is in it. B3 §4.3.
func nibbles(b []byte) ([]byte, bool) {
	out := make([]byte, 0, 2*len(b))
	ended := false
	for _, c := range b {
		for _, d := range [2]byte{c >> 4, c & 15} {
			switch {
			case d == 15:
				ended = true
			case d > 9 || ended:
				return nil, false
			default:
				out = append(out, '0'+d)
			}
		}
	}
	return out, true
}

package iso8583

// Attr is a row of the table as the document writes it; "" without a row.
func (d *Dialect) Attr(de int) string {
	if d.Name(de) == "" {
		return ""
	}
	return d.spec(de).attr()
}

// Row is what a generator of messages must know of a field.
func (d *Dialect) Row(de int) (packed, track, alnum, binary, variable, right bool, size int) {
	s := d.spec(de)
	return s.packed(), s.kind == kindZ, s.kind == kindAN, s.kind == kindB, s.form != fixed, s.right, int(s.size)
}

// Most is the size of the largest message of a dialect.
func (d *Dialect) Most() int {
	n := headSize
	for de := range d.f {
		if s := &d.f[de]; s.name != "" {
			n += int(s.form) + s.octets(int(s.size))
		}
	}
	return n
}

// Hidden tells whether Describe may show nothing of a field.
func (d *Dialect) Hidden(de int) bool { return d.spec(de).view == hidden }

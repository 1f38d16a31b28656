package card

import (
	"errors"
	"fmt"
	"strings"
)

// record is one record of a file.
type record struct {
	sfi     byte
	objects []object
	auth    bool
	raw     []byte // instead of objects
}

// build lays the files out and signs what is to be signed.
func (c *Card) build() error {
	p := &c.p
	exp := p.Expiry
	if len(exp) != 6 || len(p.PAN) < 12 {
		return fmt.Errorf("%w: PAN or expiry", ErrProfile)
	}
	track := p.Track2()
	if len(track)%2 != 0 {
		track += "F"
	}
	pan := p.PAN
	if len(pan)%2 != 0 {
		pan += "F"
	}
	taglist := ""
	if p.TagList {
		taglist = "82"
	}
	face := record{sfi: 1, objects: []object{{"57", unhex(track)}, {"5F20", []byte(p.Holder)}}}
	main := record{sfi: 2, auth: true}
	for _, o := range []struct{ tag, value string }{
		{"5A", pan}, {"5F34", p.PSN}, {"5F24", exp}, {"5F25", p.Effective}, {"5F28", p.Country}, {"9F07", p.AUC}, {"8E", p.CVMList},
		{"9F0D", p.IACDefault}, {"9F0E", p.IACDenial}, {"9F0F", p.IACOnline}, {"9F4A", taglist}, {"9F42", p.Currency}, {"9F08", p.Version},
	} {
		if o.value != "" {
			main.objects = append(main.objects, object{o.tag, unhex(o.value)})
		}
	}
	lists := record{sfi: 2}
	for _, o := range []struct{ tag, value string }{{"8C", p.CDOL1}, {"8D", p.CDOL2}, {"97", p.TDOL}, {"9F14", p.Lower}, {"9F23", p.Upper}, {"9F49", p.DDOL}} {
		if o.value != "" {
			lists.objects = append(lists.objects, object{o.tag, unhex(o.value)})
		}
	}
	c.records = []record{face, main, lists}
	for tag, v := range p.Tags {
		c.put(strings.ToUpper(tag), v)
	}
	if p.Extra != "" {
		c.records = append(c.records, record{sfi: 11, auth: true, raw: unhex(p.Extra)})
	}
	if err := c.certify(); err != nil {
		return err
	}
	for tag, v := range p.Tags {
		if strings.HasPrefix(v, "!") { // behind the signatures
			c.put(strings.ToUpper(tag), v[1:])
		}
	}
	return c.wire()
}

// put replaces, adds or takes out one object of the records.
func (c *Card) put(tag, v string) {
	if strings.HasPrefix(v, "!") {
		return
	}
	for i := range c.records {
		for j, o := range c.records[i].objects {
			if o.tag != tag {
				continue
			}
			if v == "-" {
				c.records[i].objects = append(c.records[i].objects[:j:j], c.records[i].objects[j+1:]...)
			} else {
				c.records[i].objects[j].value = unhex(v)
			}
			return
		}
	}
	if v != "-" && len(c.records) > 1 {
		c.records[1].objects = append(c.records[1].objects, object{tag, unhex(v)})
	}
}

// static is what the issuer signs. B2 §5.1.1.
func (c *Card) static() []byte {
	var out []byte
	list := false
	for _, r := range c.records {
		if !r.auth {
			continue
		}
		if r.raw != nil {
			out = append(out, r.raw...)
			continue
		}
		out = append(out, encode(r.objects)...)
		for _, o := range r.objects {
			list = list || o.tag == "9F4A"
		}
	}
	if list {
		out = append(out, unhex(c.p.AIP)...)
	}
	return out
}

// certify makes the certificates and the static signature in SFI 3. B2 §5, §6.
func (c *Card) certify() error {
	p := &c.p
	if p.CA == "" {
		return nil
	}
	ca, err1 := FindKey(p.CA)
	issuer, err2 := FindKey(p.Issuer)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	alg := []byte{byte(max(p.HashAlg, 1)), byte(max(p.KeyAlg, 1))}
	iin := p.IIN
	if iin == "" {
		iin = p.PAN[:6]
	}
	date, serial := unhex(p.CertExpiry), unhex(p.CertSerial)
	if len(date) != 2 {
		date = []byte{0x12, 0x49}
	}
	if len(serial) != 3 {
		serial = []byte{0, 0, 1}
	}
	head := append([]byte{2}, unhex((iin + "FFFFFFFF")[:8])...)
	head = append(append(append(head, date...), serial...), alg...)
	cert, rem := ca.certificate(head, issuer, nil)
	c.records = append(c.records, record{sfi: 3, objects: []object{{"8F", unhex(p.CAIndex)}, {"9F32", issuer.E}}},
		record{sfi: 3, objects: []object{{"90", cert}}})
	if rem != nil {
		c.records = append(c.records, record{sfi: 3, objects: []object{{"92", rem}}})
	}
	static := c.static()
	c.records = append(c.records, record{sfi: 3, objects: []object{{"93", issuer.signData([]byte{3, 1, 0xDA, 0xC0}, static)}}})
	own := func(k *RSAKey, static []byte) ([]byte, []byte) {
		h := append([]byte{4}, unhex((p.PAN + "FFFFFFFFFFFFFFFFFFFF")[:20])...)
		h = append(append(append(h, date...), serial...), alg...)
		return issuer.certificate(h, k, static)
	}
	for _, k := range []struct{ name, cert, exp, rem string }{{p.ICC, "9F46", "9F47", "9F48"}, {p.PINKey, "9F2D", "9F2E", "9F2F"}} {
		if k.name == "" {
			continue
		}
		key, err := FindKey(k.name)
		if err != nil {
			return err
		}
		data := static
		if k.cert == "9F2D" {
			c.pinKey, data = key, nil
		} else {
			c.icc = key
		}
		cert, rem := own(key, data)
		c.records = append(c.records, record{sfi: 3, objects: []object{{k.cert, cert}}}, record{sfi: 3, objects: []object{{k.exp, key.E}}})
		if rem != nil {
			c.records = append(c.records, record{sfi: 3, objects: []object{{k.rem, rem}}})
		}
	}
	return nil
}

// wire spoils records that are signed.
func (c *Card) wire() error {
	for _, w := range c.p.Wire {
		verb, tag, _ := strings.Cut(w, " ")
		done := false
		for i := range c.records {
			r := &c.records[i]
			for j := range r.objects {
				if r.objects[j].tag != tag || done {
					continue
				}
				done = true
				switch verb {
				case "flip":
					v := append([]byte(nil), r.objects[j].value...)
					v[len(v)/2] ^= 1
					r.objects[j].value = v
				case "drop":
					r.objects = append(r.objects[:j:j], r.objects[j+1:]...)
				case "dup":
					r.objects = append(r.objects, r.objects[j])
				default:
					return fmt.Errorf("%w: wire %q", ErrProfile, w)
				}
				break
			}
		}
		if !done {
			return fmt.Errorf("%w: wire %q", ErrProfile, w)
		}
	}
	return nil
}

// afl is the locator of the records as they lie. B3 §10.2.
func (c *Card) afl() []byte {
	if c.p.AFL != "" {
		return unhex(c.p.AFL)
	}
	type file struct{ sfi, n, auth byte }
	var files []file
	for _, r := range c.records {
		if len(files) == 0 || files[len(files)-1].sfi != r.sfi {
			files = append(files, file{sfi: r.sfi})
		}
		f := &files[len(files)-1]
		f.n++
		if r.auth {
			f.auth++
		}
	}
	var out []byte
	for _, f := range files {
		out = append(out, f.sfi<<3, 1, f.n, f.auth)
	}
	return out
}

// read is a record of a file, in its template; nil if there is none.
func (c *Card) read(sfi, no byte) []byte {
	for _, r := range c.records {
		if r.sfi != sfi {
			continue
		}
		if no--; no == 0 {
			if r.raw != nil {
				return r.raw
			}
			return tlv("70", encode(r.objects))
		}
	}
	return nil
}

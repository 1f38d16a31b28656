package table

import (
	"fmt"

	"swipewell/firmware/emv/tlv"
)

// Listed is one key of a host's list: its name, and the last day that the host
// gives it ("" if it gives none).
type Listed struct {
	KeyID
	Expiry string
}

// entries splits a host's list: each entry begins with 9F06.
func entries(b []byte) ([][]tlv.Object, error) {
	list, err := tlv.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrShape, err)
	}
	var out [][]tlv.Object
	for _, o := range list {
		switch {
		case o.Tag == tagAID:
			out = append(out, []tlv.Object{o})
		case len(out) == 0:
			return nil, fmt.Errorf("%w: %v before 9F06", ErrShape, o.Tag)
		default:
			out[len(out)-1] = append(out[len(out)-1], o)
		}
	}
	return out, nil
}

// ParseKeyList reads what a host lists of its keys: 9F06, 9F22 and DF05 again and
// again. Entries that are not in order are refused one by one; err is ErrShape if
// the list as a whole cannot be read.
func ParseKeyList(b []byte) (list []Listed, refused []error, err error) {
	all, err := entries(b)
	for _, e := range all {
		l, err := listed(e)
		if err != nil {
			refused = append(refused, err)
			continue
		}
		list = append(list, l)
	}
	return list, refused, err
}

func listed(e []tlv.Object) (l Listed, err error) {
	name := "?"
	if len(e[0].Value) == len(l.RID) {
		copy(l.RID[:], e[0].Value)
		name = fmt.Sprintf("%X/?", l.RID)
	}
	if name == "?" {
		return l, refuse(name, fmt.Errorf("%v: %w, %d bytes", tagAID, ErrSize, len(e[0].Value)))
	}
	index := false
	for _, o := range e[1:] {
		switch {
		case o.Tag == tagIndex && len(o.Value) == 1 && !index:
			l.Index, index = o.Value[0], true
			name = l.String()
		case o.Tag == tagExpiry && l.Expiry == "":
			if l.Expiry, err = day(o.Value); err != nil {
				return l, refuse(name, fmt.Errorf("%v: %w", o.Tag, err))
			}
		case o.Tag == tagIndex || o.Tag == tagExpiry:
			return l, refuse(name, fmt.Errorf("%v: %w", o.Tag, ErrValue))
		default:
			return l, refuse(name, fmt.Errorf("%w %v", ErrUnknown, o.Tag))
		}
	}
	if !index {
		return l, refuse(name, fmt.Errorf("%v %w", tagIndex, ErrMissing))
	}
	return l, nil
}

// AppendListed adds an entry of a list to dst, as a host writes it.
func (l Listed) AppendListed(dst []byte) []byte {
	dst = l.AppendID(dst)
	if l.Expiry != "" {
		dst = tlv.Append(dst, tagExpiry, bcd(l.Expiry))
	}
	return dst
}

// AppendID adds the name of a key to dst, as a request for it carries it: 9F06 and 9F22.
func (id KeyID) AppendID(dst []byte) []byte {
	return tlv.Append(tlv.Append(dst, tagAID, id.RID[:]), tagIndex, []byte{id.Index})
}

// AppendAID adds the name of an application to dst: 9F06.
func AppendAID(dst, aid []byte) []byte { return tlv.Append(dst, tagAID, aid) }

// ParseAppList reads what a host lists of its applications: 9F06 again and again.
func ParseAppList(b []byte) (list [][]byte, refused []error, err error) {
	all, err := entries(b)
	for _, e := range all {
		aid := e[0].Value
		switch {
		case len(aid) < 5 || len(aid) > 16:
			refused = append(refused, refuse("?", fmt.Errorf("%v: %w, %d bytes", tagAID, ErrSize, len(aid))))
		case len(e) > 1:
			refused = append(refused, refuse(fmt.Sprintf("%X", aid), fmt.Errorf("%w %v", ErrUnknown, e[1].Tag)))
		default:
			list = append(list, append([]byte{}, aid...))
		}
	}
	return list, refused, err
}

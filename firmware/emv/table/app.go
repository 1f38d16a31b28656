package table

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"swipewell/firmware/emv"
	"swipewell/firmware/emv/tlv"
)

// Tags of an application's record. WIRE. Those that the kernel takes as they are
// have their names in package emv.
const (
	tagASI         tlv.Tag = 0xDF01 // 00 partial selection, 01 the whole name only
	tagCardVersion tlv.Tag = 0x9F08 // stands for 9F09 in many downloads
	tagVersion     tlv.Tag = 0x9F09
	tagFloor       tlv.Tag = 0x9F1B
	tagTDOL        tlv.Tag = 0x97
	tagOnlinePIN   tlv.Tag = 0xDF18 // 01: the terminal may ask for an online PIN
	tagCapability  tlv.Tag = 0x9F33
)

// The limits of cards without contacts and of electronic cash. They are kept, so
// that a download can be given back as it came, and no contact transaction uses
// them.
const (
	TagECashLimit       tlv.Tag = 0x9F7B // n 12
	TagContactlessFloor tlv.Tag = 0xDF19 // n 12
	TagContactlessMax   tlv.Tag = 0xDF20 // n 12
	TagContactlessCVM   tlv.Tag = 0xDF21 // n 12
)

var appOrder = []tlv.Tag{tagAID, tagASI, tagVersion, emv.TagTACDefault, emv.TagTACOnline, emv.TagTACDenial, tagFloor, emv.TagThreshold,
	emv.TagMaxTarget, emv.TagTarget, emv.TagDDOL, tagTDOL, tagOnlinePIN, TagECashLimit, TagContactlessFloor, TagContactlessMax, TagContactlessCVM}

var appFields = map[tlv.Tag]field{
	tagAID: {5, 16, true}, tagASI: {1, 1, true}, tagCardVersion: {2, 2, false}, tagVersion: {2, 2, false},
	emv.TagTACDefault: {5, 5, true}, emv.TagTACOnline: {5, 5, true}, emv.TagTACDenial: {5, 5, true}, tagFloor: {4, 4, true},
	emv.TagThreshold: {4, 4, false}, emv.TagMaxTarget: {1, 1, false}, emv.TagTarget: {1, 1, false}, emv.TagDDOL: {0, 252, false}, tagTDOL: {0, 252, false},
	tagOnlinePIN: {1, 1, false}, TagECashLimit: {6, 6, false}, TagContactlessFloor: {6, 6, false}, TagContactlessMax: {6, 6, false}, TagContactlessCVM: {6, 6, false},
}

// numeric are the fields whose half-bytes are decimal digits. B3 §4.3.
var numeric = []tlv.Tag{emv.TagMaxTarget, emv.TagTarget, TagECashLimit, TagContactlessFloor, TagContactlessMax, TagContactlessCVM}

// forKernel are the fields that the kernel takes under their own tags.
var forKernel = []tlv.Tag{tagVersion, emv.TagTACDefault, emv.TagTACOnline, emv.TagTACDenial, tagFloor, emv.TagThreshold, emv.TagMaxTarget,
	emv.TagTarget, emv.TagDDOL, tagTDOL}

// App is an application that the terminal supports, with its parameters. B4 §10.2.
type App struct {
	AID     []byte // 5 to 16 bytes
	Partial bool   // a longer name matches too. B1 §12.3.1
	// Data are its other fields by tag: 9F09, DF11–DF13 action codes, 9F1B floor
	// limit in minor units, DF15–DF17 random selection, DF14 DDOL, 97 TDOL, DF18, and
	// the limits of other interfaces.
	Data emv.Values
}

// Name is the AID in hexadecimal.
func (a App) Name() string { return fmt.Sprintf("%X", a.AID) }

// ParseApp reads a record: 9F06, DF01, 9F08 or 9F09, DF11 to DF13, 9F1B, and what
// else the acquirer gives. Its errors are [*Refused].
func ParseApp(b []byte) (App, error) {
	name := "?"
	if aid, ok := one(b, tagAID, 5, 16); ok {
		name = fmt.Sprintf("%X", aid)
	}
	got, err := read(b, appFields, appOrder)
	if err != nil {
		return App{}, refuse(name, err)
	}
	if v, ok := got[tagCardVersion]; ok {
		if own, both := got[tagVersion]; both && !bytes.Equal(own, v) {
			return App{}, refuse(name, fmt.Errorf("%w: %v and %v differ", ErrValue, tagCardVersion, tagVersion))
		}
		got[tagVersion] = v
		delete(got, tagCardVersion)
	}
	a := App{AID: got[tagAID], Partial: got[tagASI][0] == 0, Data: emv.Values(got)}
	if got[tagASI][0] > 1 {
		return App{}, refuse(name, fmt.Errorf("%v: %w %02X", tagASI, ErrValue, got[tagASI][0]))
	}
	delete(got, tagAID)
	delete(got, tagASI)
	if err := a.Check(); err != nil {
		return App{}, err
	}
	return a, nil
}

// Check proves what reading one proves: for an App that was made by hand. Its
// errors are [*Refused].
func (a App) Check() error {
	if n := len(a.AID); n < 5 || n > 16 {
		return refuse(a.Name(), fmt.Errorf("%v: %w, %d bytes", tagAID, ErrSize, n))
	}
	for _, t := range slices.Sorted(maps.Keys(a.Data)) {
		f, ok := appFields[t]
		switch n := len(a.Data[t]); {
		case !ok || t == tagAID || t == tagASI || t == tagCardVersion:
			return refuse(a.Name(), fmt.Errorf("%w %v", ErrUnknown, t))
		case n < f.min || n > f.max:
			return refuse(a.Name(), fmt.Errorf("%v: %w, %d bytes", t, ErrSize, n))
		}
	}
	for _, t := range appOrder[2:] {
		if _, ok := a.Data[t]; (appFields[t].must || t == tagVersion) && !ok {
			return refuse(a.Name(), fmt.Errorf("%v %w", t, ErrMissing))
		}
	}
	for _, t := range numeric {
		for _, c := range a.Data[t] {
			if c>>4 > 9 || c&15 > 9 {
				return refuse(a.Name(), fmt.Errorf("%v: %w, not digits", t, ErrValue))
			}
		}
	}
	for _, t := range []tlv.Tag{emv.TagDDOL, tagTDOL} {
		if _, err := tlv.ParseDOL(a.Data[t]); err != nil {
			return refuse(a.Name(), fmt.Errorf("%v: %w", t, err))
		}
	}
	if v, ok := a.Data[tagOnlinePIN]; ok && v[0] > 1 {
		return refuse(a.Name(), fmt.Errorf("%v: %w %02X", tagOnlinePIN, ErrValue, v[0]))
	}
	return nil
}

// Append adds the record of the application to dst.
func (a App) Append(dst []byte) []byte {
	asi := []byte{1}
	if a.Partial {
		asi[0] = 0
	}
	dst = tlv.Append(dst, tagAID, a.AID)
	dst = tlv.Append(dst, tagASI, asi)
	for _, t := range appOrder[2:] {
		if v, ok := a.Data[t]; ok {
			dst = tlv.Append(dst, t, v)
		}
	}
	return dst
}

// Bits of byte 2 of 9F33. B4 Annex A2, Table 26.
const (
	byteCVM      = 1
	capOnlinePIN = 0x40
)

// emv is the application as the kernel takes it; DF18 takes the online PIN out of
// the terminal's capabilities for this application, and never adds it.
func (a App) emv(base emv.Values) emv.App {
	data := emv.Values{}
	for _, t := range forKernel {
		if v, ok := a.Data[t]; ok {
			data[t] = v
		}
	}
	if v, ok := a.Data[tagOnlinePIN]; ok && v[0] == 0 && len(base[tagCapability]) == 3 {
		caps := bytes.Clone(base[tagCapability])
		caps[byteCVM] &^= capOnlinePIN
		data[tagCapability] = caps
	}
	return emv.App{AID: a.AID, Partial: a.Partial, Data: data}
}

package table

import (
	"bytes"
	"slices"

	"swipewell/firmware/emv"
)

// Set is a terminal's tables. The zero value is empty and ready. Its lists are
// sorted, by RID and index and by AID; where AIDs overlap the longer stands behind
// the shorter, which is the order of a list of AIDs. B1 §12.3.3.
type Set struct {
	keys []Key
	apps []App
}

// Empty tells that there is neither key nor application.
func (s *Set) Empty() bool { return s == nil || len(s.keys)+len(s.apps) == 0 }

// Keys are all keys in order; the slice is the caller's.
func (s *Set) Keys() []Key {
	if s == nil {
		return nil
	}
	return slices.Clone(s.keys)
}

// Apps are all applications in order; the slice is the caller's.
func (s *Set) Apps() []App {
	if s == nil {
		return nil
	}
	return slices.Clone(s.apps)
}

func (s *Set) findKey(id KeyID) (int, bool) {
	return slices.BinarySearchFunc(s.keys, id, func(k Key, id KeyID) int { return k.compare(id) })
}

func (s *Set) findApp(aid []byte) (int, bool) {
	return slices.BinarySearchFunc(s.apps, aid, func(a App, aid []byte) int { return bytes.Compare(a.AID, aid) })
}

// Key finds one.
func (s *Set) Key(id KeyID) (Key, bool) {
	if s == nil {
		return Key{}, false
	}
	i, ok := s.findKey(id)
	if !ok {
		return Key{}, false
	}
	return s.keys[i], true
}

// App finds one.
func (s *Set) App(aid []byte) (App, bool) {
	if s == nil {
		return App{}, false
	}
	i, ok := s.findApp(aid)
	if !ok {
		return App{}, false
	}
	return s.apps[i], true
}

// PutKey puts a key that is in order, in place of one with its name. The error is
// a [*Refused], and the set is as it was.
func (s *Set) PutKey(k Key) error {
	if err := k.Check(); err != nil {
		return err
	}
	i, ok := s.findKey(k.KeyID)
	if ok {
		s.keys[i] = k
	} else {
		s.keys = slices.Insert(s.keys, i, k)
	}
	return nil
}

// PutApp puts an application that is in order, in place of one with its AID.
func (s *Set) PutApp(a App) error {
	if err := a.Check(); err != nil {
		return err
	}
	i, ok := s.findApp(a.AID)
	if ok {
		s.apps[i] = a
	} else {
		s.apps = slices.Insert(s.apps, i, a)
	}
	return nil
}

// DropKey takes a key out; false if it was not there.
func (s *Set) DropKey(id KeyID) bool {
	i, ok := s.findKey(id)
	if ok {
		s.keys = slices.Delete(s.keys, i, i+1)
	}
	return ok
}

// DropApp takes an application out; false if it was not there.
func (s *Set) DropApp(aid []byte) bool {
	i, ok := s.findApp(aid)
	if ok {
		s.apps = slices.Delete(s.apps, i, i+1)
	}
	return ok
}

// Merge is a new set: what over has counts, and below it what s has. Both may be nil.
func (s *Set) Merge(over *Set) *Set {
	out := &Set{keys: s.Keys(), apps: s.Apps()}
	for _, k := range over.Keys() {
		if i, ok := out.findKey(k.KeyID); ok {
			out.keys[i] = k
		} else {
			out.keys = slices.Insert(out.keys, i, k)
		}
	}
	for _, a := range over.Apps() {
		if i, ok := out.findApp(a.AID); ok {
			out.apps[i] = a
		} else {
			out.apps = slices.Insert(out.apps, i, a)
		}
	}
	return out
}

// Unused lists the keys that [Set.Config] leaves out on a day, YYYYMMDD, as
// [*Refused]: expired, or without a last day.
func (s *Set) Unused(date string) (out []error) {
	for _, k := range s.Keys() {
		if err := k.Usable(date); err != nil {
			out = append(out, err)
		}
	}
	return out
}

// Config is what the kernel works with on a day, YYYYMMDD in the terminal's zone;
// base are the terminal's own data: 9F1A, 9F33, 9F35, 9F40, the currency. Keys that
// may not be used that day are left out: a card that needs one has its offline
// authentication failed. B2 §5.1, B4 §10.2. Without an application
// [emv.Config.Check] fails: no card can be read. The result shares no list with the
// set; its values it does, and neither may change them.
func (s *Set) Config(base emv.Values, date string) *emv.Config {
	c := &emv.Config{Data: base}
	for _, k := range s.Keys() {
		if k.Usable(date) == nil {
			c.Keys = append(c.Keys, k.emv())
		}
	}
	for _, a := range s.Apps() {
		c.Apps = append(c.Apps, a.emv(base))
	}
	return c
}

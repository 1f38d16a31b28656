package update

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"swipewell/firmware/update/bundle"
)

// Slot is one of the two places of a build.
type Slot int

const (
	None Slot = -1
	A    Slot = 0
	B    Slot = 1
)

func (s Slot) String() string {
	switch s {
	case A:
		return "A"
	case B:
		return "B"
	}
	return "-"
}

// Other slot.
func (s Slot) Other() Slot { return 1 - s }

// Tries a build has when it is confirmed, and on trial.
const Tries = 3

// Image is what a slot holds; its zero value is nothing that may run.
type Image struct {
	Version bundle.Version
	Floor   bundle.Version // that the device takes on when the image is confirmed
	Size    int64
	Sum     bundle.Sum
	Schemas bundle.Schemas
}

// Record is the boot record.
type Record struct {
	Counter   uint64 // grows by one with each save
	Order     []Slot // that the loader tries, first to last
	Left      [2]int // tries left
	Confirmed Slot   // last build that was found healthy
	Trial     Slot   // on trial, or None
	Floor     bundle.Version
	Images    [2]Image
}

// First is the record of a device that left the factory with image in slot A.
func First(image Image) Record {
	r := Record{Order: []Slot{A}, Left: [2]int{Tries, 0}, Confirmed: A, Trial: None, Floor: image.Floor}
	r.Images[A] = image
	return r
}

// same tells whether two records say the same of the builds, whatever the counter.
func (r Record) same(o Record) bool {
	r.Counter = o.Counter
	return slices.Equal(r.words(), o.words())
}

func (r Record) clone() Record {
	r.Order = slices.Clone(r.Order)
	return r
}

// Boot is what a loader does: the first slot of the order that has tries left,
// with one taken. If there is none, it is the confirmed one all the same: power
// that failed a few times in a row early in a start is no sick build, and a device
// that starts nothing needs a person. None if nothing was ever confirmed. The
// record is to be saved before the build is started.
func (r Record) Boot() (Slot, Record) {
	for _, s := range r.Order {
		if r.Left[s] > 0 {
			r.Left[s]--
			return s, r
		}
	}
	if s := r.Confirmed; s != None && r.Images[s].Size > 0 {
		return s, r
	}
	return None, r
}

// begin makes the slot that does not run unbootable.
func (r Record) begin(running Slot) Record {
	r = r.clone()
	target := running.Other()
	r.Order, r.Left[target], r.Images[target], r.Trial = []Slot{running}, 0, Image{}, None
	return r
}

// written notes what the target now holds.
func (r Record) written(target Slot, i Image) Record {
	r = r.clone()
	r.Images[target] = i
	return r
}

// try puts the target first, with n tries; the running build keeps its own.
func (r Record) try(target Slot, n int) Record {
	r = r.clone()
	r.Order, r.Left[target], r.Left[target.Other()], r.Trial = []Slot{target, target.Other()}, n, Tries, target
	return r
}

// confirm is what a healthy build says of itself: all its tries are back, and its
// floor is the device's. The other slot stays in the order only if it is not
// below that floor and reads what this build may write: at the next start of a
// build that has migrated the store, it is not a way back any more.
func (r Record) confirm(running Slot) Record {
	r = r.clone()
	r.Left[running], r.Confirmed = Tries, running
	if r.Trial == running {
		r.Trial = None
	}
	image, other := r.Images[running], r.Images[running.Other()]
	if image.Floor.Compare(r.Floor) > 0 {
		r.Floor = image.Floor
	}
	r.Order = []Slot{running}
	if other.Size > 0 && r.Trial == None && other.Version.Compare(r.Floor) >= 0 && other.Schemas.Has(int(image.Schemas.Hi)) && r.Left[running.Other()] > 0 {
		r.Order = append(r.Order, running.Other())
	}
	return r
}

// rolledBack takes a build whose trial failed out of the order.
func (r Record) rolledBack() Record {
	r = r.clone()
	t := r.Trial
	r.Order, r.Left[t], r.Images[t], r.Trial = []Slot{t.Other()}, 0, Image{}, None
	return r
}

// ErrRecord is bytes that are no boot record.
var ErrRecord = errors.New("update: not a boot record")

// Words of a record, in the order in which they are written. The first three are
// RAUC's, which loaders' scripts know.
const (
	wordOrder     = "BOOT_ORDER"
	wordLeftA     = "BOOT_A_LEFT"
	wordLeftB     = "BOOT_B_LEFT"
	wordCounter   = "SW_COUNTER"
	wordConfirmed = "SW_CONFIRMED"
	wordTrial     = "SW_TRIAL"
	wordFloor     = "SW_FLOOR"
	wordA         = "SW_A"
	wordB         = "SW_B"
)

func (i Image) text() string {
	if i.Size == 0 {
		return "-"
	}
	return fmt.Sprintf("%v %v %d %x %d %d", i.Version, i.Floor, i.Size, i.Sum, i.Schemas.Lo, i.Schemas.Hi)
}

// words of the record, name=value.
func (r Record) words() []string {
	var order []string
	for _, s := range r.Order {
		order = append(order, s.String())
	}
	return []string{wordOrder + "=" + strings.Join(order, " "), fmt.Sprintf("%s=%d", wordLeftA, r.Left[A]), fmt.Sprintf("%s=%d", wordLeftB, r.Left[B]),
		fmt.Sprintf("%s=%d", wordCounter, r.Counter), wordConfirmed + "=" + r.Confirmed.String(), wordTrial + "=" + r.Trial.String(),
		wordFloor + "=" + r.Floor.String(), wordA + "=" + r.Images[A].text(), wordB + "=" + r.Images[B].text()}
}

// parseWords reads a record; words that it does not know are a loader's own.
func parseWords(words []string) (r Record, err error) {
	m := map[string]string{}
	for _, w := range words {
		k, v, ok := strings.Cut(w, "=")
		if _, twice := m[k]; !ok || twice {
			return r, fmt.Errorf("%w: %q", ErrRecord, w)
		}
		m[k] = v
	}
	bad := func(word string) {
		if err == nil {
			err = fmt.Errorf("%w: %s=%q", ErrRecord, word, m[word])
		}
	}
	slot := func(word, s string) Slot {
		switch s {
		case "A":
			return A
		case "B":
			return B
		case "-":
			return None
		}
		bad(word)
		return None
	}
	number := func(word string, most uint64) uint64 {
		n, e := strconv.ParseUint(m[word], 10, 64)
		if e != nil || n > most {
			bad(word)
		}
		return n
	}
	for _, s := range strings.Fields(m[wordOrder]) {
		r.Order = append(r.Order, slot(wordOrder, s))
	}
	if len(r.Order) > 2 || slices.Contains(r.Order, None) || len(r.Order) == 2 && r.Order[0] == r.Order[1] {
		bad(wordOrder)
	}
	r.Left = [2]int{int(number(wordLeftA, 99)), int(number(wordLeftB, 99))}
	r.Counter = number(wordCounter, 1<<63)
	r.Confirmed, r.Trial = slot(wordConfirmed, m[wordConfirmed]), slot(wordTrial, m[wordTrial])
	v, e := bundle.ParseVersion(m[wordFloor])
	if e != nil {
		bad(wordFloor)
	}
	r.Floor = v
	for s, w := range []string{wordA, wordB} {
		var ok bool
		if r.Images[s], ok = parseImage(m[w]); !ok {
			bad(w)
		}
	}
	return r, err
}

func parseImage(s string) (i Image, ok bool) {
	if s == "-" {
		return i, true
	}
	f := strings.Split(s, " ")
	if len(f) != 6 || len(f[3]) != 2*len(i.Sum) {
		return i, false
	}
	var errs [7]error
	i.Version, errs[0] = bundle.ParseVersion(f[0])
	i.Floor, errs[1] = bundle.ParseVersion(f[1])
	i.Size, errs[2] = strconv.ParseInt(f[2], 10, 64)
	var sum []byte
	_, errs[3] = fmt.Sscanf(f[3], "%x", &sum)
	if len(sum) == len(i.Sum) {
		i.Sum = bundle.Sum(sum)
	}
	lo, e := strconv.ParseUint(f[4], 10, 16)
	errs[4] = e
	hi, e := strconv.ParseUint(f[5], 10, 16)
	errs[5] = e
	i.Schemas = bundle.Schemas{Lo: uint16(lo), Hi: uint16(hi)}
	return i, errors.Join(errs[:]...) == nil && i.Size > 0 && i.Size <= bundle.MaxImage && i.text() == s
}

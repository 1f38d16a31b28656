package update

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"

	"swipewell/firmware/update/bundle"
)

// Opts of a device. All but Clear must be there.
type Opts struct {
	Product, Board string
	Keys           bundle.Keyring
	Port           Port
	Slots          [2]Medium
	SlotSize       int64
	Running        Slot
	Schema         func() int   // of the store
	Clear          func() error // nil: no money is unresolved, half settled or in a sale; else why not
	Tries          int          // of a build on trial; 0: Tries
}

// Device takes updates. It is not for two goroutines at a time.
type Device struct {
	o     Opts
	known *known // nil: the slots were not looked through
}

// New is the device whose running build is o.Running.
func New(o Opts) *Device {
	if o.Tries == 0 {
		o.Tries = Tries
	}
	return &Device{o: o}
}

// Record is the boot record in force.
func (d *Device) Record() (Record, error) { return d.o.Port.Load() }

// State is what the start of a build finds.
type State int

const (
	Settled    State = iota // the running build is the confirmed one
	Trying                  // it is on trial: it has to prove itself, then Confirm
	RolledBack              // the trial of the other failed, and that is noted now
)

// Started is to be called once at each start, before anything else: it notes a
// trial that failed. What it gives tells whether a trial runs. Settled: there is none, or the other
// build still waits for its first start.
func (d *Device) Started() (State, Image, error) {
	r, err := d.o.Port.Load()
	if err != nil {
		return Settled, Image{}, err
	}
	switch r.Trial {
	case d.o.Running:
		return Trying, r.Images[r.Trial], nil
	case d.o.Running.Other():
		if r.Left[r.Trial] >= d.o.Tries { // the loader takes a try before it starts one: that build has not run yet
			return Settled, r.Images[d.o.Running], nil
		}
		failed := r.Images[r.Trial]
		return RolledBack, failed, d.o.Port.Save(r.rolledBack())
	}
	return Settled, r.Images[d.o.Running], nil
}

// Confirm keeps the running build. A build may write its own schema of the store
// from the next start on; see [Device.MayMigrate].
func (d *Device) Confirm() error {
	r, err := d.o.Port.Load()
	if err != nil {
		return err
	}
	if r.Trial == d.o.Running.Other() {
		return refuse(OnTrial, "slot %v", r.Trial)
	}
	r = r.confirm(d.o.Running)
	if err := d.o.Port.Save(r); err != nil {
		return err
	}
	return d.o.Port.Keep(r.begin(d.o.Running)) // the other slot is written over one day, and what is kept is not
}

// Abandon ends the trial of the running build: the next start is the other's.
func (d *Device) Abandon() error {
	r, err := d.o.Port.Load()
	if err != nil {
		return err
	}
	if r.Trial != d.o.Running {
		return fmt.Errorf("update: slot %v is not on trial", d.o.Running)
	}
	r = r.clone()
	r.Left[d.o.Running] = 0
	return d.o.Port.Save(r)
}

// MayMigrate tells whether the store may be brought to the running build's own
// schema: it is confirmed, and no build that could still be started by the loader
// would be unable to read it.
func (d *Device) MayMigrate() bool {
	r, err := d.o.Port.Load()
	if err != nil || r.Trial != None || r.Confirmed != d.o.Running {
		return false
	}
	for _, s := range r.Order {
		if !r.Images[s].Schemas.Has(int(r.Images[d.o.Running].Schemas.Hi)) {
			return false
		}
	}
	return true
}

// Judge says whether a bundle may be installed now, and which of its payloads is
// the least to send; -1 stands for "the other slot has it already".
func (d *Device) Judge(h *bundle.Head) (payload int, err error) {
	m := h.Manifest
	if _, err := d.o.Keys.Verify(h); err != nil {
		return 0, named(err)
	}
	r, err := d.o.Port.Load()
	if err != nil {
		return 0, err
	}
	switch schema := d.o.Schema(); {
	case m.Product != d.o.Product:
		return 0, refuse(WrongProduct, "%s, and this is %s", m.Product, d.o.Product)
	case m.Board != d.o.Board:
		return 0, refuse(WrongBoard, "%s, and this is %s", m.Board, d.o.Board)
	case m.Version.Compare(r.Floor) < 0:
		return 0, refuse(TooOld, "%v, and nothing below %v runs here", m.Version, r.Floor)
	case m.Size > d.o.SlotSize:
		return 0, refuse(SlotFull, "%d bytes, and the slot has %d", m.Size, d.o.SlotSize)
	case !m.Schemas.Has(schema):
		return 0, refuse(WrongSchema, "it reads %d to %d, and the data are %d", m.Schemas.Lo, m.Schemas.Hi, schema)
	case r.Trial != None:
		return 0, refuse(OnTrial, "%v in slot %v", r.Images[r.Trial].Version, r.Trial)
	}
	if d.o.Clear != nil {
		if err := d.o.Clear(); err != nil {
			return 0, &Refusal{Reason: MoneyOpen, Detail: err.Error(), Err: err}
		}
	}
	if r.Images[d.o.Running.Other()] == imageOf(m) {
		return -1, nil
	}
	i := m.Pick(func(s bundle.Sum) bool { return s == r.Images[d.o.Running].Sum })
	if i < 0 {
		return 0, refuse(NoBase, "%v", m.Version)
	}
	return i, nil
}

func imageOf(m *bundle.Manifest) Image {
	return Image{Version: m.Version, Floor: m.Floor, Size: m.Size, Sum: m.Sum, Schemas: m.Schemas}
}

// Write puts the image into the slot that does not run: payload i of the bundle,
// from r, behind the byte of its section. Each block is checked before it is
// written; a block that the slot has already is not written again, so a second try
// after a cut is cheap. At the end the slot is read back.
func (d *Device) Write(h *bundle.Head, i int, r io.Reader) error {
	if _, err := d.Judge(h); err != nil {
		return err
	}
	m := h.Manifest
	if i < 0 || i >= len(m.Payloads) {
		return refuse(NotABundle, "payload %d of %d", i, len(m.Payloads))
	}
	if m.Payloads[i].Kind != bundle.Blocks {
		return d.write(m, func(put func(int, []byte) error) error {
			return bundle.Unpack(m, i, r, d.o.Slots[d.o.Running], put)
		})
	}
	sent, err := bundle.ReadSet(r, m)
	if err != nil {
		return named(err)
	}
	if k, err := d.lacks(m, sent); err != nil || k >= 0 {
		return cmp.Or(err, noBlock(m, k))
	}
	return d.write(m, func(put func(int, []byte) error) error { return d.unpackBlocks(m, i, sent, r, put) })
}

// write puts an image's blocks into the slot that does not run, as unpack gives them.
func (d *Device) write(m *bundle.Manifest, unpack func(put func(int, []byte) error) error) error {
	target := d.o.Running.Other()
	rec, err := d.o.Port.Load()
	if err != nil {
		return err
	}
	if err := d.o.Port.Save(rec.begin(d.o.Running)); err != nil {
		return err
	}
	slot, have := d.o.Slots[target], make([]byte, 1<<m.BlockBits)
	err = unpack(func(k int, b []byte) error {
		at := int64(k) << m.BlockBits
		if n, _ := slot.ReadAt(have[:len(b)], at); n == len(b) && string(have[:n]) == string(b) {
			return nil
		}
		if _, err := slot.WriteAt(b, at); err != nil {
			return errors.Join(errMedium, err)
		}
		return nil
	})
	d.known = nil // the other slot is another now; and what was remembered may have been wrong
	if err != nil {
		return named(err)
	}
	if err := slot.Sync(); err != nil {
		return named(errors.Join(errMedium, err))
	}
	if err := d.verify(target, imageOf(m)); err != nil {
		return err
	}
	if rec, err = d.o.Port.Load(); err != nil {
		return err
	}
	return d.o.Port.Save(rec.written(target, imageOf(m)))
}

// verify reads a slot back as a whole.
func (d *Device) verify(s Slot, i Image) error {
	sum, err := bundle.SumOf(io.NewSectionReader(d.o.Slots[s], 0, i.Size), i.Size)
	if err != nil || sum != i.Sum {
		return named(errors.Join(errMedium, fmt.Errorf("slot %v does not hold %v", s, i.Version), err))
	}
	return nil
}

// Try puts what the other slot holds on trial at the next start, once all of it
// was read and fits its sum again.
func (d *Device) Try() error {
	r, err := d.o.Port.Load()
	if err != nil {
		return err
	}
	target := d.o.Running.Other()
	i := r.Images[target]
	switch {
	case r.Trial != None:
		return refuse(OnTrial, "%v in slot %v", r.Images[r.Trial].Version, r.Trial)
	case i.Size == 0:
		return refuse(NoBase, "slot %v is empty", target)
	case i.Version.Compare(r.Floor) < 0:
		return refuse(TooOld, "%v, and nothing below %v runs here", i.Version, r.Floor)
	case !i.Schemas.Has(d.o.Schema()):
		return refuse(WrongSchema, "it reads %d to %d, and the data are %d", i.Schemas.Lo, i.Schemas.Hi, d.o.Schema())
	}
	if d.o.Clear != nil {
		if err := d.o.Clear(); err != nil {
			return &Refusal{Reason: MoneyOpen, Detail: err.Error(), Err: err}
		}
	}
	if err := d.verify(target, i); err != nil {
		return err
	}
	return d.o.Port.Save(r.try(target, d.o.Tries))
}

// Install reads a bundle from a stream that cannot be asked for less, up to the end
// of the first payload that it can use.
func (d *Device) Install(r io.Reader) (*bundle.Manifest, error) {
	h, err := bundle.ReadHead(r)
	if err != nil {
		return nil, named(err)
	}
	if _, err := d.Judge(h); err != nil {
		return h.Manifest, err
	}
	rec, err := d.o.Port.Load()
	if err != nil {
		return h.Manifest, err
	}
	m := h.Manifest
	none := refuse(NoBase, "the file has no payload for this device")
	for {
		i, err := bundle.Section(r, m)
		if err == io.EOF {
			return m, none
		}
		if err != nil {
			return m, named(err)
		}
		p, section := &m.Payloads[i], r
		size, usable := p.Size, p.Kind != bundle.Delta || p.Base == rec.Images[d.o.Running].Sum
		if p.Kind == bundle.Blocks {
			sent, err := bundle.ReadSet(r, m)
			if err != nil {
				return m, named(err)
			}
			k, err := d.lacks(m, sent)
			if err != nil {
				return m, err
			}
			if usable = k < 0; !usable {
				none = noBlock(m, k)
			}
			size, section = p.SizeOf(sent), io.MultiReader(bytes.NewReader(sent), r)
		}
		if usable { // and once it is in the slot, what else the file has is nobody's
			return m, d.Write(h, i, section)
		}
		if n, err := io.Copy(io.Discard, io.LimitReader(r, size)); err != nil || n < size {
			return m, named(errors.Join(err, io.ErrUnexpectedEOF))
		}
	}
}

// Erase makes the slot that does not run unbootable; a build on trial is not erased.
func (d *Device) Erase() error {
	r, err := d.o.Port.Load()
	if err != nil {
		return err
	}
	if r.Trial != None {
		return refuse(OnTrial, "%v in slot %v", r.Images[r.Trial].Version, r.Trial)
	}
	return d.o.Port.Save(r.begin(d.o.Running))
}

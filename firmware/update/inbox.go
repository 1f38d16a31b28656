package update

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"swipewell/firmware/update/bundle"
)

// Inbox is where a transport that sends a file from front to back leaves a
// bundle: bytes at an offset, in order, and again from where it stood after a
// pulled cable or a power cut. The bundle is judged as soon as its head is there,
// and installed when it is complete.
type Inbox struct {
	dev     *Device
	m       Medium
	room    int64
	note    note
	synced  int64
	judged  bool
	version bundle.Version // of what was judged
	Who     string         // whose upload it is; see Claim
	// Tell is told what becomes of a bundle; nil: nobody. It is called by whoever
	// calls the inbox.
	Tell func(Event)
}

// Event is what became of a bundle.
type Event struct {
	What    What
	Who     string // the sender, see Claim
	Version bundle.Version
	From    int64 // of Resumed: so many bytes were there
	Err     error // of Refused
}

// What became of it.
type What string

const (
	Offered   What = "offered"   // its head is there, and was judged good
	Resumed   What = "resumed"   // it goes on where it stood
	Refused   What = "refused"   // it is not taken
	Installed What = "installed" // it is in the slot that does not run
)

func (x *Inbox) tell(w What, v bundle.Version, err error) {
	if x.Tell != nil {
		x.Tell(Event{What: w, Who: x.Who, Version: v, Err: err})
	}
}

// note stands at the start of the inbox: what is being received, and how much of
// it is on the medium for certain.
type note struct {
	total, have int64
	sum         bundle.Sum // of the whole; zeros: not said
}

const (
	noteSize  = 4096
	syncEvery = 64 << 10
)

func (n note) bytes() []byte {
	b := append([]byte("SWI1"), n.sum[:]...)
	b = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, uint64(n.total)), uint64(n.have))
	s := sha256.Sum256(b)
	return append(b, s[:8]...)
}

func parseNote(b []byte) (n note, ok bool) {
	if len(b) != 4+32+16+8 {
		return n, false
	}
	n.sum = bundle.Sum(b[4:36])
	n.total, n.have = int64(binary.BigEndian.Uint64(b[36:])), int64(binary.BigEndian.Uint64(b[44:]))
	return n, bytes.Equal(n.bytes(), b) && n.have >= 0 && n.have <= n.total
}

// NewInbox goes on with what m holds, if that is the start of a bundle.
func NewInbox(dev *Device, m Medium, room int64) *Inbox {
	x := &Inbox{dev: dev, m: m, room: room}
	b := make([]byte, len(note{}.bytes()))
	if _, err := m.ReadAt(b, 0); err == nil {
		if n, ok := parseNote(b); ok {
			x.note, x.synced = n, n.have
			if h, err := bundle.ReadHead(x.reader()); err == nil {
				x.version = h.Manifest.Version // to tell of; it is judged again once more of it comes
			}
		}
	}
	return x
}

// Claim gives the inbox to one sender until Release; another is [Busy].
func (x *Inbox) Claim(who string) error {
	if x.Who != "" && x.Who != who {
		err := refuse(Busy, "%s sends", x.Who)
		if x.Tell != nil {
			x.Tell(Event{What: Refused, Who: who, Err: err})
		}
		return err
	}
	x.Who = who
	return nil
}

// Release lets the next sender in. What came stays, to be gone on with.
func (x *Inbox) Release(who string) {
	if x.Who == who {
		x.Who = ""
	}
}

// Have is how far the bundle of this sum and size has come.
func (x *Inbox) Have(total int64, sum bundle.Sum) int64 {
	if x.note.total == total && x.note.sum == sum && sum != (bundle.Sum{}) {
		return x.note.have
	}
	return 0
}

// Begin starts a bundle, or goes on with it: it gives the offset that is wanted.
// One without a sum always starts at 0.
func (x *Inbox) Begin(total int64, sum bundle.Sum) (int64, error) {
	if total < 1 || total > x.room {
		err := refuse(SlotFull, "a bundle of %d bytes, and the inbox has %d", total, x.room)
		x.tell(Refused, bundle.Version{}, err)
		return 0, err
	}
	if n := x.Have(total, sum); n > 0 && n < total {
		if x.Tell != nil {
			x.Tell(Event{What: Resumed, Who: x.Who, Version: x.version, From: n})
		}
		return n, nil
	}
	x.note, x.synced, x.judged, x.version = note{total: total, sum: sum}, 0, false, bundle.Version{}
	return 0, x.keep()
}

// keep notes how far it has come, once that is on the medium; and the note is there,
// too, when it returns: else a power cut costs all since the note before.
func (x *Inbox) keep() error {
	err := x.m.Sync()
	if err == nil {
		_, err = x.m.WriteAt(x.note.bytes(), 0)
	}
	if err == nil {
		err = x.m.Sync()
	}
	if err != nil {
		return named(errors.Join(errMedium, err))
	}
	x.synced = x.note.have
	return nil
}

// Put takes bytes at off. It gives the offset that is wanted next: a gap and what
// is there already are not taken. done tells that the bundle is installed.
func (x *Inbox) Put(off int64, b []byte) (next int64, done bool, err error) {
	n := &x.note
	if off != n.have || n.total == 0 {
		return n.have, false, nil
	}
	if int64(len(b)) > n.total-n.have {
		return n.have, false, refuse(Damaged, "more than the %d bytes that were announced", n.total)
	}
	if _, err := x.m.WriteAt(b, noteSize+off); err != nil {
		return n.have, false, named(errors.Join(errMedium, err))
	}
	n.have += int64(len(b))
	if err := x.judge(); err != nil {
		return n.have, false, x.forget(err)
	}
	if n.have-x.synced >= syncEvery || n.have == n.total {
		if err := x.keep(); err != nil {
			return n.have, false, err
		}
	}
	if n.have < n.total {
		return n.have, false, nil
	}
	if n.sum != (bundle.Sum{}) {
		if s, err := bundle.SumOf(x.reader(), n.total); err != nil || s != n.sum {
			return 0, false, x.forget(refuse(Damaged, "its SHA-256 is %x, and %x was announced", s, n.sum))
		}
	}
	m, err := x.dev.Install(x.reader())
	if err != nil {
		return 0, false, x.forget(err)
	}
	total := n.total
	x.tell(Installed, m.Version, nil)
	return total, true, x.forget(nil)
}

// Progress is how much of the bundle that is being received is there; 0, 0: none is.
func (x *Inbox) Progress() (have, total int64) { return x.note.have, x.note.total }

// forget drops what came, keeping err.
func (x *Inbox) forget(err error) error {
	if err != nil {
		x.tell(Refused, x.version, err)
	}
	x.note, x.judged, x.version = note{}, false, bundle.Version{}
	return errors.Join(err, x.keep())
}

func (x *Inbox) reader() io.Reader { return io.NewSectionReader(x.m, noteSize, x.note.have) }

// judge looks at the head once it is there: a bundle that is not for this device
// is refused before the rest is sent.
func (x *Inbox) judge() error {
	if x.judged {
		return nil
	}
	h, err := bundle.ReadHead(x.reader())
	if errors.Is(err, io.ErrUnexpectedEOF) && x.note.have < x.note.total {
		if x.note.have > bundle.MaxManifest+1024 {
			return named(fmt.Errorf("%w: its head does not end", bundle.ErrNotABundle))
		}
		return nil
	}
	if err != nil {
		return named(err)
	}
	x.judged, x.version = true, h.Manifest.Version
	if _, err = x.dev.Judge(h); err == nil {
		x.tell(Offered, x.version, nil)
	}
	return err
}

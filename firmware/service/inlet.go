package service

import (
	"context"
	"sync"
)

// inlet is a queue of bytes with room for so many.
type inlet struct {
	room int

	mu    sync.Mutex
	b     []byte
	err   error // told once, before any byte that comes behind it
	some  chan struct{}
	space chan struct{}
}

func newInlet(room int) *inlet {
	return &inlet{room: room, some: make(chan struct{}, 1), space: make(chan struct{}, 1)}
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// put adds what there is room for, and gives how much that was.
func (q *inlet) put(b []byte) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(b), q.room-len(q.b))
	if n > 0 {
		q.b = append(q.b, b[:n]...)
		wake(q.some)
	}
	return n
}

// fail is the next error of a read. What nobody has read is gone with the cable: whoever comes next
// must not have it carried out, nor may theirs be, before the error was told.
func (q *inlet) fail(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.err, q.b = err, nil
	wake(q.some)
	wake(q.space)
}

func (q *inlet) take(p []byte) (int, error, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.err; err != nil {
		q.err = nil
		return 0, err, true
	}
	if n := copy(p, q.b); n > 0 {
		q.b = q.b[n:]
		if len(q.b) == 0 {
			q.b = nil
		}
		wake(q.space)
		return n, nil, true
	}
	return 0, nil, false
}

// read waits for at least one byte.
func (q *inlet) read(ctx context.Context, p []byte) (int, error) {
	for {
		n, err, ok := q.take(p)
		if ok || len(p) == 0 {
			return n, err
		}
		select {
		case <-q.some:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// drain gives what nobody has read.
func (q *inlet) drain() []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	b := q.b
	q.b = nil
	return b
}

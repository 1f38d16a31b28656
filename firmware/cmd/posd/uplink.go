package main

import (
	"context"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"swipewell/firmware/console"
	"swipewell/firmware/journal"
	"swipewell/firmware/terminal"
)

// uplinkFile is what of the log goes to the host, until the host has it.
const uplinkFile = "upload.swjx"

// errNothing says that a query found nothing that could go.
var errNothing = errors.New("the log has no such entry")

// uplink is the place of what goes to the host; nil: the board file lets none go.
func (d *device) uplink() *terminal.Uplink {
	if !d.file.Log.Upload {
		return nil
	}
	path := filepath.Join(d.data, uplinkFile)
	return &terminal.Uplink{
		Make: func(f journal.Filter) (int, error) { return d.makeUplink(path, f) },
		Sum: func() (int, uint32, error) {
			b, err := os.ReadFile(path)
			return len(b), crc32.ChecksumIEEE(b), err
		},
		Read: func(off int64, b []byte) (int, error) {
			f, err := os.Open(path)
			if err != nil {
				return 0, err
			}
			defer f.Close()
			n, err := f.ReadAt(b, off)
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return n, err
		},
		Drop: func() {
			if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
				d.log.Warn("log upload", "err", err)
			}
		},
	}
}

// makeUplink writes an excerpt, whole and durable when it returns.
func (d *device) makeUplink(path string, f journal.Filter) (size int, err error) {
	tmp := path + "~"
	out, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return 0, err
	}
	n, of, err := d.journal.Excerpt(out, backend{d}.Manifest(), f, d.file.Log.UploadBytes())
	at, serr := out.Seek(0, io.SeekEnd)
	if err = errors.Join(err, serr, out.Sync(), out.Close()); err == nil && n == 0 {
		err = errNothing
		if of > 0 {
			err = errors.New("it does not fit ([log] upload_kb)")
		}
	}
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		os.Remove(tmp)
		return 0, err
	}
	if dir, err := os.Open(filepath.Dir(path)); err == nil {
		_ = dir.Sync()
		dir.Close()
	}
	return int(at), nil
}

// UploadLog sends a piece of the log to the host, on a tool's word, and tells how far one is.
func (b backend) UploadLog(ctx context.Context, tx string, last int) (u console.LogUpload, err error) {
	t, _ := b.current()
	if t == nil {
		return u, errNoTerminal
	}
	if tx == "" && last == 0 {
		return b.uploadState(ctx, t)
	}
	ready := make(chan error, 1)
	f := journal.Filter{Tx: tx, Last: last}
	if err := t.Do(ctx, func() {
		if err := t.UploadLog(f, 0, func(err error) { ready <- err }); err != nil {
			ready <- err
		}
	}); err != nil {
		return u, err
	}
	select {
	case err := <-ready:
		if err != nil {
			return u, err
		}
	case <-ctx.Done():
		return u, ctx.Err()
	}
	return b.uploadState(ctx, t)
}

func (b backend) uploadState(ctx context.Context, t *terminal.Terminal) (u console.LogUpload, err error) {
	err = t.Do(ctx, func() {
		s := t.LogUpload()
		u = console.LogUpload{What: s.What, Pieces: s.Pieces, Done: s.Done, Tries: s.Tries, Making: s.Making, Said: s.Said}
	})
	return u, err
}

var _ interface {
	UploadLog(ctx context.Context, tx string, last int) (console.LogUpload, error)
} = backend{}

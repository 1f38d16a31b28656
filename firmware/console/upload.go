package console

import (
	"context"
	"errors"

	"swipewell/ui/prompt"
)

// Uploads is what log-upload asks a Backend; one that does not have it sends nothing.
type Uploads interface {
	// UploadLog begins to send a piece of the log to the host: of one transaction, or the last
	// entries; with neither it begins nothing. It tells how far one is.
	UploadLog(ctx context.Context, tx string, last int) (LogUpload, error)
}

// LogUpload is how far the log is on its way to the host.
type LogUpload struct {
	What   string      `json:"what,omitempty"`   // "last 200", "tx 000123"
	Pieces int         `json:"pieces"`           // 0: nothing is on its way
	Done   int         `json:"done"`             // of these the host has
	Tries  int         `json:"tries,omitempty"`  // in vain, since the last piece
	Making bool        `json:"making,omitempty"` // it is being made ready
	Said   prompt.Code `json:"said,omitempty"`   // what became of the last one
}

// logUpload answers log-upload.
func (s *Server) logUpload(ctx context.Context, q Request, send func(kind string, v any) error) error {
	b, ok := s.o.Backend.(Uploads)
	if !ok {
		return errors.New("this device does not send its log")
	}
	u, err := b.UploadLog(ctx, q.Tx, q.N)
	if err != nil {
		return err
	}
	return send("upload", u)
}

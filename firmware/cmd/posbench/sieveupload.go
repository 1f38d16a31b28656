package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"swipewell/firmware/sim/acquirer"
)

// uploadsDir is what the host received of the log, as a file and opened.
const uploadsDir = "uploads"

// upload has the log go to the host and puts what the host received among what is searched, as
// it came and unpacked.
func (l *sieveLife) upload(ctx context.Context) error {
	if err := l.idle(ctx); err != nil {
		return err
	}
	if out, err := l.w.Postool(ctx, "log", "upload", "--last", "100000"); err != nil {
		return fmt.Errorf("postool log upload: %w: %s", err, out)
	}
	dir := filepath.Join(l.w.Dir(), uploadsDir)
	var u acquirer.LogUpload
	for range 60 {
		if err := l.do(ctx, []string{"clock", "advance", "10s"}); err != nil {
			return err
		}
		out, err := l.w.Ask("logs")
		if err != nil {
			return err
		}
		if line, _, _ := strings.Cut(out, "\n"); line != "" {
			if err := json.Unmarshal([]byte(line), &u); err != nil {
				return err
			}
		}
		if u.Whole {
			break
		}
	}
	if !u.Whole {
		return errors.New("the log did not come to the host: " + fmt.Sprint(u))
	}
	if _, err := l.w.Ask("logs", "save", dir); err != nil {
		return err
	}
	out, err := l.w.Postool(ctx, "log", "import", filepath.Join(dir, u.File), filepath.Join(dir, "opened"))
	if err != nil {
		return fmt.Errorf("postool log import: %w: %s", err, out)
	}
	l.x.Text("postool", out)
	return nil
}

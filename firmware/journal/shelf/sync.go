package shelf

import (
	"os"

	"golang.org/x/sys/unix"
)

// fdatasync waits for a file's bytes, and for its size if that grew.
func fdatasync(f *os.File) error {
	for {
		if err := unix.Fdatasync(int(f.Fd())); err != unix.EINTR {
			return err
		}
	}
}

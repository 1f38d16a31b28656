package main

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"swipewell/firmware/image/plan"
)

var mountFlags = map[string]uintptr{"nosuid": unix.MS_NOSUID, "nodev": unix.MS_NODEV, "noexec": unix.MS_NOEXEC, "noatime": unix.MS_NOATIME, "ro": unix.MS_RDONLY}

func mountAll(all []plan.Mount) error {
	for _, m := range all {
		if err := mount(m); err != nil {
			return err
		}
	}
	return nil
}

// mount makes the folder and mounts. No fsck runs before: ext4 replays its journal
// by itself, and what a journal does not mend nobody at a counter should (the
// store judges its own file, see package store).
func mount(m plan.Mount) error {
	if err := os.MkdirAll(m.Dir, 0o755); err != nil {
		return err
	}
	var flags uintptr
	for _, f := range m.Flags {
		flags |= mountFlags[f]
	}
	if err := unix.Mount(m.Device, m.Dir, m.Type, flags, m.Data); err != nil && !(err == unix.EBUSY && m.Type == "devtmpfs") {
		return fmt.Errorf("mount %s: %w", m.Dir, err)
	}
	return nil
}

// load gives a module to the kernel. One that is in already is no error.
func load(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.FinitModule(int(f.Fd()), "", 0); err != nil && err != unix.EEXIST {
		return err
	}
	return nil
}

// seed copies a file where there is none, whole or not at all.
func seed(s plan.Seed) error {
	if _, err := os.Lstat(s.To); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	b, err := os.ReadFile(s.From)
	if err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(s.To), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(s.To+"~", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(s.To+"~", s.To)
}

// maxBench bounds what a bench's archive may hold.
const maxBench = 4 << 20

// unpack makes files, folders and symbolic links of a tar on a device.
func unpack(device, dir string) error {
	f, err := os.Open(device)
	if err != nil {
		return err
	}
	defer f.Close()
	r := tar.NewReader(io.LimitReader(f, maxBench))
	for {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		name := filepath.Join(dir, h.Name)
		if !strings.HasPrefix(name, dir+"/") {
			return fmt.Errorf("%q leads out of %s", h.Name, dir)
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		switch h.Typeflag {
		case tar.TypeSymlink:
			err = os.Symlink(h.Linkname, name)
		case tar.TypeReg:
			var b []byte
			if b, err = io.ReadAll(r); err == nil {
				err = os.WriteFile(name, b, 0o644)
			}
		}
		if err != nil {
			return err
		}
	}
}

// streams links the ports of virtio consoles by their names, once they are there.
func (m *machine) streams() error {
	for _, name := range m.plan.Streams {
		device := ""
		for until := m.now() + deviceTime; device == ""; m.sleep(20 * time.Millisecond) {
			if device = findStream("/sys/class/virtio-ports", name); device == "" && m.now() > until {
				return fmt.Errorf("no port named %s", name)
			}
		}
		if err := m.await("/dev/" + device); err != nil {
			return err
		}
		if err := os.MkdirAll(plan.StreamDir, 0o755); err != nil {
			return err
		}
		if err := errors.Join(os.Symlink("/dev/"+device, filepath.Join(plan.StreamDir, name)), os.Chown("/dev/"+device, m.plan.User, m.plan.User)); err != nil {
			return err
		}
	}
	return nil
}

// findStream gives the device of a port by its name, as sysfs has both.
func findStream(dir, name string) string {
	all, _ := filepath.Glob(filepath.Join(dir, "*", "name"))
	for _, f := range all {
		if b, err := os.ReadFile(f); err == nil && strings.TrimSpace(string(b)) == name {
			return filepath.Base(filepath.Dir(f))
		}
	}
	return ""
}

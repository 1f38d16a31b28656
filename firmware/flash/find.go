package flash

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Found is a serial port of this machine.
type Found struct {
	Path string `json:"port"`           // what to open: the name that stays, if there is one
	Dev  string `json:"dev"`            // ttyUSB0 and the like, as it is now
	Name string `json:"name,omitempty"` // of the adapter
}

// Find looks for ports in dev, which is /dev but in tests: adapters by their
// lasting name, then those that have none. A port of the board (ttyS0) is opened
// by its name only.
func Find(dev string) []Found {
	var found []Found
	links, _ := filepath.Glob(filepath.Join(dev, "serial", "by-id", "*"))
	for _, l := range links {
		to, err := filepath.EvalSymlinks(l)
		if err != nil {
			continue // it was pulled this moment
		}
		name := strings.TrimPrefix(filepath.Base(l), "usb-")
		if i := strings.LastIndex(name, "-if"); i > 0 {
			name = name[:i]
		}
		found = append(found, Found{Path: l, Dev: to, Name: strings.ReplaceAll(name, "_", " ")})
	}
	for _, pattern := range []string{"ttyUSB*", "ttyACM*"} {
		names, _ := filepath.Glob(filepath.Join(dev, pattern))
		for _, n := range names {
			if real, err := filepath.EvalSymlinks(n); err != nil || slices.ContainsFunc(found, func(f Found) bool { return f.Dev == real }) {
				continue
			}
			found = append(found, Found{Path: n, Dev: n})
		}
	}
	return found
}

// Named is the port that somebody named, by its lasting name if it has one: an
// adapter that is pulled and put in again may come back as another ttyUSB.
func Named(dev, path string) Found {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		real = path
	}
	for _, f := range Find(dev) {
		if f.Dev == real {
			return f
		}
	}
	return Found{Path: path, Dev: real}
}

// gone tells whether a port's file is away: its cable was pulled.
func gone(path string) bool {
	_, err := os.Stat(path)
	return err != nil
}

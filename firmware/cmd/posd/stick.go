package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"swipewell/firmware/board"
)

// stickDirs is what the jail must leave open for a stick. What is mounted there later is found
// from its mount point upwards, and the folder that it hides is passed over: so it is the folder around.
func (d *device) stickDirs() []string {
	if d.file.Log.Stick == "" {
		return nil
	}
	return []string{d.file.Log.Stick, filepath.Dir(d.file.Log.Stick)}
}

// stickHere tells that a stick is mounted on a folder: it is on another device than the folder
// around. On a bench any folder that is there will do.
func stickHere(dir string, bench bool) bool {
	var at, around syscall.Stat_t
	if syscall.Stat(dir, &at) != nil || at.Mode&syscall.S_IFMT != syscall.S_IFDIR {
		return false
	}
	return bench || syscall.Stat(filepath.Dir(dir), &around) == nil && at.Dev != around.Dev
}

// copyLog writes an export to the stick, whole or not at all.
func (d *device) copyLog(dir string) (name string, err error) {
	m := backend{d}.Manifest()
	name = fmt.Sprintf("%s-%s.swjx", stickName(d.file), d.board.Clock.Now().Wall.UTC().Format("20060102-150405"))
	tmp := filepath.Join(dir, name+"~")
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	err = d.journal.Export(f, m)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(tmp, filepath.Join(dir, name))
	}
	if err != nil {
		os.Remove(tmp)
		return "", err
	}
	if f, err := os.Open(dir); err == nil { // FAT keeps names in memory until then
		_ = f.Sync()
		f.Close()
	}
	return name, nil
}

// stickName is whose log it is.
func stickName(f *board.File) string {
	if a := f.Acquirer; a != nil && a.TID != "" {
		return a.TID
	}
	return "swipewell"
}

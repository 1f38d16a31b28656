package image

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ErrModule is a module that cannot be had, or needs itself.
var ErrModule = errors.New("image: kernel module")

// canonical is a module's name as the kernel has it: - and _ are the same.
func canonical(name string) string { return strings.ReplaceAll(name, "-", "_") }

// Order gives the wanted modules and all that they need, each behind those it
// needs. needs gives what one needs; false: there is no such module. Those built
// into the kernel are left out.
func Order(want []string, builtin map[string]bool, needs func(name string) ([]string, bool)) ([]string, error) {
	var out []string
	const doing, done = 1, 2
	state := map[string]int{}
	var add func(name string, chain []string) error
	add = func(name string, chain []string) error {
		name = canonical(name)
		chain = append(slices.Clone(chain), name)
		switch {
		case state[name] == done || builtin[name]:
			return nil
		case state[name] == doing:
			return fmt.Errorf("%w: a circle: %s", ErrModule, strings.Join(chain, " → "))
		}
		more, ok := needs(name)
		if !ok {
			return fmt.Errorf("%w: none is named %s (%s)", ErrModule, name, strings.Join(chain, " → "))
		}
		state[name] = doing
		for _, m := range more {
			if err := add(m, chain); err != nil {
				return err
			}
		}
		state[name] = done
		out = append(out, name)
		return nil
	}
	for _, m := range want {
		if err := add(m, nil); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// modinfo is the section of a module that says what it needs: words ended by NUL.
// MODULE.
func modinfo(section []byte) (needs []string) {
	for _, w := range bytes.Split(section, []byte{0}) {
		if v, ok := strings.CutPrefix(string(w), "depends="); ok {
			needs = append(needs, strings.FieldsFunc(v, func(r rune) bool { return r == ',' })...)
		}
	}
	return needs
}

// modules of a kernel's package.
type modules struct {
	files   map[string]string // name: path of the .ko
	builtin map[string]bool
}

func readModules(dir string) (m modules, err error) {
	m = modules{files: map[string]string{}, builtin: map[string]bool{}}
	err = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(p, ".ko") {
			m.files[canonical(strings.TrimSuffix(filepath.Base(p), ".ko"))] = p
		}
		return err
	})
	if err != nil {
		return m, err
	}
	lists, _ := filepath.Glob(filepath.Join(dir, "*", "modules.builtin"))
	for _, l := range lists {
		b, err := os.ReadFile(l)
		if err != nil {
			return m, err
		}
		for _, f := range strings.Fields(string(b)) {
			m.builtin[canonical(strings.TrimSuffix(filepath.Base(f), ".ko"))] = true
		}
	}
	return m, nil
}

func (m modules) needs(name string) ([]string, bool) {
	p, ok := m.files[name]
	if !ok {
		return nil, false
	}
	f, err := elf.Open(p)
	if err != nil {
		return nil, false
	}
	defer f.Close()
	s := f.Section(".modinfo")
	if s == nil {
		return nil, false
	}
	b, err := s.Data()
	return modinfo(b), err == nil
}

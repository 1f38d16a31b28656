package image

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// kernel is Debian's, unpacked.
type kernel struct {
	pkg     string // "linux-image-6.1.0-50-arm64_6.1.176-1"
	sum     string // SHA-256 of the package
	vmlinuz string
	mods    modules
}

// aptOpts let apt read packages of a foreign architecture in folders of its own:
// neither dpkg nor this machine's lists learn of it. APT.
func aptOpts(dir, arch string) []string {
	o := []string{"APT::Architecture=" + arch, "APT::Architectures::=" + arch, "Dir::State::lists=" + filepath.Join(dir, "lists"),
		"Dir::Cache=" + filepath.Join(dir, "cache"), "Dir::State::status=" + filepath.Join(dir, "status")}
	if os.Geteuid() == 0 {
		o = append(o, "APT::Sandbox::User=root") // its own user cannot write to our folder
	}
	var words []string
	for _, w := range o {
		words = append(words, "-o", w)
	}
	return words
}

var dependsKernel = regexp.MustCompile(`(?m)^\s*Depends: (linux-image-\S+)$`)

// fetch brings the newest kernel of Debian's for a board into dir, once: what is
// there stays, until the folder is removed.
func fetch(ctx context.Context, b Board, dir string, say func(string)) (k kernel, err error) {
	dir, err = filepath.Abs(filepath.Join(dir, b.DebArch))
	if err != nil {
		return k, err
	}
	find := func() string {
		all, _ := filepath.Glob(filepath.Join(dir, "linux-image-*_"+b.DebArch+".deb"))
		if len(all) == 0 {
			return ""
		}
		return all[len(all)-1]
	}
	deb := find()
	if deb == "" {
		say("fetching " + b.Kernel + " for " + b.DebArch)
		for _, d := range []string{"lists/partial", "cache/archives/partial"} {
			if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
				return k, err
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "status"), nil, 0o644); err != nil {
			return k, err
		}
		// A suite without this architecture is a warning: the package decides.
		_, updateErr := command(ctx, dir, "apt-get", append(aptOpts(dir, b.DebArch), "update")...)
		out, err := command(ctx, dir, "apt-cache", append(aptOpts(dir, b.DebArch), "depends", b.Kernel)...)
		if err != nil {
			return k, errors.Join(updateErr, err)
		}
		m := dependsKernel.FindStringSubmatch(out)
		if m == nil {
			return k, errors.Join(updateErr, fmt.Errorf("image: %s names no kernel: %s", b.Kernel, out))
		}
		if _, err := command(ctx, dir, "apt-get", append(aptOpts(dir, b.DebArch), "download", m[1])...); err != nil {
			return k, err
		}
		if deb = find(); deb == "" {
			return k, fmt.Errorf("image: apt-get brought no %s", m[1])
		}
	}
	data, err := os.ReadFile(deb)
	if err != nil {
		return k, err
	}
	k.pkg, k.sum = strings.TrimSuffix(filepath.Base(deb), "_"+b.DebArch+".deb"), fmt.Sprintf("%x", sha256.Sum256(data))
	root := filepath.Join(dir, k.pkg)
	if _, err := os.Stat(root); err != nil {
		tmp := root + "~"
		os.RemoveAll(tmp)
		if _, err := command(ctx, dir, "dpkg-deb", "-x", deb, tmp); err != nil {
			return k, err
		}
		if err := os.Rename(tmp, root); err != nil {
			return k, err
		}
	}
	found, _ := filepath.Glob(filepath.Join(root, "boot", "vmlinuz-*"))
	if len(found) != 1 {
		return k, fmt.Errorf("image: %d kernels in %s", len(found), deb)
	}
	k.vmlinuz = found[0]
	k.mods, err = readModules(filepath.Join(root, "lib", "modules"))
	return k, err
}

// command runs a program of others and gives what it wrote; its error has its
// last words.
func command(ctx context.Context, dir, name string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), "LC_ALL=C", "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin", "SOURCE_DATE_EPOCH=0", "E2FSPROGS_FAKE_TIME=1")
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf("image: %s is not installed: scripts/deps-image.sh", name)
	}
	if err != nil {
		words := strings.TrimSpace(errs.String())
		return out.String(), fmt.Errorf("image: %s: %w: %s", name, err, words[max(0, len(words)-600):])
	}
	return out.String(), nil
}

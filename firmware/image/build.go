package image

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"swipewell/firmware/image/plan"
	"swipewell/firmware/update"
	"swipewell/firmware/update/bundle"
)

// Opts of Build.
type Opts struct {
	Board   Board
	Root    string // of the source tree
	Out     string // folder of the image
	Cache   string // where kernels of Debian's are kept
	Keys    string // folder of the key that signs slots; made if there is none
	Version bundle.Version
	Schemas bundle.Schemas
	Overlay string // a file of `go build -overlay`: what this build has, and the tree has not
	Say     func(string)
}

// Manifest says what an image is made of.
type Manifest struct {
	Board   string   `json:"board"`
	Version string   `json:"version"`
	Kernel  string   `json:"kernel"`
	Sum     string   `json:"kernel_sha256"` // of Debian's package
	Modules []string `json:"modules"`
	Sizes   Sizes    `json:"bytes"`
	Slot    string   `json:"slot_sha256"`
}

// Sizes of the parts.
type Sizes struct {
	Kernel  int64 `json:"kernel"`
	Archive int64 `json:"archive"`
	Posd    int64 `json:"posd"`
	Init    int64 `json:"init"`
	Slot    int64 `json:"slot"`
}

// Files of an image's folder.
const (
	KernelFile   = "vmlinuz"
	ArchiveFile  = "root.cpio"
	SlotFile     = "slot.fit"
	DiskFile     = "disk.img"
	EnvFile      = "env.img"     // U-Boot's first environment, for the second flash chip
	ControlFile  = "control.dtb" // U-Boot's device tree, with the public key in it
	ManifestFile = "manifest.json"
)

// Build makes an image.
func Build(ctx context.Context, o Opts) (m Manifest, err error) {
	if o.Say == nil {
		o.Say = func(string) {}
	}
	if err := os.MkdirAll(o.Out, 0o755); err != nil {
		return m, err
	}
	k, err := fetch(ctx, o.Board, o.Cache, o.Say)
	if err != nil {
		return m, err
	}
	for _, cmd := range []string{"init", "posd"} {
		o.Say("building " + cmd)
		if err := o.compile(ctx, cmd); err != nil {
			return m, err
		}
	}
	posd, err := os.ReadFile(o.path("posd"))
	if err != nil {
		return m, err
	}
	archive, modules, err := o.archive(k, posd)
	if err != nil {
		return m, err
	}
	linux, err := os.ReadFile(k.vmlinuz)
	if err != nil {
		return m, err
	}
	initSize, err := os.Stat(o.path("init"))
	if err != nil {
		return m, err
	}
	m = Manifest{Board: o.Board.Name, Version: o.Version.String(), Kernel: k.pkg, Sum: k.sum, Modules: modules,
		Sizes: Sizes{Kernel: int64(len(linux)), Archive: int64(len(archive)), Posd: int64(len(posd)), Init: initSize.Size()}}
	if err := errors.Join(os.WriteFile(o.path(KernelFile), linux, 0o644), os.WriteFile(o.path(ArchiveFile), archive, 0o644)); err != nil {
		return m, err
	}
	o.Say("signing the slot")
	if err := o.loader(ctx); err != nil {
		return m, err
	}
	slot, err := o.sign(ctx, linux, archive, SlotFile, true)
	if err != nil {
		return m, err
	}
	m.Sizes.Slot, m.Slot = int64(len(slot)), fmt.Sprintf("%x", sha256.Sum256(slot))
	o.Say("making the disk")
	if err := o.disk(ctx, slot); err != nil {
		return m, err
	}
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return m, err
	}
	return m, os.WriteFile(o.path(ManifestFile), append(b, '\n'), 0o644)
}

// Other gives a slot as Build makes it, with another program in posd's place: what
// an update would bring. pkg and ldflags name the program; "" keeps posd. It is
// signed with the key in o.Keys, which the loader of the image does not learn of.
func Other(ctx context.Context, o Opts, pkg, ldflags string) ([]byte, error) {
	k, err := fetch(ctx, o.Board, o.Cache, func(string) {})
	if err != nil {
		return nil, err
	}
	program := o.path("posd")
	if pkg != "" {
		if program, err = filepath.Abs(o.path("other")); err != nil {
			return nil, err
		}
		if err := o.build(ctx, program, pkg, ldflags); err != nil {
			return nil, err
		}
		defer os.Remove(program)
	}
	b, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	if err := signingKey(o.Keys); err != nil {
		return nil, err
	}
	archive, _, err := o.archive(k, b)
	if err != nil {
		return nil, err
	}
	linux, err := os.ReadFile(k.vmlinuz)
	if err != nil {
		return nil, err
	}
	defer os.Remove(o.path("other.fit"))
	return o.sign(ctx, linux, archive, "other.fit", false)
}

func (o Opts) path(name string) string { return filepath.Join(o.Out, name) }

// compile builds one of our commands for the board: the same bytes from the same
// tree, wherever it stands.
func (o Opts) compile(ctx context.Context, cmd string) error {
	out, err := filepath.Abs(o.path(cmd))
	if err != nil {
		return err
	}
	return o.build(ctx, out, "./firmware/cmd/"+cmd, "-X main.version="+o.Version.String())
}

func (o Opts) build(ctx context.Context, out, pkg, ldflags string) error {
	flags, err := os.ReadFile(filepath.Join(o.Root, "scripts", "gcflags"))
	if err != nil {
		return err
	}
	args := []string{"CGO_ENABLED=0", "GOOS=linux", "GOARCH=" + o.Board.GoArch, "GOARM=7", "go", "build", "-trimpath", "-buildvcs=false", "-ldflags",
		"-s -w -buildid= " + ldflags}
	args = append(args, strings.Fields(string(flags))...)
	if o.Overlay != "" {
		args = append(args, "-overlay", o.Overlay)
	}
	args = append(args, "-o", out, pkg)
	_, err = command(ctx, o.Root, "env", args...)
	return err
}

// archive is the root of a slot.
func (o Opts) archive(k kernel, posd []byte) ([]byte, []string, error) {
	first, err := os.ReadFile(o.path("init"))
	if err != nil {
		return nil, nil, err
	}
	want := slices.Clone(o.Board.Modules)
	modules, err := Order(want, k.mods.builtin, k.mods.needs)
	if err != nil {
		return nil, nil, err
	}
	p := o.Board.plan(o.Version.String(), modules)
	if err := p.Check(); err != nil {
		return nil, nil, err
	}
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return nil, nil, err
	}
	nodes := []Node{
		// Last what each build changes, the largest at the end: all before it stays in
		// its blocks. ADR 47.
		{Path: "init", Mode: progMode, Data: first, Late: 1},
		{Path: strings.TrimPrefix(plan.File, "/"), Mode: fileMode, Data: append(text, '\n'), Late: 1},
		{Path: "bin/posd", Mode: progMode, Data: posd, Late: 2},
		{Path: "etc/passwd", Mode: fileMode, Data: fmt.Appendf(nil, "root:x:0:0::/:\nposd:x:%d:%d::/:\n", posdUser, posdUser)},
		{Path: "etc/group", Mode: fileMode, Data: fmt.Appendf(nil, "root:x:0:\nposd:x:%d:\n", posdUser)},
		{Path: "dev/console", Mode: charMode, Major: 5, Minor: 1},
	}
	for _, d := range []string{"proc", "sys", "run", "data", "tmp"} {
		nodes = append(nodes, Node{Path: d, Mode: dirMode})
	}
	for _, m := range modules {
		b, err := os.ReadFile(k.mods.files[m])
		if err != nil {
			return nil, nil, err
		}
		nodes = append(nodes, Node{Path: "lib/modules/" + m + ".ko", Mode: fileMode, Data: b})
	}
	a, err := Archive(nodes)
	return a, modules, err
}

// pack is gzip without a name or a time.
func pack(b []byte) ([]byte, error) {
	var out strings.Builder
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	err = w.Close()
	return []byte(out.String()), err
}

// disk writes the whole disk: slot A has the build, B nothing; the boot record
// says so.
func (o Opts) disk(ctx context.Context, slot []byte) error {
	tmp := o.path(DiskFile + "~")
	os.Remove(tmp)
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer os.Remove(tmp)
	defer f.Close()
	if err := f.Truncate(DiskSize); err != nil {
		return err
	}
	front, back := Table(DiskSize, Parts)
	if _, err := f.WriteAt(front, 0); err != nil {
		return err
	}
	if _, err := f.WriteAt(back, DiskSize-int64(len(back))); err != nil {
		return err
	}
	if _, err := f.WriteAt(slot, Parts[0].Offset()); err != nil {
		return err
	}
	first := update.First(update.Image{Version: o.Version, Size: int64(len(slot)), Sum: sha256.Sum256(slot), Schemas: o.Schemas})
	port := update.UBoot{M: section{f, Parts[2]}, Size: EnvSize}
	if err := errors.Join(port.Save(first), port.Keep(first)); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	data := Parts[3]
	// Its own bytes and times are fixed; the journal holds a store's commits.
	if _, err := command(ctx, o.Out, "mkfs.ext4", "-q", "-F", "-b", "4096", "-J", "size=4", "-m", "0", "-U", fsUUID, "-L", "data",
		"-E", fmt.Sprintf("offset=%d,hash_seed=%s,lazy_itable_init=0,lazy_journal_init=0,nodiscard,root_owner=0:0", data.Offset(), fsUUID),
		DiskFile+"~", fmt.Sprint(data.Size()/4096)); err != nil {
		return err
	}
	return os.Rename(tmp, o.path(DiskFile))
}

const fsUUID = "5bd1a2c4-8583-4e77-9a57-00005357454c"

// section is one partition of a disk in a file.
type section struct {
	f *os.File
	p Part
}

func (s section) ReadAt(b []byte, off int64) (int, error) {
	return io.NewSectionReader(s.f, s.p.Offset(), s.p.Size()).ReadAt(b, off)
}

func (s section) WriteAt(b []byte, off int64) (int, error) {
	if off < 0 || off+int64(len(b)) > s.p.Size() {
		return 0, fmt.Errorf("image: %d bytes at %d do not fit in %s", len(b), off, s.p.Name)
	}
	return s.f.WriteAt(b, s.p.Offset()+off)
}

func (s section) Sync() error { return s.f.Sync() }

// Try writes a slot's bytes to slot B of a disk and puts it on trial, as an update
// does.
func Try(disk string, slot []byte, i update.Image) error {
	f, err := os.OpenFile(disk, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := (section{f, Parts[1]}).WriteAt(slot, 0); err != nil {
		return err
	}
	port := update.UBoot{M: section{f, Parts[2]}, Size: EnvSize}
	r, err := port.Load()
	if err != nil {
		return err
	}
	i.Size, i.Sum = int64(len(slot)), sha256.Sum256(slot)
	r.Images[update.B] = i
	r.Order, r.Left, r.Trial = []update.Slot{update.B, update.A}, [2]int{update.Tries, update.Tries}, update.B
	return port.Save(r)
}

// Record reads the boot record of a disk.
func Record(disk string) (update.Record, error) {
	f, err := os.Open(disk)
	if err != nil {
		return update.Record{}, err
	}
	defer f.Close()
	return update.UBoot{M: section{f, Parts[2]}, Size: EnvSize}.Load()
}

// ReadManifest of an image's folder.
func ReadManifest(dir string) (m Manifest, err error) {
	b, err := os.ReadFile(filepath.Join(dir, ManifestFile))
	if err != nil {
		return m, fmt.Errorf("image: %w: make image", err)
	}
	return m, json.Unmarshal(b, &m)
}

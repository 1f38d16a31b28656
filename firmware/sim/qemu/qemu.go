// Package qemu is the device as a virtual machine: the disk of an image, started
// by its loader, with the bench's world on its serial ports.
//
// Sources:
//   - QEMU: qemu-system(1) 7.2; docs/interop/qmp-spec.txt; the event VSERPORT_CHANGE
//   - WIRE: firmware/doc/image.md, "The bench around it"
//
// Each pseudo-terminal of the bench is the other end of a UART: QEMU opens it in
// posd's place. Each unix socket is a port of a virtio console, and is connected
// when a program on the device opens the port, and hung up when that one ends:
// as if posd had opened the socket itself.
package qemu

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"swipewell/firmware/image"
	"swipewell/firmware/image/plan"
)

// Opts of New.
type Opts struct {
	Image  string // folder of the image
	Direct bool   // start the kernel of the image without its loader
}

// Machine is a device on QEMU, one at a time.
type Machine struct {
	o     Opts
	board image.Board
	qmp   *qmp
}

// New checks that the image is there.
func New(o Opts) (*Machine, error) {
	m, err := image.ReadManifest(o.Image)
	if err != nil {
		return nil, err
	}
	b, err := image.Find(m.Board)
	if err != nil {
		return nil, err
	}
	_, missing := exec.LookPath(b.QEMU)
	if missing == nil && !o.Direct {
		_, missing = os.Stat(b.UBoot)
	}
	if missing != nil {
		return nil, fmt.Errorf("qemu: %w: scripts/deps-image.sh", missing)
	}
	if o.Image, err = filepath.Abs(o.Image); err != nil {
		return nil, err
	}
	return &Machine{o: o, board: b}, nil
}

// Disk is the disk of the device whose world is in dir.
func (m *Machine) Disk(dir string) string { return filepath.Join(dir, "qemu", "disk.img") }

// Prepare makes the disk of the world in dir, unless there is one.
func (m *Machine) Prepare(dir string) error {
	if err := os.MkdirAll(filepath.Dir(m.Disk(dir)), 0o700); err != nil {
		return err
	}
	if _, err := os.Stat(m.Disk(dir)); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return copySparse(filepath.Join(m.o.Image, image.DiskFile), m.Disk(dir))
}

// Command is QEMU, not started yet, for the world in dir: its board file and what
// that names go onto a second disk, anew at each start, and the first keeps what
// the device wrote. What the console says goes to its standard error.
func (m *Machine) Command(dir string) (*exec.Cmd, error) {
	sub := filepath.Join(dir, "qemu")
	if err := m.Prepare(dir); err != nil {
		return nil, err
	}
	bench, err := pack(dir)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(sub, "bench.tar"), bench, 0o600); err != nil {
		return nil, err
	}
	c := exec.Command(m.board.QEMU, m.words(dir, sub)...)
	m.Close()
	m.qmp = follow(filepath.Join(sub, "qmp"), streams(dir, sub))
	return c, nil
}

// words are QEMU's.
func (m *Machine) words(dir, sub string) []string {
	file := func(name string) string { return filepath.Join(m.o.Image, name) }
	w := append(slices.Clone(m.board.Machine), "-nodefaults", "-display", "none",
		"-chardev", "file,id=con,path=/dev/stderr,logappend=on,logfile="+filepath.Join(sub, "console.log"), "-serial", "chardev:con",
		"-qmp", "unix:"+filepath.Join(sub, "qmp")+",server=on,wait=off",
		"-drive", "if=none,id=d0,format=raw,cache=writethrough,file="+m.Disk(dir), "-device", "virtio-blk-pci,drive=d0,addr=2",
		"-drive", "if=none,id=d1,format=raw,readonly=on,file="+filepath.Join(sub, "bench.tar"), "-device", "virtio-blk-pci,drive=d1,addr=3",
		"-device", "virtio-rng-pci,addr=4", "-device", "virtio-serial-pci,addr=5", "-device", "i6300esb,addr=6", "-watchdog-action", "reset")
	if m.o.Direct {
		w = append(w, "-kernel", file(image.KernelFile), "-initrd", file(image.ArchiveFile), "-append", "console="+m.board.Console+" quiet panic=1 swipewell.slot=A")
	} else {
		w = append(w, "-bios", m.board.UBoot, "-dtb", file(image.ControlFile), "-drive", "if=pflash,index=1,format=raw,readonly=on,file="+file(image.EnvFile))
	}
	for i, p := range image.Ports {
		tty, err := filepath.EvalSymlinks(filepath.Join(dir, p))
		back := fmt.Sprintf("serial,id=u%d,path=%s", i, tty)
		if err != nil { // the bench has none of these: a line with nobody at its end
			back = fmt.Sprintf("null,id=u%d", i)
		}
		w = append(w, "-chardev", back, "-device", fmt.Sprintf("pci-serial,chardev=u%d,addr=%d", i, 8+i))
	}
	for i, s := range image.Streams {
		w = append(w, "-chardev", fmt.Sprintf("socket,id=p%d,server=on,wait=off,path=%s", i, filepath.Join(sub, s)),
			"-device", fmt.Sprintf("virtserialport,chardev=p%d,id=%s,name=%s,nr=%d", i, s, s, i+1))
	}
	return w
}

// Stop presses the power key.
func (m *Machine) Stop(*exec.Cmd) error {
	if m.qmp == nil {
		return errors.New("qemu: no machine was started")
	}
	return m.qmp.send("system_powerdown")
}

// Slots are the disk's, as the board file names them.
func (m *Machine) Slots() string {
	if m.o.Direct {
		return ""
	}
	return image.UpdateText
}

// Close ends what follows the machine.
func (m *Machine) Close() {
	if m.qmp != nil {
		m.qmp.close()
	}
}

// streams are the sockets of a world, by the port that stands for each.
func streams(dir, sub string) map[string][2]string {
	all := map[string][2]string{}
	for _, s := range image.Streams {
		all[s] = [2]string{filepath.Join(dir, s), filepath.Join(sub, s)}
		if s == image.ServiceStream {
			all[s] = [2]string{filepath.Join(dir, "data", s), filepath.Join(sub, s)}
		}
	}
	return all
}

// maxFile bounds a file of the world that goes to the device.
const maxFile = 1 << 20

// pack is the tar of a world's files as the device finds them under image.Bench:
// the board file with the paths that they have there, and links from the bench's
// ports to the device's.
func pack(dir string) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		st, err := os.Stat(filepath.Join(dir, e.Name()))
		if err != nil || !st.Mode().IsRegular() || st.Size() > maxFile {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		if e.Name() == "bench.toml" {
			b = []byte(paths(string(b), dir))
		}
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: e.Name(), Size: int64(len(b)), Mode: 0o644}); err != nil {
			return nil, err
		}
		if _, err := w.Write(b); err != nil {
			return nil, err
		}
	}
	link := func(name, to string) error {
		return w.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: to, Mode: 0o777})
	}
	for i, p := range image.Ports {
		if err := link(p, fmt.Sprintf("/dev/ttyS%d", i)); err != nil {
			return nil, err
		}
	}
	for _, s := range image.Streams {
		if err := link(s, plan.StreamDir+"/"+s); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// paths turns a board file of the bench into the device's: keys live where they
// can be written, everything else is the bench's.
func paths(board, dir string) string {
	return strings.NewReplacer(filepath.Join(dir, "keys.json"), "/data/keys/keys.json", dir+"/data", "/data/posd", dir+"/", image.Bench+"/").Replace(board)
}

// copySparse copies a file and leaves out blocks of zeros.
func copySparse(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return fmt.Errorf("qemu: %w: make image", err)
	}
	defer in.Close()
	st, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.OpenFile(to+"~", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	if err := out.Truncate(st.Size()); err != nil {
		return err
	}
	b, zero := make([]byte, 64<<10), make([]byte, 64<<10)
	for off := int64(0); ; off += int64(len(b)) {
		n, err := in.ReadAt(b, off)
		if n > 0 && !bytes.Equal(b[:n], zero[:n]) {
			if _, err := out.WriteAt(b[:n], off); err != nil {
				return err
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if err := out.Close(); err != nil {
		return err
	}
	return os.Rename(to+"~", to)
}

package image

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"swipewell/firmware/image/plan"
)

// Board is a kind of device that an image can be built for.
type Board struct {
	Name    string
	GoArch  string // GOARCH; GOARM is 7
	DebArch string // Debian's name of it
	Kernel  string // Debian's package that needs the newest kernel's
	Modules []string
	UBoot   string // the loader's binary, unchanged from Debian's package
	FIT     string // U-Boot's name of the architecture
	// Load is where the loader puts the kernel, Tree the device tree. A kernel that
	// unpacks itself (Zipped) is not packed once more, and must lie clear of where it
	// unpacks to: the start of RAM.
	Load, Tree uint32
	Zipped     bool
	QEMU       string // the program
	// Machine are QEMU's words for the machine. The device tree is dumped with the
	// very same ones: with others, the kernel finds devices where there are none.
	Machine []string
	Console string
}

// posdUser is whom posd becomes: the only user beside root.
const posdUser = 1000

// common modules of the boards: block and console over virtio, the data
// partition's file system (whose checksum it would ask modprobe for), watchdogs, the power key, entropy.
var common = []string{"virtio_pci", "virtio_blk", "virtio_console", "crc32c_generic", "ext4", "softdog", "evdev", "gpio_keys", "virtio_rng"}

var boards = []Board{
	{Name: "qemu-arm64", GoArch: "arm64", DebArch: "arm64", Kernel: "linux-image-arm64", Modules: append([]string{"i6300esb"}, common...),
		UBoot: "/usr/lib/u-boot/qemu_arm64/u-boot.bin", FIT: "arm64", Load: 0x4040_0000, Tree: 0x4400_0000, QEMU: "qemu-system-aarch64",
		Machine: []string{"-M", "virt,acpi=off,dtb-randomness=off", "-cpu", "cortex-a53", "-m", "256"}, Console: "ttyAMA0"},
	{Name: "qemu-armv7", GoArch: "arm", DebArch: "armhf", Kernel: "linux-image-armmp", Modules: common,
		UBoot: "/usr/lib/u-boot/qemu_arm/u-boot.bin", FIT: "arm", Load: 0x4300_0000, Tree: 0x4400_0000, Zipped: true, QEMU: "qemu-system-arm", Machine: []string{"-M", "virt,acpi=off,highmem=off,dtb-randomness=off", "-cpu", "cortex-a7", "-m", "256"}, Console: "ttyAMA0"},
}

// Find a board by its name.
func Find(name string) (Board, error) {
	var names []string
	for _, b := range boards {
		if b.Name == name {
			return b, nil
		}
		names = append(names, b.Name)
	}
	return Board{}, fmt.Errorf("image: no board %q; there are %s", name, strings.Join(names, ", "))
}

// Ports of the virtual bench on a QEMU board, in the order of their UARTs.
var Ports = []string{"msr", "icc", "modem", "service"}

// Streams are its sockets: ports of a virtio console in this order. The device
// opens them, but for ServiceStream, where the bench asks posd's service socket.
var Streams = []string{"panel.sock", "icc.lines", ServiceStream}

// ServiceStream is the port behind which posd's service socket is.
const ServiceStream = "posd.sock"

// Bench is where the bench's files are on the device.
const Bench = "/run/bench"

// Partitions of the disk, as the device sees them.
const (
	slotADevice = "/dev/vda1"
	slotBDevice = "/dev/vda2"
	stateDevice = "/dev/vda3"
	dataDevice  = "/dev/vda4"
	benchDevice = "/dev/vdb"
)

// UpdateText is the lines of a board file's [update] that say where slots and boot
// record are.
const UpdateText = "port = \"uboot\"\nstate = \"" + stateDevice + "\"\nslots = [\"" + slotADevice + "\", \"" + slotBDevice + "\"]\n"

// plan of this board's image.
func (b Board) plan(version string, modules []string) plan.Plan {
	p := plan.Plan{
		Version: version,
		Data:    plan.Mount{Device: dataDevice, Dir: "/data", Type: "ext4", Flags: []string{"nosuid", "nodev", "noexec", "noatime"}, Data: "errors=remount-ro"},
		Bench:   benchDevice,
		Seed:    []plan.Seed{{From: Bench + "/keys.json", To: "/data/keys/keys.json"}},
		Own:     []string{slotADevice, slotBDevice, stateDevice},
		User:    posdUser,
		Posd:    []string{"/bin/posd", "--board", Bench + "/bench.toml", "--data", "/data/posd"},
		Start:   plan.Duration(30 * time.Second), Life: plan.Duration(20 * time.Second),
		Watchdogs: []string{"/dev/watchdog0", "/dev/watchdog1"}, Timeout: plan.Duration(5 * time.Second),
	}
	for i := range Ports {
		p.Own = append(p.Own, fmt.Sprintf("/dev/ttyS%d", i))
	}
	p.Streams, p.Relay = Streams, []plan.Relay{{Stream: ServiceStream, Socket: "/data/posd/posd.sock"}}
	for _, m := range modules {
		p.Modules = append(p.Modules, m+".ko")
	}
	p.Own = slices.Clip(p.Own)
	return p
}

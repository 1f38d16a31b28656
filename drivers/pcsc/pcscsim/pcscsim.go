// Package pcscsim runs a real pcscd with vsmartcard's virtual reader in network
// and mount namespaces of its own, so that neither its socket nor its TCP port,
// which listens on every address, is seen by anyone else.
//
// Sources:
//   - PCSCD: pcscd(8), pcsc-lite 1.9.9; reader.conf(5)
//   - VPCD: vsmartcard's vpcd, "Virtual PCD" of its reader.conf
package pcscsim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"swipewell/hal"
)

// driver is where Debian puts the virtual reader.
const driver = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"

// Missing says what is not there to run one, as a skipped test does, or "".
func Missing() string {
	for _, tool := range []string{"pcscd", "unshare", "ip", "mount"} {
		if _, err := exec.LookPath(tool); err != nil {
			return "needs " + tool
		}
	}
	if _, err := os.Stat(driver); err != nil {
		return "needs vsmartcard-vpcd"
	}
	if os.Geteuid() != 0 {
		return "needs root"
	}
	if err := exec.Command("unshare", "-n", "-m", "true").Run(); err != nil {
		return "kernel: no namespaces of its own for pcscd"
	}
	return ""
}

// Daemon is a running pcscd.
type Daemon struct {
	cmd  *exec.Cmd
	done chan struct{}
	netn *os.File // its network namespace
}

// Start runs one; dir holds its configuration.
func Start(ctx context.Context, dir string) (*Daemon, error) {
	conf := fmt.Sprintf("FRIENDLYNAME \"Virtual PCD\"\nDEVICENAME /dev/null:0x8C7B\nLIBPATH %s\nCHANNELID 0x8C7B\n", driver)
	if err := os.WriteFile(filepath.Join(dir, "vpcd"), []byte(conf), 0o600); err != nil {
		return nil, err
	}
	d := &Daemon{cmd: exec.Command("unshare", "-n", "-m", "sh", "-c", "ip link set lo up && mkdir -p /run/pcscd && mount -t tmpfs none /run/pcscd && exec pcscd -f -c '"+dir+"'"), done: make(chan struct{})}
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { d.cmd.Wait(); close(d.done) }()
	for range 500 {
		if c, err := net.Dial("unix", d.Socket()); err == nil {
			c.Close()
			d.netn, err = os.Open(fmt.Sprintf("/proc/%d/ns/net", d.cmd.Process.Pid))
			return d, err
		}
		select {
		case <-d.done:
			return nil, fmt.Errorf("pcscsim: pcscd ended: %v", d.cmd.ProcessState)
		default:
		}
		if err := hal.Sleep(ctx, hal.SystemClock{}, 10*time.Millisecond); err != nil {
			break
		}
	}
	d.Stop()
	return nil, errors.New("pcscsim: pcscd does not listen")
}

// Socket is the daemon's, seen from here.
func (d *Daemon) Socket() string {
	return fmt.Sprintf("/proc/%d/root/run/pcscd/pcscd.comm", d.cmd.Process.Pid)
}

// Dial connects to the virtual reader, inside the daemon's network namespace:
// put a card there with vpcdsim.Serve.
func (d *Daemon) Dial() (net.Conn, error) {
	runtime.LockOSThread()
	home, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return nil, err
	}
	defer home.Close()
	if err := unix.Setns(int(d.netn.Fd()), unix.CLONE_NEWNET); err != nil {
		return nil, err
	}
	c, err := net.Dial("tcp", "127.0.0.1:35963")
	// Back home, and not away with the thread: the daemon was perhaps begun by
	// it, and would end with it (Pdeathsig).
	if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
		return nil, back
	}
	runtime.UnlockOSThread()
	return c, err
}

// Stop ends the daemon.
func (d *Daemon) Stop() {
	d.cmd.Process.Signal(syscall.SIGTERM)
	late, stop := hal.After(hal.SystemClock{}, 3*time.Second)
	defer stop()
	select {
	case <-d.done:
	case <-late:
		d.cmd.Process.Kill()
		<-d.done
	}
	if d.netn != nil {
		d.netn.Close()
	}
}

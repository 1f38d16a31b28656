package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"swipewell/firmware/jail"
	"swipewell/hal"
)

// A copy of 33 to 64 bytes goes through X0 to X3: its first and its last 32 bytes lie
// side by side in the frame of a signal that comes right behind it.
const copied = 37

// from and to are of a length that the compiler does not know: runtime.memmove copies.
var from, to = make([]byte, copied), make([]byte, copied)

// veil hides the pattern in this test's own variables.
const veil = 0xA5

// TestSweep: the frame of a signal that came while a track was in the registers is
// written over, also on the thread that sweeps, which AllThreadsSyscall leaves out.
func TestSweep(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var veiled [copied]byte
	for i := range veiled {
		veiled[i] = byte(i*7+i*i*3) ^ 0x3C
	}
	for i := range from {
		from[i] = veiled[i] ^ veil
	}
	copy(to, from)
	syscall.RawSyscall(syscall.SYS_TGKILL, uintptr(syscall.Getpid()), uintptr(syscall.Gettid()), uintptr(syscall.SIGURG))
	quiet(t, unix.SIG_BLOCK) // no later signal does what sweep is to do
	clear(from)
	clear(to)
	hal.Scrub()
	if left(t, veiled[copied-32:]) == 0 {
		t.Fatal("the signal left nothing: this test sees nothing")
	}
	for waits := true; waits; waits = taken() { // nor one that has been waiting
	}
	quiet(t, unix.SIG_UNBLOCK)
	sweep()
	quiet(t, unix.SIG_BLOCK)
	defer quiet(t, unix.SIG_UNBLOCK)
	if n := left(t, veiled[copied-32:]); n != 0 {
		t.Errorf("the track is left %d times", n)
	}
}

// TestSteady: the runtime keeps no registers of a goroutine that it stopped while a
// track went through them. Without jail.Steady it does, and sweep does not reach them.
func TestSteady(t *testing.T) {
	const mode = "SWIPEWELL_TEST_STEADY"
	switch os.Getenv(mode) {
	case "plain":
		for range 10_000 {
			if interrupted(t) > 0 {
				t.Fatal("left")
			}
		}
	case "steady":
		if err := jail.Steady(); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if interrupted(t) > 0 {
				t.Fatal("left")
			}
		}
	default:
		for _, way := range []string{"plain", "steady"} {
			c := exec.Command(os.Args[0], "-test.run=^TestSteady$")
			c.Env = append(os.Environ(), mode+"="+way, "GODEBUG=asyncpreemptoff=0")
			out, err := c.CombinedOutput()
			switch {
			case way == "plain" && err == nil:
				t.Error("the runtime leaves nothing: this test sees nothing")
			case way == "plain" && !strings.Contains(string(out), ": left"), way == "steady" && err != nil:
				t.Errorf("%s: %v\n%s", way, err, out)
			}
		}
	}
}

// interrupted copies a track again and again while the collector stops whoever runs,
// wipes it as posd does, and counts what is left.
func interrupted(t *testing.T) int {
	var veiled [copied]byte
	for i := range veiled {
		veiled[i] = byte(i*7+i*i*3) ^ 0x3C
		from[i] = veiled[i] ^ veil
	}
	var stop atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // Scrub is for the thread that copied
		defer runtime.UnlockOSThread()
		defer hal.Scrub()
		for i := 0; !stop.Load(); i++ {
			copy(to, from)
			if i%0x1000 == 0 {
				runtime.Gosched()
			}
		}
	}()
	for range 5 {
		runtime.GC()
	}
	stop.Store(true)
	<-done
	clear(from)
	clear(to)
	hal.Scrub()
	sweep()
	return left(t, veiled[copied-16:])
}

// quiet blocks or unblocks the signals by which the runtime interrupts this thread.
func quiet(t *testing.T, how int) {
	t.Helper()
	set := urgent()
	if err := unix.PthreadSigmask(how, &set, nil); err != nil {
		t.Fatal(err)
	}
}

// taken takes a signal that waits, without its handler; false: none does.
func taken() bool {
	set, now := urgent(), unix.Timespec{}
	_, _, e := syscall.RawSyscall6(unix.SYS_RT_SIGTIMEDWAIT, uintptr(unsafe.Pointer(&set)), 0, uintptr(unsafe.Pointer(&now)), 8, 0, 0)
	return e == 0
}

func urgent() (set unix.Sigset_t) {
	set.Val[0] = 1 << (unix.SIGURG - 1)
	return set
}

// left counts a veiled pattern in the memory of this process.
func left(t *testing.T, veiled []byte) (n int) {
	t.Helper()
	mem, err := os.Open("/proc/self/mem")
	if err != nil {
		t.Skip(err)
	}
	defer mem.Close()
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		t.Skip(err)
	}
	defer maps.Close()
	buf := make([]byte, 64<<10)
	defer clear(buf)
	own := int64(uintptr(unsafe.Pointer(&buf[0])))
	for sc := bufio.NewScanner(maps); sc.Scan(); {
		var a, b int64
		var perm string
		if _, err := fmt.Sscanf(sc.Text(), "%x-%x %s", &a, &b, &perm); err != nil || !strings.HasPrefix(perm, "rw") {
			continue
		}
		for at := a; at < b; at += int64(len(buf) - len(veiled)) {
			k, _ := mem.ReadAt(buf[:min(int64(len(buf)), b-at)], at)
			for i := 0; i+len(veiled) <= k; i++ {
				if where := at + int64(i); where >= own-int64(len(veiled)) && where < own+int64(len(buf)) {
					continue // the copy that is being looked at
				}
				same := true
				for j, c := range veiled {
					if buf[i+j] != c^veil {
						same = false
						break
					}
				}
				if same {
					n++
				}
			}
			clear(buf)
		}
	}
	return n
}

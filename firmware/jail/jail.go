// Package jail takes from a process what it no longer needs: its user, new
// privileges, other programs, most system calls, the file system outside its own
// folders, its core dump. It is for a process that has opened its devices and will
// meet the world's bytes from now on.
//
// Sources:
//   - SECCOMP: seccomp(2), Linux Documentation/userspace-api/seccomp_filter.rst
//   - LANDLOCK: landlock(7), Linux Documentation/userspace-api/landlock.rst
//   - PRCTL: prctl(2), PR_SET_NO_NEW_PRIVS, PR_SET_DUMPABLE
//   - CAP: capabilities(7)
//
// Linux only, without cgo: the calls that are a thread's own (CAP, LANDLOCK) are
// made by every thread.
package jail

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Hush ends core dumps and other processes' looking in: no core, no ptrace and no
// /proc/PID/mem but for root. The first thing that a process does, after [Steady].
func Hush() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("jail: core limit: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("jail: dumpable: %w", err)
	}
	return nil
}

// Steady starts this program once more in this process, with the runtime told not
// to stop a goroutine between two calls: where it keeps the registers meanwhile,
// nobody can wipe (ADR 0027; package runtime, GODEBUG asyncpreemptoff). It comes
// back where that is so already, or with an error. Before the first goroutine.
func Steady() error {
	const off = "asyncpreemptoff=1"
	was := os.Getenv("GODEBUG")
	if strings.HasSuffix(","+was, ","+off) { // the last word on a thing counts
		return nil
	}
	exe, err := os.Executable()
	if err == nil {
		err = os.Setenv("GODEBUG", strings.TrimPrefix(was+","+off, ","))
	}
	if err == nil {
		err = syscall.Exec(exe, os.Args, os.Environ())
	}
	return fmt.Errorf("jail: start again: %w", err)
}

// User to become.
type User struct {
	Name string
	Own  []string // folders that become this user's, with all in them; missing ones are skipped
	Time bool     // keep the right to set the clock (CAP_SYS_TIME), and no other
}

// ErrRoot says that a process which was to become a user is root still.
var ErrRoot = errors.New("jail: still root")

// Become gives up root for a user and its groups; it comes back from this only
// as that user, or with an error. Who is not root already stays who they are.
func (u User) Become() error {
	if os.Geteuid() != 0 {
		return nil
	}
	who, err := user.Lookup(u.Name)
	if err != nil {
		return fmt.Errorf("jail: %w", err)
	}
	uid, err1 := strconv.Atoi(who.Uid)
	gid, err2 := strconv.Atoi(who.Gid)
	names, err3 := who.GroupIds()
	if err := errors.Join(err1, err2, err3); err != nil {
		return fmt.Errorf("jail: user %s: %w", u.Name, err)
	}
	if uid == 0 {
		return fmt.Errorf("%w: user %s has id 0", ErrRoot, u.Name)
	}
	var groups []int
	for _, n := range names {
		g, err := strconv.Atoi(n)
		if err != nil {
			return fmt.Errorf("jail: group %s: %w", n, err)
		}
		groups = append(groups, g)
	}
	for _, dir := range u.Own {
		if err := give(dir, uid, gid); err != nil {
			return fmt.Errorf("jail: %w", err)
		}
	}
	for c := range uintptr(64) { // of those that the kernel does not know, it says so
		if err := all(unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, c, 0); err != nil && !errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("jail: capability %d: %w", c, err)
		}
	}
	if u.Time {
		if err := all(unix.SYS_PRCTL, unix.PR_SET_KEEPCAPS, 1, 0); err != nil {
			return fmt.Errorf("jail: keep capabilities: %w", err)
		}
	}
	if err := syscall.Setgroups(groups); err != nil {
		return fmt.Errorf("jail: groups: %w", err)
	}
	if err := syscall.Setgid(gid); err != nil {
		return fmt.Errorf("jail: group: %w", err)
	}
	if err := syscall.Setuid(uid); err != nil {
		return fmt.Errorf("jail: user: %w", err)
	}
	if err := u.capabilities(); err != nil {
		return err
	}
	if os.Getuid() == 0 || os.Geteuid() == 0 || syscall.Setuid(0) == nil {
		return ErrRoot
	}
	return Hush() // a change of user makes a process dumpable as the system has it
}

// capabilities leaves none, or the clock's. CAP, capset(2).
func (u User) capabilities() error {
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if u.Time {
		data[0].Effective, data[0].Permitted = 1<<unix.CAP_SYS_TIME, 1<<unix.CAP_SYS_TIME
	}
	err := all(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&head)), uintptr(unsafe.Pointer(&data)), 0)
	runtime.KeepAlive(&head)
	runtime.KeepAlive(&data)
	if err != nil {
		return fmt.Errorf("jail: capabilities: %w", err)
	}
	return nil
}

// give makes a folder and all in it somebody's; symbolic links are not followed.
func give(dir string, uid, gid int) error {
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, gid)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// all makes a call on every thread. ENOTSUP in a program with cgo.
func all(trap, a1, a2, a3 uintptr) error {
	if _, _, e := syscall.AllThreadsSyscall(trap, a1, a2, a3); e != 0 {
		return e
	}
	return nil
}

// Rules of Lock.
type Rules struct {
	Write   []string // folders and devices in which files may be written
	Program string   // the one program that may be started; "" none
	Clock   bool     // the clock may be set
}

// State is what holds of a jail, in words for the log: what the kernel could not
// give is named in Missing.
type State struct {
	Holds   []string
	Missing []string
}

func (s *State) add(name string, err error) {
	if err != nil {
		s.Missing = append(s.Missing, fmt.Sprintf("%s (%v)", name, err))
		return
	}
	s.Holds = append(s.Holds, name)
}

// String is both in one line.
func (s State) String() string {
	out := strings.Join(s.Holds, ", ")
	if len(s.Missing) > 0 {
		out += "; missing: " + strings.Join(s.Missing, ", ")
	}
	return out
}

// Lock closes the door, for every thread and all that come: no new privileges, the
// file system but Rules.Write closed to writing, and the filter of system calls.
// There is no way back. What a kernel does not have is in the state and not an
// error: a device with an old kernel still sells.
func Lock(r Rules) (s State) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := all(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0)
	if errors.Is(err, unix.ENOTSUP) { // cgo: this thread's; the filter brings it to the others
		err = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	}
	s.add("no new privileges", err)
	s.add("landlock", landlock(r))
	s.add("seccomp", install(Filter(r)))
	return s
}

// install gives every thread a filter. SECCOMP.
func install(f []unix.SockFilter) error {
	prog := unix.SockFprog{Len: uint16(len(f)), Filter: &f[0]}
	tid, _, e := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	runtime.KeepAlive(f)
	switch {
	case e != 0:
		return e
	case tid != 0:
		return fmt.Errorf("thread %d has a filter of its own", tid)
	}
	return nil
}

// writing is all that changes a file system; each kernel knows a part of it.
const writing = unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE |
	unix.LANDLOCK_ACCESS_FS_MAKE_CHAR | unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_SOCK |
	unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK | unix.LANDLOCK_ACCESS_FS_MAKE_SYM

// device is what a file that is no folder can be given.
const device = unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE

// landlock closes the file system to writing and to programs. LANDLOCK.
func landlock(r Rules) error {
	abi, _, e := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if e != 0 {
		return e
	}
	rights := uint64(writing)
	if abi >= 2 {
		rights |= unix.LANDLOCK_ACCESS_FS_REFER // renames from folder to folder
	}
	if abi >= 3 {
		rights |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	attr := unix.LandlockRulesetAttr{Handled_access_fs: rights | unix.LANDLOCK_ACCESS_FS_EXECUTE}
	fd, _, e := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr.Handled_access_fs), 0)
	if e != 0 {
		return e
	}
	defer unix.Close(int(fd))
	allow := func(path string, rights uint64) error {
		at, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
		if errors.Is(err, unix.ENOENT) {
			return nil
		}
		if err != nil {
			return err
		}
		defer unix.Close(at)
		var st unix.Stat_t
		if err := unix.Fstat(at, &st); err != nil {
			return err
		}
		if st.Mode&unix.S_IFMT != unix.S_IFDIR {
			rights &= device | unix.LANDLOCK_ACCESS_FS_EXECUTE
		}
		beneath := unix.LandlockPathBeneathAttr{Allowed_access: rights, Parent_fd: int32(at)}
		if _, _, e := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, fd, unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&beneath)), 0, 0, 0); e != 0 {
			return e
		}
		return nil
	}
	for _, path := range r.Write {
		if err := allow(path, rights); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	if r.Program != "" {
		if err := allow(r.Program, unix.LANDLOCK_ACCESS_FS_EXECUTE); err != nil {
			return fmt.Errorf("%s: %w", r.Program, err)
		}
	}
	return all(unix.SYS_LANDLOCK_RESTRICT_SELF, fd, 0, 0)
}

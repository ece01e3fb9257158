package pgtest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// Kill ends the server and every process of it with SIGKILL, and returns when all are gone: a server that is started
// on the same files before that would not be alone with them.
func (s *Server) Kill(t testing.TB) {
	t.Helper()
	if err := s.kill(); err != nil {
		t.Fatal(err)
	}
}

// kill: each of the server's processes leads a group of its own, so they are found by their parent. The server is
// stopped first and makes no more of them.
func (s *Server) kill() error {
	if s.proc == nil {
		return nil
	}
	_ = s.proc.Signal(syscall.SIGSTOP) // it may be gone
	all := children(s.proc.Pid)
	_ = s.proc.Kill()
	for _, pid := range all {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	<-s.done
	s.proc = nil
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) { // polling other programs
		left := 0
		for _, pid := range all {
			if _, state := process(pid); state != 0 && state != 'Z' && state != 'X' {
				left++
			}
		}
		if left == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("pgtest: %d processes do not end", left)
		}
	}
}

// Close stops the server and removes what it kept.
func (s *Server) Close() {
	if s.proc != nil {
		_ = s.proc.Signal(syscall.SIGQUIT)
		select {
		case <-s.done:
			s.proc = nil
		case <-time.After(10 * time.Second):
			_ = s.kill() // nothing more can be done
		}
	}
	_ = os.RemoveAll(s.dir)
	if s.lock != nil {
		_ = s.lock.Close()
	}
}

// children gives the processes that a process has started.
func children(parent int) (pids []int) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if ppid, _ := process(pid); ppid == parent {
			pids = append(pids, pid)
		}
	}
	return pids
}

// process returns a process's parent and state (proc(5)); zeros if it does not exist.
func process(pid int) (parent int, state byte) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, 0
	}
	// The name is in parentheses, and may have some in it.
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 2 || len(fields[0]) != 1 {
		return 0, 0
	}
	parent, _ = strconv.Atoi(string(fields[1]))
	return parent, fields[0][0]
}

// lockName is a file in a server's directory that its tests' process has locked. If that process ends without Close, as
// a test that has run out of time does, a later process notices it by the lock.
const lockName = "tests.lock"

func (s *Server) mark() (err error) {
	if s.lock, err = os.OpenFile(filepath.Join(s.dir, lockName), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return err
	}
	return syscall.Flock(int(s.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// sweep removes data that killed tests have left.
func sweep() {
	locks, err := filepath.Glob("/tmp/pgtest*/" + lockName)
	if err != nil {
		return
	}
	for _, name := range locks {
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			continue
		}
		info, err := f.Stat()
		// Another process may be about to lock a new file.
		if err == nil && time.Since(info.ModTime()) > time.Minute &&
			syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(filepath.Dir(name)) // or the next one does
		}
		f.Close()
	}
}

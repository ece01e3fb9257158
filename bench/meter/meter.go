// Package meter reads from /proc what a server's processes cost: CPU time and
// memory, of whole process trees.
package meter

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of the times in /proc/PID/stat. USER_HZ is 100 on every
// Linux architecture that Go supports (proc(5)).
const tick = 10 * time.Millisecond

// Tree is a set of processes with all their descendants.
type Tree struct{ Roots []int }

type stat struct {
	ppid int
	cpu  time.Duration // With that of the children already waited for.
}

// parseStat reads one line of /proc/PID/stat (proc(5)).
func parseStat(line []byte) (stat, error) {
	// The command is in parentheses and may hold anything, a ')' included.
	i := bytes.LastIndexByte(line, ')')
	if i < 0 {
		return stat{}, fmt.Errorf("no command in %q", line)
	}
	f := strings.Fields(string(line[i+1:]))
	// f[0] is field 3: state. ppid is field 4, utime stime cutime cstime 14 to 17.
	if len(f) < 15 {
		return stat{}, fmt.Errorf("%d fields in %q", len(f), line)
	}
	var st stat
	var err error
	if st.ppid, err = strconv.Atoi(f[1]); err != nil {
		return stat{}, err
	}
	for _, s := range f[11:15] {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return stat{}, err
		}
		st.cpu += time.Duration(n) * tick
	}
	return st, nil
}

// all returns the stat of every process of the machine.
func all() (map[int]stat, error) {
	dir, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	m := make(map[int]stat)
	for _, e := range dir {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		line, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue // It has just ended.
		}
		st, err := parseStat(line)
		if err != nil {
			return nil, err
		}
		m[pid] = st
	}
	return m, nil
}

// members returns the tree's processes, with an error if a root is gone.
func (t Tree) members() (map[int]stat, error) {
	procs, err := all()
	if err != nil {
		return nil, err
	}
	in := make(map[int]stat)
	for _, pid := range t.Roots {
		st, ok := procs[pid]
		if !ok {
			return nil, fmt.Errorf("process %d has ended", pid)
		}
		in[pid] = st
	}
	for grown := true; grown; {
		grown = false
		for pid, st := range procs {
			_, known := in[pid]
			if _, child := in[st.ppid]; child && !known {
				in[pid], grown = st, true
			}
		}
	}
	return in, nil
}

// CPU returns the user and system time the tree has used so far, to 10 ms per
// process. A child that ends is still counted, through its parent. It fails
// when a root has ended.
func (t Tree) CPU() (time.Duration, error) {
	in, err := t.members()
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, st := range in {
		sum += st.cpu
	}
	return sum, nil
}

// Memory returns the tree's proportional set size in bytes: pages that several
// processes share, like a database's buffers, count once.
func (t Tree) Memory() (int64, error) {
	in, err := t.members()
	if err != nil {
		return 0, err
	}
	var sum int64
	for pid := range in {
		n, err := pss(pid)
		if errors.Is(err, os.ErrNotExist) {
			continue // It has just ended.
		}
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

func pss(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	return parsePss(b)
}

// parsePss reads the Pss line of /proc/PID/smaps_rollup, in bytes.
func parsePss(b []byte) (int64, error) {
	sc := bufio.NewScanner(bytes.NewReader(b))
	for sc.Scan() {
		f := strings.Fields(sc.Text())
		if len(f) == 3 && f[0] == "Pss:" && f[2] == "kB" {
			n, err := strconv.ParseInt(f[1], 10, 64)
			return n << 10, err
		}
	}
	return 0, errors.New("no Pss line in smaps_rollup")
}

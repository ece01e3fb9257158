package meter

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	line := "1234 (a (b) c) S 77 1234 1234 0 -1 4194560 9 8 7 6 100 20 3 1 20 0 1 0 5 6 7"
	st, err := parseStat([]byte(line))
	if err != nil {
		t.Fatal(err)
	}
	if st.ppid != 77 || st.cpu != 124*tick {
		t.Fatalf("got %+v", st)
	}
	for _, bad := range []string{"", "1 (x", "1 (x) S 2 3", "1 (x) S p 0 0 0 0 0 0 0 0 0 1 2 3 4"} {
		if _, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("%q parses", bad)
		}
	}
}

func TestParsePss(t *testing.T) {
	n, err := parsePss([]byte("5-6 ---p 00000000 00:00 0  [rollup]\nRss:  900 kB\nPss:   12 kB\nPss_Anon:  1 kB\n"))
	if err != nil || n != 12<<10 {
		t.Fatalf("got %d, %v", n, err)
	}
	if _, err := parsePss([]byte("Rss: 1 kB\n")); err == nil {
		t.Fatal("a file without Pss parses")
	}
}

// The CPU time of a grandchild counts, while it runs and after it has ended.
func TestTreeCountsDescendants(t *testing.T) {
	// The shell burns in a child of its own, tells, and lives until stdin closes.
	cmd := exec.Command("sh", "-c", `sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done'; echo burnt; read x`)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tree := Tree{Roots: []int{cmd.Process.Pid}}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	cpu, err := tree.CPU()
	if err != nil {
		t.Fatal(err)
	}
	mem, err := tree.Memory()
	if err != nil || mem < 64<<10 {
		t.Errorf("memory of a shell: %d, %v", mem, err)
	}
	in.Close()
	io.Copy(io.Discard, out)
	cmd.Wait()
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if cpu < used-5*tick || cpu > used+5*tick || used == 0 {
		t.Errorf("tree says %v, wait4 says %v", cpu, used)
	}
	if _, err := tree.CPU(); err == nil {
		t.Error("a root that has ended still has CPU time")
	}
}

func TestOwnCPUGrows(t *testing.T) {
	tree := Tree{Roots: []int{os.Getpid()}}
	a, err := tree.CPU()
	if err != nil {
		t.Fatal(err)
	}
	for x, end := 0, time.Now().Add(50*time.Millisecond); time.Now().Before(end); x++ {
		_ = x
	}
	if b, err := tree.CPU(); err != nil || b <= a {
		t.Errorf("CPU went from %v to %v, %v", a, b, err)
	}
}

package pgtest

import (
	"bufio"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const child = "PARLEY_TEST_PGTEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(child) != "" {
		startAndHang()
	}
	Main(m)
}

// startAndHang is a test process that does not end well.
func startAndHang() {
	s, err := Start()
	if err != nil {
		fmt.Println("no:", err)
		os.Exit(0)
	}
	fmt.Println(s.proc.Pid, s.dir)
	select {}
}

func TestKilledServerGoesOn(t *testing.T) {
	s := Fresh(t)
	db, err := sql.Open("pgx", s.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	exec := func(q string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	exec("CREATE TABLE x (n INT8)")
	exec("INSERT INTO x VALUES (42)")
	all := append(children(s.proc.Pid), s.proc.Pid)
	if len(all) < 3 {
		t.Fatalf("a server of %d processes", len(all))
	}
	s.Kill(t)
	ended(t, all)
	if err := s.Run(); err != nil {
		t.Fatal(err)
	}
	var n int
	for range 3 { // a connection of the old server's is found to be dead first
		if err = db.QueryRowContext(t.Context(), "SELECT n FROM x").Scan(&n); err == nil {
			break
		}
	}
	if err != nil || n != 42 {
		t.Errorf("%d, %v", n, err)
	}
	all = append(children(s.proc.Pid), s.proc.Pid)
	s.Close()
	ended(t, all)
	if _, err := os.Stat(s.dir); !os.IsNotExist(err) {
		t.Errorf("its files are there: %v", err)
	}
}

func ended(t *testing.T, pids []int) {
	t.Helper()
	for _, pid := range pids {
		if _, state := process(pid); state != 0 && state != 'Z' && state != 'X' {
			t.Errorf("process %d is there: %c", pid, state)
		}
	}
}

func TestDatabasesAreDropped(t *testing.T) {
	var dsns [2]string
	t.Run("one", func(t *testing.T) {
		dsns[0], dsns[1] = DSN(t), DSN(t)
		if dsns[0] == dsns[1] {
			t.Error("two tests get one database")
		}
	})
	if dsns[0] == "" {
		t.SkipNow()
	}
	db, err := sql.Open("pgx", dsns[0])
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.PingContext(t.Context()); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("after the test its database says: %v", err)
	}
}

// TestNothingIsLeft: a test process that is killed takes the server with it, and the next one its files.
func TestNothingIsLeft(t *testing.T) {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), child+"=1")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if strings.HasPrefix(line, "no:") {
		c.Wait()
		missing(t, fmt.Errorf("%s", line))
	}
	first, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
	pid, perr := strconv.Atoi(first)
	if err != nil || perr != nil {
		t.Fatalf("%q: %v, %v", line, err, perr)
	}
	all := append(children(pid), pid)
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	c.Wait() // the error is that it was killed
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, state := process(pid); state == 0 || state == 'Z' || time.Now().After(deadline) {
			break
		}
	}
	ended(t, all)
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(dir, lockName), long, long); err != nil {
		t.Fatal(err)
	}
	sweep()
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("its files are there: %v", err)
	}
}

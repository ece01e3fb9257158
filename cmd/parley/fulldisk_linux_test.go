package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// ownDisk begins a process that has a small disk of its own where dir is, on which others find it as the second result.
func ownDisk(t *testing.T, dir string) (enter []string, inside func(pid int) string) {
	t.Helper()
	enter = []string{"unshare", "--mount", "sh", "-c", `mount -t tmpfs -o size=32m tmpfs "$0" && exec "$@"`, dir}
	if os.Getuid() != 0 {
		enter = append([]string{"unshare", "--map-root-user"}, enter[1:]...)
	}
	if out, err := exec.CommandContext(t.Context(), enter[0],
		append(enter[1:], "true")...).CombinedOutput(); err != nil {
		t.Skipf("no disk of its own: %v: %s", err, out)
	}
	return enter, func(pid int) string { return fmt.Sprintf("/proc/%d/root%s", pid, dir) }
}

// When the disk is full, health probes and a person who makes a backup are told so, and no part of the backup is left.
// With free space again everything works.
func TestFullDisk(t *testing.T) {
	dir := shortDir(t)
	enter, inside := ownDisk(t, dir)
	args := append(append(enter[1:], os.Args[0], "--json", "dev", "--data-dir", dir), anyPort...)
	c := exec.CommandContext(t.Context(), enter[0], args...)
	c.Env = append(os.Environ(), asMain+"=1")
	var log strings.Builder
	c.Stderr = &log
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var welcome map[string]string
	if err := json.NewDecoder(out).Decode(&welcome); err != nil {
		c.Wait()
		t.Fatalf("%v\n%s", err, &log)
	}
	disk := inside(c.Process.Pid)
	t.Setenv("PARLEY_SOCKET", filepath.Join(disk, "parley.sock"))
	healthy := func(want bool) string {
		t.Helper()
		// a probe, as other programs send it
		for late := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
			res, err := http.Get("http://" + welcome["metrics"] + "/healthz")
			if err != nil {
				c.Wait()
				t.Fatalf("%v\n%s", err, &log)
			}
			b, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			if (res.StatusCode == http.StatusOK) == want {
				return string(b)
			}
			if time.Now().After(late) {
				t.Fatalf("%s\n%s", res.Status, b)
			}
		}
	}
	healthy(true)
	fill := filepath.Join(disk, "fill")
	f, err := os.Create(fill)
	if err != nil {
		t.Fatal(err)
	}
	for b := make([]byte, 64<<10); err == nil; {
		_, err = f.Write(b)
	}
	f.Close()
	if b := healthy(false); !strings.Contains(b, "nothing can be kept: the disk is full") {
		t.Errorf("it says %s", b)
	}
	to := filepath.Join(t.TempDir(), "b.tar")
	if code, _, errs := cli(t, "", "backup", to); code != exitFailed ||
		!strings.Contains(errs, "the server's disk is full") {
		t.Errorf("exit %d: %s", code, errs)
	}
	if _, err := os.Lstat(to); err == nil {
		t.Error("half a backup is left")
	}
	if left, err := filepath.Glob(filepath.Join(disk, "parley-backup-*")); err != nil || len(left) > 0 {
		t.Errorf("left on the disk: %v, %v", left, err)
	}
	if err := os.Remove(fill); err != nil {
		t.Fatal(err)
	}
	healthy(true)
	if err := c.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Errorf("%v\n%s", err, &log)
	}
	if strings.Contains(log.String(), "%!") {
		t.Errorf("its log has what is no text:\n%s", &log)
	}
}

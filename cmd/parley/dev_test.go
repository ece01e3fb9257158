package main

import "testing"

// The commands that `dev` shows begin as the program was started, also if the build cache is in an unusual place.
func TestGoRun(t *testing.T) {
	for exe, want := range map[string]bool{
		"/tmp/go-build123/b001/exe/parley": true,
		"/root/.cache/go-build/3f/3f9c1b1e7a0d5f6c2b4a8e9d0c1f2a3b4c5d6e7f8091a2b3c4d5e6f708192a3b-d/parley": true,
		"/var/gocache/3f/3f9c1b1e7a0d5f6c2b4a8e9d0c1f2a3b4c5d6e7f8091a2b3c4d5e6f708192a3b-d/parley":          true,
		"/usr/local/bin/parley": false,
		"/home/alice/parley":    false,
	} {
		if got := goRun(exe); got != want {
			t.Errorf("%s: %v", exe, got)
		}
	}
}

package sim

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A simulator that finds nothing proves nothing. So mistakes are planted into the server, one at a time, and the
// simulator has to find each. Nothing of them is in the server that is built: the test compiles the simulator once
// more, with changed copies of the server's files (go help build, -overlay), in which every mistake waits for its name
// in an environment variable.

// The variables of the test's children: the mistake, what its finding says, and the seeds that are played at most.
const (
	plantedName  = "PARLEY_PLANTED"
	plantedSays  = "PARLEY_PLANTED_SAYS"
	plantedSeeds = "PARLEY_PLANTED_SEEDS"
	plantedFirst = "PARLEY_PLANTED_FIRST" // the first seed; without it 1
	plantedPeace = "PARLEY_PLANTED_PEACE" // "true": no faults are played
	plantedNodes = "PARLEY_PLANTED_NODES" // how many nodes are played
)

const (
	mostSeeds = 100 // that a mistake may need
	nearSeeds = 60  // that a mistake may need before its line in the output warns
)

// mistake is a mistake that is planted into the server.
type mistake struct {
	name  string
	says  string // the finding contains this
	peace bool   // it is found without faults
	nodes int    // how many are played; 0: one
	file  string // of the server
	where string // a text that the file contains once
	plant string // and what replaces it; PLANTED is true while this mistake is on
}

// TestPlanted plants every mistake, which fails if its text is no longer in the server. With make planted it also fails
// for those that the simulator does not find. How many seeds one needs changes with every change of the server, and
// how long that takes with the machine.
func TestPlanted(t *testing.T) {
	binary := buildPlanted(t)
	if os.Getenv("PARLEY_TEST_PLANTED") == "" {
		return
	}
	for _, m := range mistakes {
		t.Run(m.name, func(t *testing.T) { findPlanted(t, binary, m) })
	}
}

// findPlanted has a child play seeds with a mistake until it is found.
func findPlanted(t *testing.T, binary string, m mistake) {
	began := time.Now()
	cmd := exec.CommandContext(t.Context(), binary, "-test.run=^TestPlantedChild$", "-test.v", "-test.timeout=5m")
	cmd.Env = append(os.Environ(), plantedName+"="+m.name, plantedSays+"="+m.says,
		plantedSeeds+"="+strconv.Itoa(mostSeeds), plantedPeace+"="+strconv.FormatBool(m.peace),
		plantedNodes+"="+strconv.Itoa(m.nodes))
	out, err := cmd.CombinedOutput()
	took := time.Since(began).Round(100 * time.Millisecond)
	seeds, finding := outcome(string(out), m.says)
	if finding == "" {
		t.Fatalf("%d seeds do not find it (%v, %v). Improve the simulator: its workload, its weights or its checkers. "+
			"The end of the output:\n%s", seeds, took, err, tail(string(out), 40))
	}
	t.Logf("found with %d seeds, in %v: %s", seeds, took, finding)
	if seeds > nearSeeds {
		t.Logf("that is many: improve the simulator before %d are not enough", mostSeeds)
	}
}

// outcome reads a child's output: how many seeds it has played, and the finding. A child that has crashed has found
// something too: goroutines that are left over are fatal in synctest.
func outcome(out, says string) (seeds int, finding string) {
	lines := bufio.NewScanner(strings.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "playing seed ") {
			seeds++
		}
		if _, after, ok := strings.Cut(line, "found: "); ok {
			return seeds, after
		}
		if strings.HasPrefix(line, "panic: ") && strings.Contains(line, says) {
			return seeds, line
		}
	}
	return seeds, ""
}

func tail(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// TestPlantedChild is what TestPlanted runs with its own binary. It ends at the first seed that finds the mistake.
func TestPlantedChild(t *testing.T) {
	says := os.Getenv(plantedSays)
	if says == "" {
		t.Skip("TestPlanted runs it")
	}
	first, err := strconv.Atoi(os.Getenv(plantedFirst))
	if err != nil {
		first = 1
	}
	most, err := strconv.Atoi(os.Getenv(plantedSeeds))
	if err != nil {
		most = mostSeeds
	}
	for seed := first; seed < first+most; seed++ {
		fmt.Printf("playing seed %d\n", seed)
		for _, f := range playPlanted(t, uint64(seed)) {
			if strings.Contains(f, says) {
				fmt.Printf("found: %s\n", f)
				return
			}
			fmt.Printf("found besides: %s\n", f)
		}
	}
}

// playPlanted plays a seed. What synctest says of goroutines that are left over is a finding too.
func playPlanted(t *testing.T, seed uint64) (findings []string) {
	defer func() {
		if p := recover(); p != nil {
			findings = append(findings, fmt.Sprint(p))
		}
	}()
	several, err := strconv.Atoi(os.Getenv(plantedNodes))
	if err != nil {
		several = 1
	}
	return Run(t, Options{Seed: seed, Nodes: several, Faults: os.Getenv(plantedPeace) != "true"}).Findings
}

// buildPlanted compiles this package's tests with all mistakes in the server.
func buildPlanted(t *testing.T) string {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	overlay := struct{ Replace map[string]string }{make(map[string]string)}
	for file, text := range plantedFiles(t, root) {
		changed := filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay.Replace[filepath.Join(root, file)] = changed
	}
	b, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, b, 0o600); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "planted.test")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-overlay", list, "-o", binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the server with its mistakes does not compile: in planted_mistakes_test.go, write the plant so "+
			"that it fits what the file says now:\n%s", out)
	}
	return binary
}

var packageLine = regexp.MustCompile(`(?m)^package \w+$`)

// plantedFiles gives the changed texts of the server's files.
func plantedFiles(t *testing.T, root string) map[string]string {
	texts := make(map[string]string)
	for _, m := range mistakes {
		text, ok := texts[m.file]
		if !ok {
			b, err := os.ReadFile(filepath.Join(root, m.file))
			if err != nil {
				t.Fatal(err)
			}
			at := packageLine.FindStringIndex(string(b))
			text = string(b[:at[1]]) + "\n\nimport planted \"os\"\n" + string(b[at[1]:])
		}
		if n := strings.Count(text, m.where); n != 1 {
			t.Fatalf("%s: %s contains this text %d times: in planted_mistakes_test.go, take one that it contains once "+
				"now, and write its replacement anew:\n%s", m.name, m.file, n, m.where)
		}
		on := fmt.Sprintf("(planted.Getenv(%q) == %q)", plantedName, m.name)
		texts[m.file] = strings.Replace(text, m.where, strings.ReplaceAll(m.plant, "PLANTED", on), 1)
	}
	return texts
}

package config

import (
	"fmt"
	"strconv"
	"strings"
)

// Disk says when the disks of data and uploads count as nearly full.
type Disk struct {
	Low    string `yaml:"low"`    // below it, no files are uploaded
	Lowest string `yaml:"lowest"` // below it, the people who wrote most lately are refused
}

// Mark is an amount of free space: bytes, or a part of the disk.
type Mark struct {
	percent float64
	bytes   Size // with percent: the upper limit
}

// The upper limits of percentages, since a large disk has enough room before it reaches them.
const (
	mostLow    = GiB
	mostLowest = 256 * MiB
)

// Of returns the mark in bytes for a disk of this size in bytes.
func (m Mark) Of(disk int64) int64 {
	if m.percent == 0 {
		return int64(m.bytes)
	}
	return min(int64(float64(disk)*m.percent/100), int64(m.bytes))
}

func parseMark(s string, most Size) (Mark, error) {
	if num, ok := strings.CutSuffix(strings.TrimSpace(s), "%"); ok {
		p, err := strconv.ParseFloat(strings.TrimSpace(num), 64)
		if err != nil || !(p > 0 && p < 100) {
			return Mark{}, fmt.Errorf("%q is not a percentage between 0%% and 100%%", s)
		}
		return Mark{percent: p, bytes: most}, nil
	}
	b, err := ParseSize(s)
	if err != nil {
		return Mark{}, fmt.Errorf("%q is neither a size, like 512MiB, nor a percentage, like 5%%", s)
	}
	return Mark{bytes: b}, nil
}

// Marks returns both marks. Load has checked that they are valid.
func (d Disk) Marks() (low, lowest Mark) {
	low, _ = parseMark(d.Low, mostLow)
	lowest, _ = parseMark(d.Lowest, mostLowest)
	return low, lowest
}

func (c *Config) checkDisk(v *checker) {
	low, err := parseMark(c.Disk.Low, mostLow)
	if err != nil {
		v.add("disk.low", "%v", err)
	}
	lowest, err2 := parseMark(c.Disk.Lowest, mostLowest)
	if err2 != nil {
		v.add("disk.lowest", "%v", err2)
	}
	if err == nil && err2 == nil && low.percent == 0 == (lowest.percent == 0) &&
		(lowest.percent > low.percent || lowest.percent == 0 && lowest.bytes > low.bytes) {
		v.add("disk.lowest", "%s is more than disk.low (%s), but uploads must be refused first",
			c.Disk.Lowest, c.Disk.Low)
	}
}

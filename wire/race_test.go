//go:build race

package wire

// The race detector has pools lose things at random.
const raceOn = true

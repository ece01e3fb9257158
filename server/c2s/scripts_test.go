package c2s_test

import (
	"testing"

	"parley/testrig"
)

// TestScripts plays the scripts of streams, testdata/NAME.xmpp, and those of package server, which lie beside it. They
// are not played from there because all that imports server would be compiled once more for its tests.
func TestScripts(t *testing.T) { testrig.RunScripts(t, "testdata", "../testdata") }

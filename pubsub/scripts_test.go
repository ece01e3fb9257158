package pubsub_test

import (
	"testing"

	"parley/testrig"
)

// TestScripts plays the scripts of nodes and spaces, testdata/NAME.xmpp.
func TestScripts(t *testing.T) { testrig.RunScripts(t, "testdata") }
